"""What lies in the artifacts' folder that no version needs: deleted, but never what is live or what a replay needs."""

from __future__ import annotations

import datetime as dt
import re
import shutil
import time
from pathlib import Path

import structlog
from django.utils import timezone

from shop_reco.conf import reco_settings

from ..models import ModelVersion
from ..selectors import versions_to_prune
from ..services import mark_pruned
from ..signals import versions_gone

logger = structlog.get_logger(__name__)
OURS = re.compile(r"[0-9a-f]{32}|\.[0-9a-f]{32}\..+", re.ASCII)
"""Folders of versions, and drafts of them; nothing else in the folder is touched."""


def prune_versions(*, now: dt.datetime | None = None) -> int:
    """Delete the artifacts that nothing needs any more; returns how many.

    The rows stay, with what was measured. A crash in between leaves a folder that ``sweep_leftovers`` finds.
    """
    now = now or timezone.now()
    gone = mark_pruned(versions=versions_to_prune(now=now), at=now)
    for version in gone:
        shutil.rmtree(_folder(version.public_id.hex), ignore_errors=True)
        logger.info("version_pruned", kind=version.recommender_id, version=version.public_id.hex)
    if gone:
        live = ModelVersion.objects.filter(state=ModelVersion.State.LIVE)
        clean = {kind: name.hex for kind, name in live.values_list("recommender", "public_id")}
        versions_gone.send(ModelVersion, gone=[each.public_id.hex for each in gone], clean=clean)
    return len(gone)


def sweep_leftovers() -> int:
    """Delete drafts and folders that no row tells of, which a death left; returns how many.

    Whatever was written a moment ago may be somebody's work, and stays.
    """
    root, young = reco_settings().ARTIFACTS_ROOT, time.time() - reco_settings().LEASE
    if not root.is_dir():
        return 0
    found = [each for each in root.iterdir() if OURS.fullmatch(each.name) and each.stat().st_mtime < young]
    kept = ModelVersion.objects.filter(pruned_at__isnull=True).values_list("public_id", flat=True)
    known = {name.hex for name in kept}
    left = [each for each in found if each.name not in known]
    for each in left:
        shutil.rmtree(each, ignore_errors=True)
        logger.warning("leftover_deleted", name=each.name)
    return len(left)


def _folder(name: str) -> Path:
    return reco_settings().ARTIFACTS_ROOT / name
