"""What shoppers did and what they answered to their lists, a day at a time: kept by shopper, and summed over them.

Beside them stand two counts that need nobody's consent and that no withdrawal changes, since they say what the shop
did and not what a shopper did: how its lists came about (ListCount), and which products it showed (ShownProduct).
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from shop_reco.products.models import Product
from shop_reco.users.models import Shopper

from .recommenders import Recommender
from .slates import Slate


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
    """A day (UTC), and when it was last counted; its row is the lock of the day's counts.

    ``events`` of ``shoppers`` who allow analytics happened on it. On the evening of the day ``shown`` products of the
    ``catalogue`` had been in a list of the last week.
    """

    day = models.DateField(_("day"), primary_key=True)
    counted_at = models.DateTimeField(_("counted at"), null=True, blank=True)
    events = models.PositiveIntegerField(_("events"), default=0)
    shoppers = models.PositiveIntegerField(_("shoppers"), default=0)
    shown = models.PositiveIntegerField(_("products shown"), null=True, blank=True)
    catalogue = models.PositiveIntegerField(_("products that may be shown"), null=True, blank=True)

    class Meta:
        verbose_name = _("counted day")
        verbose_name_plural = _("counted days")

    def __str__(self) -> str:
        return str(self.day)


class ShopperAnswers(models.Model):
    """What one shopper did on a day and answered to its lists: what the sums hold of them, and lose when they leave."""

    shopper = models.ForeignKey(Shopper, models.CASCADE, verbose_name=_("shopper"), related_name="+", db_index=False)
    day = models.DateField(_("day"), db_index=True)
    counts = models.JSONField(
        _("counts"),
        default=list,
        help_text=_("Lists, lists seen, clicks and purchases by placement, arm and recommender."),
    )
    events = models.PositiveIntegerField(_("events"), default=0)

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


class ListCount(models.Model):
    """How many lists of a day came about how: of all that were served, to strangers too.

    It says how the shop's own ladder did. Nobody is known from it, as it is not told of fewer than five shoppers.
    """

    day = models.DateField(_("day"))
    placement = models.CharField(_("placement"), max_length=64)
    rung = models.CharField(_("rung"), max_length=16, choices=Slate.Rung)
    lists = models.PositiveIntegerField(_("lists"))
    shoppers = models.PositiveIntegerField(_("shoppers"), help_text=_("Those who are known; a stranger is not."))

    class Meta:
        verbose_name = _("count of lists")
        verbose_name_plural = _("counts of lists")
        constraints = [
            models.UniqueConstraint(fields=["day", "placement", "rung"], name="reco_list_count_one_of_a_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.placement} {self.rung}"


class ShownProduct(models.Model):
    """The last day on which a product was in a list, whoever asked for that."""

    product = models.OneToOneField(
        Product, models.CASCADE, verbose_name=_("product"), primary_key=True, related_name="+"
    )
    day = models.DateField(_("day"), db_index=True)

    class Meta:
        verbose_name = _("shown product")
        verbose_name_plural = _("shown products")

    def __str__(self) -> str:
        return f"{self.product_id} {self.day}"
