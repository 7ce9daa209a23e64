"""What a web process does once, before it answers."""

from __future__ import annotations

import gc
import importlib
import os
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def prepared(build: Callable[[], T]) -> T:
    """The application that ``build`` makes, with all that it answers by; the garbage collector leaves that alone.

    A hundred and fifty thousand objects come with it and stay. Each full collection would look at every one of them, a
    tenth of a second in which nobody is answered.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop_reco.settings.production")
    # Products of a list are small: the helpers of BLAS would wait for each other longer than they work.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    gc.disable()
    try:
        importlib.import_module("shop_reco.celery")  # tasks are published through this app, not a default one
        application = build()
        from django.urls import get_resolver

        get_resolver().url_patterns  # noqa: B018 - else the first who asks waits for what they import
        gc.freeze()
    finally:
        gc.enable()
    return application
