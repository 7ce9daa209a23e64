"""The catalogue as a spreadsheet, out and in, for staff: the same columns, the same checks and the same service as
for a file that a command reads."""

from __future__ import annotations

import json
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from import_export.fields import Field
from import_export.resources import ModelResource

from shop_reco.tables.formulas import escaped, plain
from shop_reco.tables.writing import Writing

from .errors import ProductError
from .models import Product
from .rows import FIELDS, draft_of
from .services import upsert_products
from .writing import State

COLUMNS = (
    "sku", "title", "description", "category", "brand", "price", "currency", "stock", "visible", "parent", "attributes",
)  # fmt: skip


class ProductResource(ModelResource):
    """No cell that goes out is run by a spreadsheet, and what was added for that is taken off on the way in."""

    category = Field(column_name="category")
    brand = Field(column_name="brand")
    parent = Field(column_name="parent")
    visible = Field(column_name="visible")
    attributes = Field(column_name="attributes")

    class Meta:
        model = Product
        fields = COLUMNS
        export_order = COLUMNS
        import_id_fields = ("sku",)
        use_transactions = True
        skip_unchanged = False
        store_instance = False

    def get_queryset(self) -> QuerySet[Product]:
        return Product.objects.filter(deleted_at=None).select_related("category", "brand", "parent").order_by("sku")

    def dehydrate_category(self, product: Product) -> str:
        return product.category.path if product.category else ""

    def dehydrate_brand(self, product: Product) -> str:
        return product.brand.name if product.brand else ""

    def dehydrate_parent(self, product: Product) -> str:
        return product.parent.sku if product.parent else ""

    def dehydrate_visible(self, product: Product) -> str:
        return "true" if product.visible else "false"

    def dehydrate_attributes(self, product: Product) -> str:
        return json.dumps(product.attributes, ensure_ascii=False) if product.attributes else ""

    def export_field(self, field: Any, instance: Product, **kwargs: Any) -> Any:
        value = super().export_field(field, instance, **kwargs)
        return escaped(value) if isinstance(value, str) else value

    def before_import(self, dataset: Any, **kwargs: Any) -> None:
        unknown = sorted(set(dataset.headers or ()) - set(FIELDS))
        if unknown:
            raise ValidationError(f"unknown columns: {', '.join(map(str, unknown))}; known are {', '.join(COLUMNS)}")

    def import_instance(self, instance: Product, row: Any, **kwargs: Any) -> None:
        """Nothing: the service makes what it makes of the row."""

    def save_instance(self, instance: Product, is_create: bool, row: Any, **kwargs: Any) -> None:
        named = {name: plain(value) if isinstance(value, str) else value for name, value in row.items()}
        named = {name: None if value == "" else value for name, value in named.items()}
        try:
            draft = draft_of(named, named.keys(), Writing())
        except ProductError as error:
            raise ValidationError({error.field: error.message} if error.field in COLUMNS else str(error)) from None
        (outcome,) = upsert_products(rows=[draft])
        if outcome.state is State.REJECTED:
            raise ValidationError(f"{outcome.field} {outcome.message}")
        instance.__dict__.update(
            Product.objects.select_related("category", "brand", "parent").get(sku=draft.sku).__dict__
        )
