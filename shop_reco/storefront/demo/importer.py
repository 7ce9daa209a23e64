"""The import of the demo shop: through the same services as any other import, and safe to repeat."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from django.utils import timezone

from shop_reco.events.imports import finish_import, import_events, start_import
from shop_reco.events.models import DataImport
from shop_reco.events.selectors import data_import
from shop_reco.products.selectors import categories, pks_by_sku
from shop_reco.products.services import import_products, set_sensitive
from shop_reco.users.models import Consent
from shop_reco.users.services import import_consents, import_shoppers

from . import completejourney as journey

SOURCE = "completejourney"
Say = Callable[[str], None]


def imported(*, full: bool = False) -> bool:
    """Whether the import that is asked for was finished before."""
    done = data_import(source=SOURCE)
    return done is not None and done.finished_at is not None and (not full or bool(done.report.get("full")))


def import_demo(*, full: bool, say: Say) -> DataImport:
    """Import the slice, or all of it; what an interrupted import left is completed."""
    say("reading the data")
    tables = journey.load()
    sold = journey.goods(tables["products"])
    every = journey.purchases(tables["transactions"], sold)
    lines = every if full else journey.recent_slice(
        every, households=journey.SLICE_HOUSEHOLDS, weeks=journey.SLICE_WEEKS
    )  # fmt: skip
    if not full:
        sold = sold[sold["product_id"].isin(lines["product_id"])]
    now, last = timezone.now(), every["transaction_timestamp"].max().to_pydatetime().replace(tzinfo=dt.UTC)
    started = start_import(source=SOURCE, shift_weeks=journey.shift_weeks(last, now))
    say(f"importing {len(sold)} products")
    import_products(drafts=journey.product_drafts(sold, lines))
    unsaid = [" > ".join(path) for path in journey.sensitive_paths(sold)]
    set_sensitive(categories=list(categories().filter(path__in=unsaid)), sensitive=True)
    households = sorted(int(each) for each in lines["household_id"].unique())
    shoppers = import_shoppers(rows=journey.shopper_drafts(households, tables["demographics"]))
    import_consents(shopper_ids=list(shoppers.values()), purposes=Consent.Purpose.values, source="demo", decided_at=now)
    say(f"importing {len(lines)} purchases of {len(households)} households")
    new = import_events(
        rows=journey.event_drafts(
            lines,
            shoppers=shoppers,
            products=pks_by_sku(),
            shift=dt.timedelta(weeks=started.shift_weeks),
        ),
        progress=lambda read: say(f"  {read} of {len(lines)} purchases") if read % 50_000 == 0 else None,
    )
    dropped = len(tables["transactions"]) - len(every)
    return finish_import(
        source=SOURCE, report={"full": full, "lines": len(lines), "new": new, "dropped_by_cleaning": dropped}
    )
