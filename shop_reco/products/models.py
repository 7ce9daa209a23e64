"""The mirror of the shop's catalogue."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class Category(models.Model):
    """A node of the category tree; ``path`` names the way from the root, and is unique."""

    name = models.CharField(_("name"), max_length=128)
    parent = models.ForeignKey(
        "self", models.PROTECT, verbose_name=_("parent category"), null=True, blank=True, related_name="children"
    )
    path = models.CharField(
        _("path"), max_length=512, unique=True, help_text=_("Names from the root, joined by ' > '.")
    )
    slug = models.SlugField(_("slug"), max_length=128, unique=True, allow_unicode=True)
    sensitive = models.BooleanField(
        _("sensitive"), default=False, help_text=_("Never in portraits, reasons or neighbourhoods.")
    )

    class Meta:
        verbose_name = _("category")
        verbose_name_plural = _("categories")

    def __str__(self) -> str:
        return self.path


class Brand(models.Model):
    name = models.CharField(_("name"), max_length=128, unique=True)

    class Meta:
        verbose_name = _("brand")
        verbose_name_plural = _("brands")

    def __str__(self) -> str:
        return self.name


class Product(models.Model):
    """What the shop sells. A variant names its parent; lists show the parent, once.

    ``revision`` is the catalogue's count of changes when this row last changed; see CatalogueState.
    The clocks say when the source last spoke of a group of columns (see ``merging``), so that an older account
    never overwrites a newer one. A deleted product stays as a tombstone: its events keep their product, and a
    create older than ``deleted_at`` does not bring it back.
    """

    public_id = models.UUIDField(_("public ID"), default=uuid.uuid4, unique=True, editable=False)
    sku = models.CharField(_("SKU"), max_length=64, unique=True)
    parent = models.ForeignKey(
        "self", models.CASCADE, verbose_name=_("parent product"), null=True, blank=True, related_name="variants"
    )
    title = models.CharField(_("title"), max_length=256)
    description = models.TextField(_("description"), blank=True)
    category = models.ForeignKey(
        Category, models.PROTECT, verbose_name=_("category"), null=True, blank=True, related_name="products"
    )
    brand = models.ForeignKey(
        Brand, models.PROTECT, verbose_name=_("brand"), null=True, blank=True, related_name="products"
    )
    price = models.DecimalField(_("price"), max_digits=12, decimal_places=2, null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3)
    stock = models.PositiveIntegerField(
        _("stock"), null=True, blank=True, help_text=_("Empty: not counted, always in stock.")
    )
    visible = models.BooleanField(_("visible"), default=True)
    available_from = models.DateTimeField(_("available from"), null=True, blank=True)
    available_until = models.DateTimeField(_("available until"), null=True, blank=True)
    attributes = models.JSONField(_("attributes"), default=dict, blank=True)
    described_at = models.DateTimeField(_("described at"), null=True, blank=True, editable=False)
    priced_at = models.DateTimeField(_("priced at"), null=True, blank=True, editable=False)
    stocked_at = models.DateTimeField(_("stock said at"), null=True, blank=True, editable=False)
    listed_at = models.DateTimeField(_("shown or hidden at"), null=True, blank=True, editable=False)
    deleted_at = models.DateTimeField(
        _("deleted at"), null=True, blank=True, editable=False, help_text=_("Empty: not deleted.")
    )
    revision = models.PositiveBigIntegerField(_("revision"), default=0, db_index=True, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        constraints = [
            models.CheckConstraint(condition=~Q(sku=""), name="reco_product_sku_not_empty"),
            models.CheckConstraint(
                condition=Q(price__isnull=True) | Q(price__gte=0), name="reco_product_price_not_negative"
            ),
            models.CheckConstraint(condition=~Q(parent=F("id")), name="reco_product_not_its_own_variant"),
            models.CheckConstraint(
                condition=Q(available_from__isnull=True)
                | Q(available_until__isnull=True)
                | Q(available_from__lt=F("available_until")),
                name="reco_product_window_in_order",
            ),
        ]
        indexes = [
            models.Index(fields=["category", "id"], name="reco_product_by_category"),
            models.Index(fields=["title"], name="reco_product_by_title"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def open(self) -> bool:
        """Whether its own page may be seen, sold out or not."""
        return self.visible and self.deleted_at is None

    @property
    def told_title(self) -> str:
        """In the language of the request, where the row was read by ``selectors.told``; else the shop's own."""
        return getattr(self, "told_titles", None) or self.title

    @property
    def told_description(self) -> str:
        return getattr(self, "told_descriptions", None) or self.description


class ProductTranslation(models.Model):
    """What a product is called in another language than the shop's own, with a clock of its own."""

    product = models.ForeignKey(Product, models.CASCADE, verbose_name=_("product"), related_name="translations")
    language = models.CharField(_("language"), max_length=16, help_text=_("As in zh-hans, in lower case."))
    title = models.CharField(_("title"), max_length=256)
    description = models.TextField(_("description"), blank=True)
    keywords = models.CharField(_("keywords"), max_length=512, blank=True, help_text=_("Found by the search."))
    said_at = models.DateTimeField(_("said at"))

    class Meta:
        verbose_name = _("product translation")
        verbose_name_plural = _("product translations")
        constraints = [
            models.UniqueConstraint(fields=["product", "language"], name="reco_translation_one_a_language"),
            models.CheckConstraint(condition=~Q(title=""), name="reco_translation_title_not_empty"),
        ]

    def __str__(self) -> str:
        return f"{self.language}: {self.title}"


class CatalogueState(models.Model):
    """One row: how often the catalogue changed.

    Each catalogue write adds one within its own transaction, so that writers queue on this row and a
    reader who has seen revision n has seen every product whose revision is n or less.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    revision = models.PositiveBigIntegerField(default=0)

    class Meta:
        verbose_name = _("catalogue state")
        verbose_name_plural = _("catalogue states")
        constraints = [models.CheckConstraint(condition=Q(id=1), name="reco_catalogue_state_one_row")]
