"""Where lists go in the shop, and what merchandisers wish of them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from shop_reco.products.models import Brand, Category, Product

from .slates import Slate


class Placement(models.Model):
    """A named spot in the shop, and what kind of list goes there."""

    class Strategy(models.TextChoices):
        PERSONAL = "personal", _("Personal discovery")
        SIMILAR = "similar", _("Similar products")
        BOUGHT_TOGETHER = "bought_together", _("Bought together")
        BUY_AGAIN = "buy_again", _("Buy again")
        POPULAR = "popular", _("Popular now")
        TRENDING = "trending", _("Rising now")

    class Repeats(models.TextChoices):
        NEVER = "never", _("Never shown again")
        ALWAYS = "always", _("May be shown at once")
        AFTER = "after", _("May be shown after some days")

    class Fallback(models.TextChoices):
        POPULAR = "popular", _("What is popular, then the newest")
        NEWEST = "newest", _("The newest")
        NOTHING = "nothing", _("No list")

    key = models.SlugField(_("key"), max_length=64, primary_key=True)
    title = models.CharField(_("title"), max_length=128)
    strategy = models.CharField(_("strategy"), max_length=16, choices=Strategy)
    switched_off = models.JSONField(
        _("switched off here"), default=list, blank=True, help_text=_("Recommenders that take no part in these lists.")
    )
    size = models.PositiveSmallIntegerField(
        _("size"), null=True, blank=True, help_text=_("Most items of a page. Empty: as many as are asked for.")
    )
    diversity = models.FloatField(
        _("diversity"), default=0.0, help_text=_("0: by score alone, to 1: as unlike each other as the cost allows.")
    )
    diversity_cost = models.FloatField(
        _("cost of diversity"), default=0.05, help_text=_("Share of the list's score that it may give up, 0 to 1.")
    )
    reasons = models.PositiveSmallIntegerField(
        _("reasons"), default=5, help_text=_("Reasons an item gives; the rest is summed as other influences.")
    )
    repeats = models.CharField(_("what was bought before"), max_length=8, choices=Repeats, default=Repeats.NEVER)
    repeat_days = models.PositiveSmallIntegerField(
        _("days until it returns"), default=30, help_text=_("Since the purchase, where it may return after some days.")
    )
    fallback = models.CharField(
        _("where there is nothing personal"), max_length=8, choices=Fallback, default=Fallback.POPULAR
    )
    least_chance = models.FloatField(
        _("least chance"),
        default=0.0,
        help_text=_("0 to 1. What is less likely to be chosen is left out, the whole list if need be. 0: nothing is."),
    )
    exploration = models.FloatField(
        _("exploration"), default=0.0, help_text=_("Share of the places that try something less certain, 0 to 0.5.")
    )

    class Meta:
        verbose_name = _("placement")
        verbose_name_plural = _("placements")
        ordering = ["key"]
        constraints = [
            models.CheckConstraint(
                condition=Q(diversity__gte=0, diversity__lte=1, diversity_cost__gte=0, diversity_cost__lte=1),
                name="reco_placement_diversity_0_to_1",
            ),
            models.CheckConstraint(
                condition=Q(least_chance__gte=0, least_chance__lte=1), name="reco_placement_least_chance_0_to_1"
            ),
            models.CheckConstraint(
                condition=Q(exploration__gte=0, exploration__lte=0.5), name="reco_placement_exploration_0_to_half"
            ),
            models.CheckConstraint(condition=Q(size__isnull=True) | Q(size__gte=1), name="reco_placement_size_above_0"),
        ]

    def __str__(self) -> str:
        """What the shop calls it; a title that it came with, in the reader's language."""
        return gettext(self.title) if self.title else self.key


def _only(target: str) -> Q:
    """Exactly this is named, and no other target."""
    named = {
        "product": Q(product__isnull=False),
        "category": Q(category__isnull=False),
        "brand": Q(brand__isnull=False),
        "tag": ~Q(tag=""),
        "price": ~Q(price_min__isnull=True, price_max__isnull=True),
    }
    only = Q()
    for name, condition in named.items():
        only &= condition if name == target else ~condition
    return only


class Rule(models.Model):
    """A merchandiser's wish for one placement, or for all when it names none."""

    class Action(models.TextChoices):
        BOOST = "boost", _("Boost or bury by points")
        HIDE = "hide", _("Hide")
        PIN = "pin", _("Pin to a rank")
        SILENCE = "silence", _("Do not tell a reason")

    placement = models.ForeignKey(
        Placement, models.CASCADE, verbose_name=_("placement"), null=True, blank=True, related_name="rules"
    )
    action = models.CharField(_("action"), max_length=8, choices=Action)
    product = models.ForeignKey(
        Product, models.CASCADE, verbose_name=_("product"), null=True, blank=True, related_name="+"
    )
    category = models.ForeignKey(
        Category, models.CASCADE, verbose_name=_("category"), null=True, blank=True, related_name="+"
    )
    brand = models.ForeignKey(Brand, models.CASCADE, verbose_name=_("brand"), null=True, blank=True, related_name="+")
    tag = models.CharField(_("tag"), max_length=64, blank=True)
    price_min = models.DecimalField(_("price from"), max_digits=12, decimal_places=2, null=True, blank=True)
    price_max = models.DecimalField(_("price to"), max_digits=12, decimal_places=2, null=True, blank=True)
    points = models.FloatField(
        _("points"), default=0.0, help_text=_("Added to the score, which is about 1 at best; below zero buries.")
    )
    rank = models.PositiveSmallIntegerField(
        _("rank"), null=True, blank=True, help_text=_("Of a pinned product, from 1.")
    )
    reason = models.CharField(
        _("reason"),
        max_length=16,
        choices=Slate.ReasonKind,
        blank=True,
        help_text=_("That is not told of a product any more; the score stays."),
    )
    active = models.BooleanField(_("active"), default=True)
    starts_at = models.DateTimeField(_("starts at"), null=True, blank=True)
    ends_at = models.DateTimeField(_("ends at"), null=True, blank=True)

    class Meta:
        verbose_name = _("rule")
        verbose_name_plural = _("rules")
        constraints = [
            models.CheckConstraint(
                condition=_only("product") | _only("category") | _only("brand") | _only("tag") | _only("price"),
                name="reco_rule_names_one_target",
                violation_error_message=_("Name one product, category, brand or tag, or a range of prices."),
            ),
            models.CheckConstraint(
                condition=Q(starts_at__isnull=True) | Q(ends_at__isnull=True) | Q(starts_at__lt=models.F("ends_at")),
                name="reco_rule_window_in_order",
                violation_error_message=_("The end must come after the start."),
            ),
            models.CheckConstraint(
                condition=~Q(action="pin") | Q(product__isnull=False, rank__isnull=False, rank__gte=1),
                name="reco_rule_pin_has_rank",
                violation_error_message=_("To pin, name a product and a rank of 1 or more."),
            ),
            models.CheckConstraint(
                condition=(Q(action="silence") & Q(product__isnull=False) & ~Q(reason=""))
                | (~Q(action="silence") & Q(reason="")),
                name="reco_rule_silence_has_reason",
                violation_error_message=_("A reason goes with one product, and with not telling it."),
            ),
        ]

    def __str__(self) -> str:
        prices = f"{self.price_min or 0} - {self.price_max or '∞'}"
        action = (
            f"{self.get_action_display()} ({self.get_reason_display()})" if self.reason else self.get_action_display()
        )
        return f"{action}: {self.product or self.category or self.brand or self.tag or prices}"
