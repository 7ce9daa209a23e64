"""What we believe of each shopper's tastes, and what they said about it."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from shop_reco.users.models import Shopper


class Portrait(models.Model):
    """Drawn from events alone; ``counts`` holds integers, which decay when read."""

    shopper = models.OneToOneField(Shopper, models.CASCADE, primary_key=True, related_name="portrait")
    counts = models.JSONField(default=dict)
    n_events = models.PositiveIntegerField(default=0)
    drawn_at = models.DateTimeField()

    class Meta:
        verbose_name = _("portrait")

    def __str__(self) -> str:
        return f"Portrait of {self.shopper}"


class PortraitEdit(models.Model):
    """What the shopper pinned or blocked; kept beside the portrait, never overwritten by drawing it."""

    class Action(models.TextChoices):
        PIN = "pin", _("Pinned")
        BLOCK = "block", _("Blocked")

    class Kind(models.TextChoices):
        CATEGORY = "category", _("Category")
        BRAND = "brand", _("Brand")
        KEYWORD = "keyword", _("Keyword")

    shopper = models.ForeignKey(Shopper, models.CASCADE, related_name="portrait_edits")
    action = models.CharField(max_length=8, choices=Action)
    kind = models.CharField(max_length=8, choices=Kind)
    key = models.CharField(max_length=512)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("portrait edit")
        constraints = [models.UniqueConstraint(fields=["shopper", "kind", "key"], name="reco_edit_one_a_key")]

    def __str__(self) -> str:
        return f"{self.action} {self.kind} {self.key}"
