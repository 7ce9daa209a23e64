"""The recommenders of the shelf, and the count of what changed in serving."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class ServingState(models.Model):
    """One row: how often anything changed that serving keeps in memory; each process compares it per request."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    revision = models.PositiveBigIntegerField(default=0)

    class Meta:
        verbose_name = _("serving state")
        verbose_name_plural = _("serving states")
        constraints = [models.CheckConstraint(condition=Q(id=1), name="reco_serving_state_one_row")]


class Recommender(models.Model):
    """A recommender of the engine's shelf, switched on or off by staff."""

    class Kind(models.TextChoices):
        POPULARITY = "popularity", _("Popularity")
        TRENDING = "trending", _("Trending")
        ITEM_CF = "item_cf", _("Item-based CF")
        USER_CF = "user_cf", _("User-based CF")
        CONTENT = "content", _("Content-based")
        BUY_AGAIN = "buy_again", _("Buy again")
        BEHAVIOUR_MLP = "behaviour_mlp", _("Behaviour MLP")
        CONTENT_MLP = "content_mlp", _("Content MLP")
        HYBRID = "hybrid", _("Hybrid")

    kind = models.CharField(_("kind"), max_length=32, primary_key=True, choices=Kind)
    enabled = models.BooleanField(_("enabled"), default=True)
    changed_at = models.DateTimeField(_("changed at"), auto_now=True)

    class Meta:
        verbose_name = _("recommender")
        verbose_name_plural = _("recommenders")
        ordering = ["kind"]

    def __str__(self) -> str:
        return self.get_kind_display()
