"""What shoppers answered to their lists, a day of lists at a time: kept by shopper, and summed over them."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from shop_reco.users.models import Shopper

from .recommenders import Recommender


class Arm(models.TextChoices):
    """On which side of the comparison a list was served."""

    PERSONAL = "personal", _("Personal")
    CONTROL = "control", _("Control share")
    OTHER = "other", _("Not compared")


class Credited(models.TextChoices):
    """Who earns an answer where no recommender does."""

    RULE = "rule", _("Rule")
    PINNED = "pinned", _("Pinned interest")
    OTHER = "other", _("Other influences")


class CountedDay(models.Model):
    """A day (UTC) of lists, and when its answers were last counted; its row is the lock of the day's counts."""

    day = models.DateField(_("day"), primary_key=True)
    counted_at = models.DateTimeField(_("counted at"), null=True, blank=True)

    class Meta:
        verbose_name = _("counted day")
        verbose_name_plural = _("counted days")

    def __str__(self) -> str:
        return str(self.day)


class ShopperAnswers(models.Model):
    """What one shopper answered to their lists of a day: what the sums hold of them, and lose when they leave."""

    shopper = models.ForeignKey(Shopper, models.CASCADE, verbose_name=_("shopper"), related_name="+", db_index=False)
    day = models.DateField(_("day"), db_index=True)
    counts = models.JSONField(
        _("counts"),
        default=list,
        help_text=_("Lists, lists seen, clicks and purchases by placement, arm and recommender."),
    )

    class Meta:
        verbose_name = _("answers of a shopper")
        verbose_name_plural = _("answers of shoppers")
        constraints = [models.UniqueConstraint(fields=["shopper", "day"], name="reco_answers_one_a_shopper_and_day")]

    def __str__(self) -> str:
        return f"{self.shopper} {self.day}"


class AnswerCount(models.Model):
    """What the lists of one day, placement, arm and recommender led to, over all shoppers who allow analytics.

    No recommender is the whole list; the recommenders' rows split it, and sum to it. ``groups`` has the same four
    counts for each random group of shoppers: what an interval over shoppers follows from, over any days.
    """

    day = models.DateField(_("day"))
    placement = models.CharField(_("placement"), max_length=64)
    arm = models.CharField(_("arm"), max_length=8, choices=Arm)
    recommender = models.CharField(
        _("recommender"), max_length=32, blank=True, choices=[*Recommender.Kind.choices, *Credited.choices]
    )
    shoppers = models.PositiveIntegerField(_("shoppers"))
    lists = models.FloatField(_("lists"))
    impressions = models.FloatField(_("lists seen"))
    clicks = models.FloatField(_("clicks"))
    purchases = models.FloatField(_("purchases"))
    groups = models.JSONField(_("groups"), default=dict)

    class Meta:
        verbose_name = _("count of answers")
        verbose_name_plural = _("counts of answers")
        constraints = [
            models.UniqueConstraint(
                fields=["day", "placement", "arm", "recommender"], name="reco_answer_count_one_of_a_kind"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.placement} {self.arm} {self.recommender}"
