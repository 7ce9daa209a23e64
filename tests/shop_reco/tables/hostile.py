"""Run as a script: imports each file named as an argument into a database of its own, and prints for each what was
said, how many events were stored and by how many MB the process grew at its peak. A file of good rows comes first, so
that what every import needs is in memory already.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from pathlib import Path

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import CommandError, call_command  # noqa: E402

with contextlib.suppress(ImportError):
    import pyarrow.parquet  # noqa: F401

from shop_reco.events.models import Event  # noqa: E402
from shop_reco.products.services import ProductDraft, import_products  # noqa: E402


def megabytes(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) / 1024


def main() -> None:
    settings.SHOP_RECO = {**settings.SHOP_RECO, **json.loads(sys.argv[1])}
    call_command("migrate", verbosity=0)
    import_products(drafts=[ProductDraft(sku="1", title="Tea")])
    found = {}
    for path in map(Path, sys.argv[2:]):
        Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
        before, stored, said = megabytes("VmRSS"), Event.objects.count(), io.StringIO()
        try:
            call_command(
                "import_events", str(path), "--consent", "training", "--source", "test", stdout=said, stderr=said
            )
        except CommandError as error:
            said.write(str(error))
        grown = megabytes("VmHWM") - before
        found[path.name] = {"said": said.getvalue(), "stored": Event.objects.count() - stored, "grown_mb": grown}
    sys.stdout.write(json.dumps(found))


main()
