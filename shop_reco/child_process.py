"""A Django command in a process of its own: what it loads goes with it, and what kills it leaves the caller alone."""

from __future__ import annotations

import logging
import os
import subprocess
import sys

from django.conf import settings


def started(*arguments: str) -> subprocess.Popen[bytes]:
    """With the settings, the paths and the log level of this process."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": settings.SETTINGS_MODULE,
        "LOG_LEVEL": logging.getLevelName(logging.getLogger().getEffectiveLevel()),
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    return subprocess.Popen([sys.executable, "-m", "django", *arguments], env=environment)  # noqa: S603
