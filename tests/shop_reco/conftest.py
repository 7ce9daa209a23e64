"""What several tests of the shop's side share: staff at the admin, and a list as its SKUs."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User


def skus(served):
    return [edge.product.sku for edge in served.edges]


@pytest.fixture
def staff(db, client):
    client.force_login(User.objects.create_superuser("staff"))
    return client
