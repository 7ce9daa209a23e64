"""What shoppers did, as the shop reported it: the source of truth for behaviour."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from shop_reco.products.models import Product
from shop_reco.users.models import Shopper


class Sender(models.TextChoices):
    """Who reports: a browser may not say what only the shop knows."""

    BROWSER = "browser", _("Browser")
    SERVER = "server", _("The shop's server")


class Event(models.Model):
    """One thing a shopper did. Inserted, deleted by erasure and retention, never updated.

    ``digest`` tells the same event sent twice (a duplicate) from another one under the same id (a conflict).
    """

    class Type(models.TextChoices):
        VIEW_ITEM = "view_item", _("View")
        VIEW_ITEM_LIST = "view_item_list", _("View of a list")
        SELECT_ITEM = "select_item", _("Click in a list")
        ADD_TO_CART = "add_to_cart", _("Add to cart")
        REMOVE_FROM_CART = "remove_from_cart", _("Remove from cart")
        ADD_TO_WISHLIST = "add_to_wishlist", _("Add to wish list")
        PURCHASE = "purchase", _("Purchase")
        REFUND = "refund", _("Refund")
        SEARCH = "search", _("Search")
        RATE = "rate", _("Rating")
        REVIEW = "review", _("Review")

    class Channel(models.TextChoices):
        WEB = "web", _("Web")
        APP = "app", _("App")
        STORE = "store", _("Store")
        LIVE = "live", pgettext_lazy("channel", "Live")
        SOCIAL = "social", _("Social")

    id = models.UUIDField(_("ID"), primary_key=True, help_text=_("Made by the client; sending it twice counts once."))
    shopper = models.ForeignKey(Shopper, models.CASCADE, verbose_name=_("shopper"), related_name="+", db_index=False)
    type = models.CharField(_("type"), max_length=16, choices=Type)
    product = models.ForeignKey(
        Product, models.CASCADE, verbose_name=_("product"), null=True, blank=True, related_name="+"
    )
    occurred_at = models.DateTimeField(_("occurred at"))
    received_at = models.DateTimeField(_("received at"))
    clock_skewed = models.BooleanField(
        _("clock skewed"), default=False, help_text=_("The client's clock was ahead; dated by the server.")
    )
    channel = models.CharField(_("channel"), max_length=8, choices=Channel, default=Channel.WEB)
    order = models.CharField(_("order"), max_length=64, blank=True)
    quantity = models.PositiveIntegerField(_("quantity"), default=1)
    price = models.DecimalField(
        _("price"), max_digits=12, decimal_places=2, null=True, blank=True, help_text=_("Of one piece.")
    )
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    rating = models.FloatField(_("rating"), null=True, blank=True, help_text=_("1 to 5."))
    text = models.TextField(_("text"), blank=True)
    query = models.CharField(_("query"), max_length=256, blank=True)
    slate_id = models.UUIDField(_("slate"), null=True, blank=True, help_text=_("The list that it answers."))
    digest = models.CharField(_("digest"), max_length=32)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        constraints = [
            models.CheckConstraint(condition=Q(quantity__gt=0), name="reco_event_quantity_above_zero"),
            models.CheckConstraint(
                condition=Q(price__isnull=True) | Q(price__gte=0), name="reco_event_price_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(rating__isnull=True) | Q(rating__gte=1, rating__lte=5), name="reco_event_rating_1_to_5"
            ),
            models.CheckConstraint(
                condition=Q(type__in=["search", "view_item_list"]) | Q(product__isnull=False),
                name="reco_event_names_its_product",
            ),
        ]
        indexes = [
            models.Index(
                fields=["shopper", "-occurred_at", "-id", "product", "type", "quantity"], name="reco_event_history"
            ),
            models.Index(fields=["occurred_at", "id"], name="reco_event_by_day"),
        ]

    def __str__(self) -> str:
        return f"{self.get_type_display()} {self.id}"


class RejectedEvent(models.Model):
    """A malformed event, kept as it came with why, to be replayed after a fix as its sender might send it."""

    payload = models.JSONField(_("payload"))
    code = models.CharField(_("code"), max_length=32)
    message = models.CharField(_("message"), max_length=512)
    sender = models.CharField(_("sender"), max_length=8, choices=Sender, default=Sender.BROWSER)
    shopper = models.ForeignKey(
        Shopper, models.CASCADE, verbose_name=_("shopper"), null=True, blank=True, related_name="+", db_index=False
    )
    received_at = models.DateTimeField(_("received at"))
    replayed_at = models.DateTimeField(_("replayed at"), null=True, blank=True)

    class Meta:
        verbose_name = _("rejected event")
        verbose_name_plural = _("rejected events")
        indexes = [
            models.Index(fields=["shopper", "received_at"], name="reco_rejected_lately"),
            models.Index(fields=["received_at"], name="reco_rejected_by_day"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.received_at:%Y-%m-%d %H:%M}"


class DirtyShopper(models.Model):
    """A shopper with events newer than what was drawn of them; marked in the event's own transaction.

    ``marks`` tells a mark made while a portrait was drawn from the one that drawing answers.
    """

    shopper = models.OneToOneField(Shopper, models.CASCADE, primary_key=True, related_name="+")
    marks = models.PositiveBigIntegerField(default=1)

    class Meta:
        verbose_name = _("dirty shopper")
        verbose_name_plural = _("dirty shoppers")


class ShopperFlag(models.Model):
    """Why a shopper's events are kept out of training, until staff clear it.

    ``evidence_key`` names the evidence: what was cleared once is not raised again for the same.
    """

    class Rule(models.TextChoices):
        BOTS = "bots", _("Faster than a person")
        HAMMERING = "hammering", _("One of many new shoppers on one product")

    shopper = models.ForeignKey(Shopper, models.CASCADE, verbose_name=_("shopper"), related_name="+")
    rule = models.CharField(_("rule"), max_length=16, choices=Rule)
    evidence_key = models.CharField(_("evidence key"), max_length=64, editable=False)
    evidence = models.JSONField(_("evidence"), default=dict)
    raised_at = models.DateTimeField(_("raised at"), auto_now_add=True)
    cleared_at = models.DateTimeField(_("cleared at"), null=True, blank=True)
    cleared_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, verbose_name=_("cleared by"), null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("flag")
        verbose_name_plural = _("flags")
        constraints = [
            models.UniqueConstraint(fields=["shopper", "rule", "evidence_key"], name="reco_flag_once_for_its_evidence"),
            models.UniqueConstraint(
                fields=["shopper", "rule"], condition=Q(cleared_at__isnull=True), name="reco_flag_one_in_force"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_rule_display()}: {self.shopper}"


class DataImport(models.Model):
    """A data set that was imported, and by how much its times were moved."""

    source = models.CharField(_("source"), max_length=64, unique=True)
    shift_weeks = models.IntegerField(_("weeks shifted"), default=0)
    report = models.JSONField(_("report"), default=dict)
    started_at = models.DateTimeField(_("started at"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    class Meta:
        verbose_name = _("data import")
        verbose_name_plural = _("data imports")

    def __str__(self) -> str:
        return self.source


class StreamPosition(models.Model):
    """How far a partition of a stream has been read: written in the transaction of the events themselves.

    ``end_offset`` is where the partition ended when it was last looked at.
    """

    source = models.CharField(_("source"), max_length=40)
    topic = models.CharField(_("topic"), max_length=249)
    partition = models.PositiveIntegerField(_("partition"))
    next_offset = models.PositiveBigIntegerField(_("next offset"))
    end_offset = models.PositiveBigIntegerField(_("end of the partition"), default=0)
    new = models.PositiveBigIntegerField(_("new events"), default=0)
    duplicates = models.PositiveBigIntegerField(_("stored before"), default=0)
    rejected = models.PositiveBigIntegerField(_("rejected"), default=0)
    seen_at = models.DateTimeField(_("last looked at"))

    class Meta:
        verbose_name = _("position in a stream")
        verbose_name_plural = _("positions in streams")
        constraints = [
            models.UniqueConstraint(fields=["source", "topic", "partition"], name="reco_stream_position_once"),
        ]

    def __str__(self) -> str:
        return f"{self.topic}[{self.partition}] {self.next_offset}"
