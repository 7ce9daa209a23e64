"""Exports: asked for, made now or by a worker, fetched once, deleted."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import secrets
import shutil
import uuid
import zipfile
from functools import partial
from pathlib import Path
from typing import IO, NamedTuple

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone, translation

from shop_reco.conf import reco_settings
from shop_reco.users.models import Shopper
from shop_reco.users.selectors import digest_of, digests_of, linked_ids

from .archive import write_archive
from .errors import NoExportError
from .models import Export
from .personal import personal_tables
from .selectors import privacy_root
from .signals import export_waits

TOKEN_BYTES = 24
LEASE = dt.timedelta(minutes=15)
"""After which an export that was begun and not finished counts as given up."""


class Asked(NamedTuple):
    """An export, and the secret of its link: told here and never again."""

    export: Export
    token: str


def request_export(*, shopper: Shopper) -> Asked:
    """Make a file of all that is known of a shopper; a short one is ready at once, a long one when a worker made it.

    The links of their earlier exports end.
    """
    asked = _enter(shopper)
    ids = linked_ids(shopper=shopper)
    if sum(table.rows(shopper_ids=ids).count() for table in personal_tables()) <= reco_settings().EXPORT_NOW_ROWS:
        build_export(export=asked.export)
        asked.export.refresh_from_db()
    else:
        export_waits.send_robust(Export)
    return asked


@transaction.atomic
def _enter(shopper: Shopper) -> Asked:
    earlier = Export.objects.filter(shopper=shopper)
    discard_files(earlier)
    earlier.delete()
    token, now = secrets.token_urlsafe(TOKEN_BYTES), timezone.now()
    export = Export.objects.create(
        shopper=shopper,
        token_digest=digest_of(token),
        language=translation.get_language() or "",
        requested_at=now,
        expires_at=now + dt.timedelta(days=reco_settings().EXPORT_DAYS),
    )
    return Asked(export, token)


def build_export(*, export: Export) -> bool:
    """Make the file of an export; returns whether it was made here. One that was erased meanwhile leaves no file."""
    now = timezone.now()
    free = Q(started_at__isnull=True) | Q(started_at__lt=now - LEASE)
    if not Export.objects.filter(free, pk=export.pk, ready_at__isnull=True).update(started_at=now):
        return False
    folder = _folder() / export.public_id.hex
    folder.mkdir(exist_ok=True, mode=0o700)
    name = f"{uuid.uuid4().hex}.zip"
    draft = folder / f".{name}"
    try:
        with translation.override(export.language or None):
            write_archive(shopper=export.shopper, path=draft, progress=partial(_note_progress, export))
        os.rename(draft, folder / name)
        ready = Export.objects.filter(pk=export.pk, started_at=now, ready_at__isnull=True)
        size = (folder / name).stat().st_size
        made = ready.update(file=f"{folder.name}/{name}", size=size, progress=1.0, ready_at=timezone.now())
    except FileNotFoundError:
        if Export.objects.filter(pk=export.pk).exists():
            raise
        return False  # erased meanwhile, with what was written so far
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    if not made:
        _remove(folder / name)
    return bool(made)


def build_waiting() -> int:
    """Make every export that waits; returns how many."""
    free = Q(started_at__isnull=True) | Q(started_at__lt=timezone.now() - LEASE)
    waiting = Export.objects.filter(free, ready_at__isnull=True).order_by("pk")
    return sum(build_export(export=export) for export in waiting.iterator(chunk_size=20))


def export_of(*, token: str, shopper: Shopper | None) -> Export:
    """The export that a link leads its own shopper to, ready or not.

    Raises:
        NoExportError: For a link that nobody was given, that is somebody else's, was used or ran out: all alike.
    """
    good = Export.objects.filter(used_at__isnull=True, expires_at__gt=timezone.now())
    export = good.filter(token_digest__in=digests_of(token)).first()
    if export is None or shopper is None or export.shopper_id != shopper.pk:
        raise NoExportError
    return export


def fetch_export(*, export: Export) -> IO[bytes]:
    """Open the file of an export for its one reader; nothing of it is left when they close it.

    Raises:
        NoExportError: If somebody else was first.
    """
    path = _folder() / export.file
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise NoExportError from None
    if not Export.objects.filter(pk=export.pk, used_at__isnull=True).update(used_at=timezone.now()):
        file.close()
        raise NoExportError
    _remove(path)
    return file


def data_of(*, export: Export) -> str | None:
    """The JSON document of an export that is ready; its link stays good. None where the file was fetched."""
    try:
        with zipfile.ZipFile(_folder() / export.file) as archive:
            return archive.read("data.json").decode()
    except FileNotFoundError:
        return None


def discard_files(exports: QuerySet[Export]) -> None:
    """Delete the files of these exports, finished or not, before their rows: nobody would find them after.

    Each has a folder of its own: nobody else's files are looked at.
    """
    for public_id, file in exports.values_list("public_id", "file"):
        shutil.rmtree(_folder() / public_id.hex, ignore_errors=True)
        if file and "/" not in file:  # made when all of them lay side by side
            (_folder() / file).unlink(missing_ok=True)


def _remove(path: Path) -> None:
    """Delete a file of an export, and the export's folder where nothing else is left in it."""
    path.unlink(missing_ok=True)
    if path.parent != _folder():
        with contextlib.suppress(OSError):
            path.parent.rmdir()


def trim_exports(*, now: dt.datetime) -> int:
    """Delete exports whose link was used or ran out, and files that no row knows; returns how many rows."""
    over = Export.objects.filter(Q(expires_at__lte=now) | Q(used_at__isnull=False))
    discard_files(over)
    deleted = over.delete()[0]
    files = Export.objects.exclude(file="").values_list("file", flat=True)
    known = {file.partition("/")[0] for file in files}
    for path in _folder().iterdir():
        with contextlib.suppress(FileNotFoundError):  # fetched meanwhile
            old = dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC) < now - LEASE
            if path.name in known or not old:
                continue
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
    return deleted


def _folder() -> Path:
    folder = privacy_root() / "exports"
    folder.mkdir(exist_ok=True, mode=0o700)
    return folder


def _note_progress(export: Export, done: float) -> None:
    Export.objects.filter(pk=export.pk).update(progress=min(done, 0.99))
