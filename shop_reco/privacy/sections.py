"""All that is known of a shopper, section by section, streamed: products by public id, and no sequential keys."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any
from uuid import UUID

from django.db.models import DateTimeField, ForeignKey, Model
from django.utils.encoding import force_str
from django.utils.translation import gettext as _

from shop_reco.portraits.models import PortraitEdit
from shop_reco.portraits.reading import portrait_of
from shop_reco.products.models import Product
from shop_reco.recommendations.models import Slate
from shop_reco.recommendations.selectors import versions_that_knew
from shop_reco.users.models import Shopper, StaffRead
from shop_reco.users.selectors import linked_ids

from .models import Export
from .personal import personal_tables

PRODUCT_KEYS = frozenset({"product_id", "product", "products", "earlier", "evidence"})
"""Columns, and keys in JSON, that hold primary keys of products."""

HIDDEN = frozenset({"digest", "token_digest", "evidence_key", "basis", "seed"})
"""Columns that say nothing of the shopper that other ones do not, and must not leave the house."""

CHUNK = 500


@dataclass(frozen=True, slots=True)
class Named:
    """How a product is called outside."""

    public_id: UUID
    title: str


class Names(dict[int, Named]):
    """Products by primary key, read as rows name them; one that is gone from the catalogue has no name left."""

    def learn(self, keys: Iterable[int]) -> None:
        """One query for five hundred that are new."""
        new = sorted(set(keys) - self.keys())
        for start in range(0, len(new), CHUNK):
            found = Product.objects.filter(pk__in=new[start : start + CHUNK])
            for pk, public_id, title in found.values_list("pk", "public_id", "title"):
                self[pk] = Named(public_id, title)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a section, and its words: a label, and names of what it may hold."""

    name: str
    label: str
    choices: Mapping[Any, str] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Section:
    """``rows`` can be walked once."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: Iterable[dict[str, Any]]


def sections_of(*, shopper: Shopper, names: Names) -> Iterator[Section]:
    """Every section of a shopper's export, with those of the visitors found to be them; ``names`` fills on the way."""
    ids = linked_ids(shopper=shopper)
    yield _profile(ids)
    yield from _portrait(shopper)
    yield _versions(ids)
    for table in personal_tables():
        if table.model is not Export:
            yield _table(table.model, table.rows(shopper_ids=ids), names)


def _profile(ids: Collection[int]) -> Section:
    fields = ("public_id", "external_id", "time_zone", "age_band", "gender", "region", "member_since", "created_at")
    rows = Shopper.objects.filter(pk__in=ids).order_by("pk").values(*fields, "user__username")
    columns = [_column(Shopper._meta.get_field(name)) for name in fields]
    return Section("profile", _("Profile"), (*columns, Column("user__username", _("account"))), rows)


def _portrait(shopper: Shopper) -> Iterator[Section]:
    view = portrait_of(shopper=shopper)
    if view is None:
        return
    facts = {field.name: getattr(view, field.name) for field in dataclasses.fields(view)}
    interests = [*facts.pop("interests"), *facts.pop("hidden")]
    del facts["shopper"], facts["segment_name"]
    labels = {"segment": _("segment"), "orders": _("orders"), "spent": _("spent"), "last_seen": _("last seen")}
    columns = tuple(Column(name, labels.get(name, name.replace("_", " "))) for name in facts)
    row = {name: _plain(value) for name, value in facts.items()}
    row["segment"] = view.segment_name
    yield Section("portrait_now", _("Portrait as of now"), columns, [row])
    kinds = {key: str(label) for key, label in PortraitEdit.Kind.choices}
    columns = (
        Column("kind", _("kind"), kinds),
        Column("key", _("interest")),
        Column("weight", _("weight")),
        Column("state", _("state"), {"pin": _("pinned"), "block": _("blocked"), "hide": _("hidden")}),
    )
    yield Section("interests", _("Interests"), columns, map(_plain, interests))


def _versions(ids: Collection[int]) -> Section:
    columns = (Column("version", _("model version")), Column("kind", _("kind")), Column("state", _("state")))
    rows = [
        {
            "version": version.public_id.hex,
            "kind": str(version.recommender),
            "state": version.get_state_display(),
            "trained_at": version.created_at,
        }
        for version in versions_that_knew(shopper_ids=ids)
    ]
    return Section(
        "model_versions", _("Models that learnt from it"), (*columns, Column("trained_at", _("trained at"))), rows
    )


def _plain(value: Any) -> Any:
    """Dataclasses as what JSON knows."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(inner) for inner in value]
    return value


def _table(model: type[Model], rows: Any, names: Names) -> Section:
    told = {field.attname: column for field in model._meta.concrete_fields if (column := _told(field)) is not None}
    read = rows.order_by(*_newest_first(model)).values(*told, *(["staff__username"] if model is StaffRead else []))
    columns = (*told.values(), *([Column("staff__username", _("staff"))] if model is StaffRead else []))
    rename = {attname: column.name for attname, column in told.items()}
    return Section(str(model._meta.model_name), _title(model), columns, _streamed(read, rename, names))


def _title(model: type[Model]) -> str:
    if model is Slate:
        return _("Lists that you were shown, with the reasons")
    if model is StaffRead:
        return _("Who of the staff looked at it, and why")
    text = force_str(model._meta.verbose_name_plural)
    return text[:1].upper() + text[1:]


def _newest_first(model: type[Model]) -> list[str]:
    """By the first time that each row has; by key where rows have none."""
    times = [field.name for field in model._meta.concrete_fields if isinstance(field, DateTimeField) and not field.null]
    return [*(f"-{name}" for name in times[:1]), "pk"]


def _told(field: Any) -> Column | None:
    """The column of a field, None for one that holds a sequential key or a secret."""
    if field.name in HIDDEN:
        return None
    if isinstance(field, ForeignKey):
        return _column(field, name="product") if field.related_model is Product else None
    whole = field.get_internal_type() in ("AutoField", "BigAutoField", "SmallAutoField", "BigIntegerField")
    return None if whole and field.primary_key else _column(field)


def _column(field: Any, name: str = "") -> Column:
    choices = {key: str(label) for key, label in getattr(field, "flatchoices", ())}
    return Column(name or field.name, force_str(field.verbose_name), choices)


def _streamed(read: Any, rename: Mapping[str, str], names: Names) -> Iterator[dict[str, Any]]:
    rows = read.iterator(chunk_size=CHUNK)
    while chunk := list(islice(rows, CHUNK)):
        names.learn(key for row in chunk for key in _product_keys(row))
        for row in chunk:
            yield {rename.get(name, name): value for name, value in _outside(row, names).items()}


def _product_keys(value: Any) -> Iterator[int]:
    """Every product key in a row, however deep its JSON has it."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name in PRODUCT_KEYS:
                yield from (key for key in (inner if isinstance(inner, list) else [inner]) if type(key) is int)
            if isinstance(inner, Mapping | list):
                yield from _product_keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _product_keys(inner)


def _outside(value: Any, names: Mapping[int, Named], *, keys: bool = False) -> Any:
    """The same with products by their public ids; ``keys`` says that integers here are product keys."""
    if isinstance(value, Mapping):
        return {name: _outside(inner, names, keys=name in PRODUCT_KEYS) for name, inner in value.items()}
    if isinstance(value, list):
        return [_outside(inner, names, keys=keys) for inner in value]
    if keys and type(value) is int:
        return names[value].public_id if value in names else None
    return value
