"""What we believe of each shopper's tastes, what it is drawn from, and what they said about it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from shop_reco.users.models import Shopper


class Portrait(models.Model):
    """Drawn from events and folded days alone; ``counts`` holds integers, which decay when read.

    ``summary`` is the little of it that groups of shoppers are found by: integers, and the paths of the
    strongest categories.
    """

    class Segment(models.TextChoices):
        """What a shopper is called by fixed rules, where there are too few to find groups among."""

        NEW = "new", pgettext_lazy("segment", "New")
        LOYAL = "loyal", pgettext_lazy("segment", "Loyal")
        REGULAR = "regular", pgettext_lazy("segment", "Regular")
        LAPSING = "lapsing", pgettext_lazy("segment", "Lapsing")
        GONE = "gone", pgettext_lazy("segment", "Gone")

    shopper = models.OneToOneField(
        Shopper, models.CASCADE, verbose_name=_("shopper"), primary_key=True, related_name="portrait"
    )
    counts = models.JSONField(_("counts"), default=dict)
    summary = models.JSONField(_("summary"), default=dict)
    time_zone = models.CharField(
        _("time zone"), max_length=64, default="UTC", help_text=_("Whose days and hours the counts are.")
    )
    n_events = models.PositiveIntegerField(_("number of events"), default=0)
    drawn_at = models.DateTimeField(_("drawn at"))

    class Meta:
        verbose_name = _("portrait")
        verbose_name_plural = _("portraits")

    def __str__(self) -> str:
        return gettext("Portrait of %(shopper)s") % {"shopper": self.shopper}


class FoldedDay(models.Model):
    """What a shopper's events of one day (UTC) count in a portrait; the events themselves are deleted.

    ``counts`` holds integers by quarter of an hour, category and name: whatever time zone a portrait is drawn
    in, and whatever may be told by then, it comes out as the events would have it.
    """

    shopper = models.ForeignKey(Shopper, models.CASCADE, verbose_name=_("shopper"), related_name="+")
    day = models.DateField(_("day"))
    counts = models.JSONField(_("counts"))
    n_events = models.PositiveIntegerField(_("number of events"))

    class Meta:
        verbose_name = _("folded day")
        verbose_name_plural = _("folded days")
        constraints = [
            models.UniqueConstraint(fields=["shopper", "day"], name="reco_folded_one_a_day"),
            models.CheckConstraint(condition=Q(n_events__gt=0), name="reco_folded_of_something"),
        ]

    def __str__(self) -> str:
        return f"{self.shopper} {self.day}"


class PortraitEdit(models.Model):
    """What the shopper pinned, blocked or hid; kept beside the portrait, never overwritten by drawing it.

    Pinned: more of it. Blocked: none of it. Hidden: the portrait does not show it and lists do not follow from
    it, which is no dislike: what others like may still be recommended.
    """

    class Action(models.TextChoices):
        PIN = "pin", _("Pinned")
        BLOCK = "block", _("Blocked")
        HIDE = "hide", _("Hidden")

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


class SilenceChange(models.Model):
    """Categories of which something else may be told than before, until all whose portraits knew them are marked.

    What is read of a portrait minds it at once; this is for drawing them anew.
    """

    category_ids = models.JSONField(_("categories"))
    marked_up_to = models.BigIntegerField(
        _("marked up to"), default=0, help_text=_("Shoppers are marked in the order of their keys.")
    )

    class Meta:
        verbose_name = _("change of what may be told")
        verbose_name_plural = _("changes of what may be told")


class Segmentation(models.Model):
    """Groups of shoppers as they were found one night; ``content`` has their centres, names, sizes and tastes.

    It names no shopper: whose group is whose is worked out from the centres when it is asked for.
    """

    class Part(models.TextChoices):
        """What the name of a group is made of."""

        LATELY = "lately", _("bought lately")
        AWAY = "away", _("away for long")
        SELDOM = "seldom", _("buys seldom")
        OFTEN = "often", _("buys often")
        LITTLE_MONEY = "little_money", _("spends little")
        MUCH_MONEY = "much_money", _("spends much")
        SMALL_BASKETS = "small_baskets", _("small baskets")
        BIG_BASKETS = "big_baskets", _("big baskets")
        TYPICAL = "typical", _("much like most")

    fitted_at = models.DateTimeField(_("found at"), auto_now_add=True)
    n_shoppers = models.PositiveIntegerField(_("shoppers"))
    content = models.JSONField(_("groups"))
    live = models.BooleanField(_("in use"), default=True)

    class Meta:
        verbose_name = _("segmentation")
        verbose_name_plural = _("segmentations")
        constraints = [
            models.UniqueConstraint(fields=["live"], condition=Q(live=True), name="reco_segmentation_one_live")
        ]

    def __str__(self) -> str:
        return f"{self.fitted_at:%Y-%m-%d}: {self.n_shoppers}"
