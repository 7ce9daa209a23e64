"""The lists that were served, and what was said of them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from shop_reco.products.models import Product
from shop_reco.users.models import Shopper

from .recommenders import Recommender


class Slate(models.Model):
    """A list that was served: what, in which order, why, and by which versions."""

    class Rung(models.TextChoices):
        PERSONAL = "PERSONAL", _("Personal")
        LAST_GOOD = "LAST_GOOD", _("Last good version")
        POPULAR = "POPULAR", _("Popular now")
        NEWEST = "NEWEST", _("Newest")

    class ReasonKind(models.TextChoices):
        HISTORY_ITEM = "HISTORY_ITEM", _("History item")
        SIMILAR_SHOPPERS = "SIMILAR_SHOPPERS", _("Similar shoppers")
        FEATURE = "FEATURE", _("Feature")
        POPULAR = "POPULAR", _("Popular")
        REPEAT = "REPEAT", _("Repeat")
        REMAINDER = "REMAINDER", _("Remainder")
        RULE = "RULE", _("Rule")
        PINNED = "PINNED", _("Pinned interest")
        DISLIKE = "DISLIKE", _("Dislike")

    id = models.UUIDField(_("ID"), primary_key=True)
    shopper = models.ForeignKey(
        Shopper, models.CASCADE, verbose_name=_("shopper"), null=True, blank=True, related_name="+"
    )
    placement = models.CharField(_("placement"), max_length=64)
    rung = models.CharField(_("rung"), max_length=16, choices=Rung)
    items = models.JSONField(_("items"), help_text=_("Product, score, placed_by and reasons of each, best first."))
    earlier = models.JSONField(
        _("earlier products"), default=list, help_text=_("Products on the pages before this one.")
    )
    versions = models.JSONField(_("model versions"), default=dict)
    context = models.JSONField(_("context"), default=dict, help_text=_("What was asked: products, filter."))
    basis = models.JSONField(
        _("basis"), default=dict, help_text=_("What else the scores rest on; enough to compute them again.")
    )
    control = models.BooleanField(
        _("control"), default=False, help_text=_("Not personal on purpose, to measure what personal lists do.")
    )
    scored_at = models.FloatField(_("scored at"), null=True, blank=True, help_text=_("Unix seconds."))
    seed = models.BigIntegerField(_("seed"), default=0, help_text=_("Of what was tried."))
    served_at = models.DateTimeField(_("served at"), db_index=True)

    class Meta:
        verbose_name = _("slate")
        verbose_name_plural = _("slates")
        indexes = [models.Index(fields=["shopper", "-served_at"], name="reco_slate_by_shopper")]

    def __str__(self) -> str:
        return f"{self.placement} {self.id}"


class Feedback(models.Model):
    """What a shopper said about a recommended product; counts from the next list on."""

    class Kind(models.TextChoices):
        LIKE = "like", _("Like")
        DISLIKE = "dislike", _("Dislike")
        NOT_INTERESTED = "not_interested", _("Not interested")
        ALREADY_HAVE = "already_have", _("Already have it")
        WRONG_REASON = "wrong_reason", _("Wrong reason")

    class Review(models.TextChoices):
        OPEN = "open", _("Open")
        ACCEPTED = "accepted", _("Accepted")
        DISMISSED = "dismissed", _("Dismissed")

    shopper = models.ForeignKey(Shopper, models.CASCADE, verbose_name=_("shopper"), related_name="+")
    product = models.ForeignKey(Product, models.CASCADE, verbose_name=_("product"), related_name="+")
    slate_id = models.UUIDField(_("slate"), null=True, blank=True)
    placement = models.CharField(_("placement"), max_length=64, blank=True, help_text=_("Of the list that it answers."))
    rank = models.PositiveIntegerField(_("rank"), null=True, blank=True, help_text=_("In that list, from 1."))
    reason = models.CharField(
        _("foremost reason"), max_length=16, choices=Slate.ReasonKind, blank=True, help_text=_("That the list gave.")
    )
    recommender = models.CharField(
        _("recommender"),
        max_length=32,
        choices=Recommender.Kind,
        blank=True,
        help_text=_("That had most of the points there."),
    )
    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    disputed = models.JSONField(
        _("disputed reasons"),
        default=list,
        blank=True,
        help_text=_("Of a wrong reason, its kind; empty where the list is not known: then every kind."),
    )
    review = models.CharField(_("review"), max_length=12, choices=Review, default=Review.OPEN)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        verbose_name=_("reviewed by"),
        null=True,
        blank=True,
        related_name="+",
    )
    reviewed_at = models.DateTimeField(_("reviewed at"), null=True, blank=True)
    excluded = models.BooleanField(
        _("kept from the shopper"), default=False, help_text=_("Staff show this shopper the product no more.")
    )
    given_at = models.DateTimeField(_("given at"), auto_now_add=True)

    class Meta:
        verbose_name = _("feedback")
        verbose_name_plural = _("feedback")
        ordering = ["-given_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["shopper", "product", "kind"], name="reco_feedback_one_of_a_kind"),
        ]
        indexes = [
            models.Index(fields=["review", "-given_at", "-id"], name="reco_feedback_queue"),
            models.Index(fields=["-given_at", "-id"], name="reco_feedback_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.product}"

    @property
    def mark(self) -> str:
        """Tells whether anybody has decided on it since it was looked at."""
        return self.review if self.reviewed_at is None else f"{self.review}@{self.reviewed_at.timestamp():.6f}"

    @property
    def item_id(self) -> int:
        """What lists show of the product: its parent, where it is a variant."""
        return self.product.parent_id or self.product_id
