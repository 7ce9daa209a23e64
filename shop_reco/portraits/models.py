"""What we believe of each shopper's tastes, and what they said about it."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from shop_reco.users.models import Shopper


class Portrait(models.Model):
    """Drawn from events alone; ``counts`` holds integers, which decay when read."""

    class Segment(models.TextChoices):
        NEW = "new", pgettext_lazy("segment", "New")
        LOYAL = "loyal", pgettext_lazy("segment", "Loyal")
        REGULAR = "regular", pgettext_lazy("segment", "Regular")
        LAPSING = "lapsing", pgettext_lazy("segment", "Lapsing")
        GONE = "gone", pgettext_lazy("segment", "Gone")

    shopper = models.OneToOneField(
        Shopper, models.CASCADE, verbose_name=_("shopper"), primary_key=True, related_name="portrait"
    )
    counts = models.JSONField(_("counts"), default=dict)
    n_events = models.PositiveIntegerField(_("number of events"), default=0)
    drawn_at = models.DateTimeField(_("drawn at"))

    class Meta:
        verbose_name = _("portrait")
        verbose_name_plural = _("portraits")

    def __str__(self) -> str:
        return gettext("Portrait of %(shopper)s") % {"shopper": self.shopper}


class PortraitEdit(models.Model):
    """What the shopper pinned or blocked; kept beside the portrait, never overwritten by drawing it."""

    class Action(models.TextChoices):
        PIN = "pin", _("Pinned")
        BLOCK = "block", _("Blocked")

    class Kind(models.TextChoices):
        CATEGORY = "category", _("Category")
        BRAND = "brand", _("Brand")
        KEYWORD = "keyword", _("Keyword")

    shopper = models.ForeignKey(Shopper, models.CASCADE, verbose_name=_("shopper"), related_name="portrait_edits")
    action = models.CharField(_("action"), max_length=8, choices=Action)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    key = models.CharField(_("interest"), max_length=512)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("portrait edit")
        verbose_name_plural = _("portrait edits")
        constraints = [models.UniqueConstraint(fields=["shopper", "kind", "key"], name="reco_edit_one_a_key")]

    def __str__(self) -> str:
        return f"{self.get_action_display()}: {self.key}"
