"""Settings that would harm a shop are refused at start."""

from __future__ import annotations

import pytest
from django.core.management import call_command


def test_the_demo_switcher_is_an_error_where_debug_is_off(settings):
    from django.core.management.base import SystemCheckError

    settings.SHOP_RECO = {**settings.SHOP_RECO, "DEMO_SWITCHER": True}
    with pytest.raises(SystemCheckError, match="shop as anyone"):
        call_command("check")
