"""How the lists of a day came about, and how much of the catalogue they showed. No shopper is in these counts.

They are counted from the lists that are kept, by the task that counts answers. Whoever is erased takes their lists
along, and so leaves a day when it is counted next: today within minutes, a day gone by within a day.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db import transaction
from django.db.models import Count

from shop_reco.products.models import Product
from shop_reco.products.selectors import showable_now

from ..models import CountedDay, ListCount, ShownProduct, Slate

CHUNK, FEW = 500, 50
"""Products looked up at once, and lists fetched at once: one is some ten kilobytes."""
WEEK = dt.timedelta(days=7)


def count_lists(*, day: dt.date, now: dt.datetime) -> None:
    """Count anew how the lists of a day came about; of the last week also note which products were in them."""
    start = dt.datetime.combine(day, dt.time.min, tzinfo=dt.UTC)
    lists = Slate.objects.filter(served_at__gte=start, served_at__lt=start + dt.timedelta(days=1)).order_by()
    found = lists.values_list("placement", "rung").annotate(Count("pk"), Count("shopper", distinct=True))
    rows = [ListCount(day=day, placement=spot, rung=rung, lists=n, shoppers=m) for spot, rung, n, m in found]
    with transaction.atomic():
        ListCount.objects.filter(day=day).delete()
        ListCount.objects.bulk_create(rows)
    if day > now.date() - WEEK:
        items = lists.values_list("items", flat=True).iterator(chunk_size=FEW)
        _note(day, {item["product"] for each in items for item in each})


def _note(day: dt.date, products: Iterable[int]) -> None:
    """Note that products were shown on a day; a later day stays."""
    later = set(ShownProduct.objects.filter(day__gte=day).values_list("pk", flat=True))
    left = sorted(set(products) - later)
    for start in range(0, len(left), CHUNK):
        here = Product.objects.filter(pk__in=left[start : start + CHUNK]).values_list("pk", flat=True)
        ShownProduct.objects.bulk_create(
            [ShownProduct(product_id=pk, day=day) for pk in here],
            update_conflicts=True,
            unique_fields=["product"],
            update_fields=["day"],
        )


def cover(*, now: dt.datetime) -> None:
    """Keep for today how many products lists showed in the last seven days, of those that may be shown; one row."""
    open_ = Product.objects.filter(showable_now(now))
    lately = ShownProduct.objects.filter(day__gt=now.date() - WEEK).values("pk")
    shown, catalogue = open_.filter(pk__in=lately).count(), open_.count()
    CountedDay.objects.filter(day=now.date()).update(shown=shown, catalogue=catalogue)


def trim_lists(*, first: dt.date, now: dt.datetime) -> None:
    """Delete what is older than it is shown."""
    ListCount.objects.filter(day__lt=first).delete()
    ShownProduct.objects.filter(day__lte=now.date() - WEEK).delete()
