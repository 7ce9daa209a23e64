"""Which shops report here, what they delivered, and what their things are called in our catalogue."""

from __future__ import annotations

import secrets

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from shop_reco.products.models import Product


def make_key() -> str:
    """The part of the address that names a source; it cannot be guessed, and opens nothing by itself."""
    return secrets.token_hex(8)


class WebhookSource(models.Model):
    """A shop that reports by signed webhooks.

    Secrets are kept sealed (see ``sealing``): a signature can be checked only by whoever has the secret itself.
    During a rotation the previous one is taken too.
    """

    class Kind(models.TextChoices):
        GENERIC = "generic", _("Generic")
        SHOPIFY = "shopify", "Shopify"
        WOOCOMMERCE = "woocommerce", "WooCommerce"

    key = models.CharField(_("key"), max_length=32, unique=True, default=make_key, editable=False)
    name = models.CharField(_("name"), max_length=64, unique=True)
    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    secret = models.TextField(_("sealed secret"), editable=False)
    previous_secret = models.TextField(_("sealed previous secret"), blank=True, editable=False)
    rotated_at = models.DateTimeField(_("rotated at"), null=True, blank=True, editable=False)
    purposes = models.JSONField(
        _("consent it may claim"),
        default=list,
        blank=True,
        help_text=_("What the shop's customers allowed there. Empty: only shoppers who consented here are followed."),
    )
    currency = models.CharField(_("currency"), max_length=3, blank=True, help_text=_("Empty: the shop's."))
    time_zone = models.CharField(
        _("time zone"), max_length=64, blank=True, help_text=_("Of times that come without one. Empty: the shop's.")
    )
    prefix = models.CharField(
        _("prefix"),
        max_length=16,
        blank=True,
        help_text=_("Put before its customers' ids and made-up SKUs, where several shops report here."),
    )
    enabled = models.BooleanField(_("enabled"), default=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("webhook source")
        verbose_name_plural = _("webhook sources")
        constraints = [
            models.CheckConstraint(condition=~Q(secret=""), name="reco_webhook_source_has_a_secret"),
        ]

    def __str__(self) -> str:
        return self.name


class WebhookDelivery(models.Model):
    """One call of a source's address and what became of it.

    ``payload`` is kept of what failed after a good signature, less all that no mapping reads: no name, e-mail or
    address is among it. Of a refused call nothing of the body is kept.
    """

    class State(models.TextChoices):
        DONE = "done", pgettext_lazy("delivery", "Done")
        IGNORED = "ignored", pgettext_lazy("delivery", "Ignored")
        FAILED = "failed", pgettext_lazy("delivery", "Failed")
        REFUSED = "refused", pgettext_lazy("delivery", "Refused")

    source = models.ForeignKey(WebhookSource, models.CASCADE, verbose_name=_("source"), related_name="deliveries")
    delivery_id = models.CharField(_("delivery ID"), max_length=160, blank=True)
    topic = models.CharField(_("topic"), max_length=64, blank=True)
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.FAILED)
    code = models.CharField(_("code"), max_length=32, blank=True)
    why = models.CharField(_("why"), max_length=512, blank=True)
    report = models.JSONField(_("report"), default=dict)
    digest = models.CharField(_("digest of the body"), max_length=64, blank=True)
    payload = models.JSONField(_("payload"), null=True, blank=True)
    repeats = models.PositiveIntegerField(_("repeats"), default=0, help_text=_("Sent again after it was done."))
    received_at = models.DateTimeField(_("received at"), db_index=True)
    handled_at = models.DateTimeField(_("handled at"), null=True, blank=True)

    class Meta:
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        constraints = [
            # a forged call must not use up the id of a true one
            models.UniqueConstraint(
                fields=["source", "delivery_id"],
                condition=~Q(state="refused"),
                name="reco_webhook_delivery_once",
            ),
        ]
        indexes = [models.Index(fields=["source", "state", "received_at"], name="reco_webhook_delivery_by_state")]

    def __str__(self) -> str:
        return f"{self.topic} {self.delivery_id}"


class SourceItem(models.Model):
    """What a source calls a thing ("product:7", "variant:12", "inventory:44"), and which product that is here.

    ``said_at`` is the newest account of a product as a whole, ``deleted_at`` when the source deleted it, and
    ``levels`` what each of its stock rooms last reported: {location: [pieces, moment]}.
    """

    source = models.ForeignKey(WebhookSource, models.CASCADE, verbose_name=_("source"), related_name="+")
    name = models.CharField(_("name"), max_length=96)
    product = models.ForeignKey(
        Product, models.CASCADE, verbose_name=_("product"), null=True, blank=True, related_name="+"
    )
    owner = models.CharField(_("belongs to"), max_length=96, blank=True)
    said_at = models.DateTimeField(_("said at"), null=True, blank=True)
    deleted_at = models.DateTimeField(_("deleted at"), null=True, blank=True)
    levels = models.JSONField(_("stock by location"), default=dict)

    class Meta:
        verbose_name = _("source item")
        verbose_name_plural = _("source items")
        constraints = [models.UniqueConstraint(fields=["source", "name"], name="reco_source_item_once")]
        indexes = [models.Index(fields=["source", "owner"], name="reco_source_item_by_owner")]

    def __str__(self) -> str:
        return self.name
