"""Recommenders and their versions, training runs, placements and rules, the lists served and what was said of them."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from shop_reco.products.models import Brand, Category, Product
from shop_reco.users.models import Shopper


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


class TrainingRun(models.Model):
    """A request to train one recommender, with the lease of the worker that took it."""

    class State(models.TextChoices):
        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    class Phase(models.TextChoices):
        LOADING = "loading", _("Loading")
        FITTING = "fitting", _("Fitting")
        CHECKING = "checking", _("Checking")

    public_id = models.UUIDField(_("public ID"), default=uuid.uuid4, unique=True, editable=False)
    recommender = models.ForeignKey(Recommender, models.CASCADE, verbose_name=_("recommender"), related_name="runs")
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.QUEUED)
    phase = models.CharField(_("phase"), max_length=64, choices=Phase, blank=True)
    progress = models.FloatField(_("progress"), default=0.0, help_text=_("0 to 1."))
    why = models.TextField(_("why"), blank=True, help_text=_("Why it failed or was cancelled."))
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    cleaning = models.JSONField(
        _("cleaning"),
        default=dict,
        blank=True,
        help_text=_("What was not learnt from, by rule; see the events' cleaning."),
    )
    owner = models.UUIDField(_("owner"), null=True, blank=True)
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        verbose_name=_("requested by"),
        null=True,
        blank=True,
        related_name="+",
    )
    ticket = models.CharField(
        _("ticket"),
        max_length=64,
        blank=True,
        help_text=_("The message that asked for it; delivered again, it asks for nothing."),
    )
    requested_at = models.DateTimeField(_("requested at"), auto_now_add=True)
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    class Meta:
        verbose_name = _("training run")
        verbose_name_plural = _("training runs")
        ordering = ["-requested_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["recommender"], condition=Q(state__in=["queued", "running"]), name="reco_run_one_at_a_time"
            ),
            models.UniqueConstraint(
                fields=["recommender", "ticket"], condition=~Q(ticket=""), name="reco_run_one_a_ticket"
            ),
            models.CheckConstraint(condition=Q(progress__gte=0, progress__lte=1), name="reco_run_progress_0_to_1"),
        ]

    def __str__(self) -> str:
        return f"{Recommender(kind=self.recommender_id)}: {self.get_state_display()}"


class CleaningExample(models.Model):
    """An event that a run's report gives as an example, and whose it is: how an erasure finds the report.

    The event itself may be folded and gone by then.
    """

    run = models.ForeignKey(TrainingRun, models.CASCADE, verbose_name=_("training run"), related_name="examples")
    shopper = models.ForeignKey(Shopper, models.CASCADE, verbose_name=_("shopper"), related_name="+")
    event = models.UUIDField(_("event"))

    class Meta:
        verbose_name = _("example of a cleaning report")
        verbose_name_plural = _("examples of cleaning reports")
        constraints = [models.UniqueConstraint(fields=["run", "event"], name="reco_example_once_a_run")]

    def __str__(self) -> str:
        return str(self.event)


class ModelVersion(models.Model):
    """One recommender's trained state: where its artifact lies and what it is worth."""

    class State(models.TextChoices):
        CANDIDATE = "candidate", _("Candidate")
        LIVE = "live", pgettext_lazy("model version", "Live")
        RETIRED = "retired", _("Retired")
        REJECTED = "rejected", _("Rejected")

    public_id = models.UUIDField(
        _("public ID"), default=uuid.uuid4, unique=True, editable=False, help_text=_("Names its folder.")
    )
    recommender = models.ForeignKey(Recommender, models.CASCADE, verbose_name=_("recommender"), related_name="versions")
    run = models.OneToOneField(
        TrainingRun, models.SET_NULL, verbose_name=_("training run"), null=True, blank=True, related_name="version"
    )
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.CANDIDATE)
    manifest_sha256 = models.CharField(_("manifest SHA-256"), max_length=64)
    size = models.PositiveBigIntegerField(_("size"), help_text=_("Bytes on disk."))
    figures = models.JSONField(_("figures"), default=dict, help_text=_("What was measured: rows, seconds, checks."))
    watermark = models.DateTimeField(
        _("watermark"), null=True, blank=True, help_text=_("Newest event that it has seen.")
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    promoted_at = models.DateTimeField(_("promoted at"), null=True, blank=True)

    class Meta:
        verbose_name = _("model version")
        verbose_name_plural = _("model versions")
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["recommender"], condition=Q(state="live"), name="reco_version_one_live_a_recommender"
            ),
        ]

    def __str__(self) -> str:
        return f"{Recommender(kind=self.recommender_id)} {self.public_id.hex[:8]}"


class ErasedRow(models.Model):
    """The number of a shopper who was erased, until no version is left that stores their row.

    It is an internal number that no other row has; a version's rows under such a number count nothing.
    """

    shopper_id = models.BigIntegerField(primary_key=True)
    erased_at = models.DateTimeField()

    class Meta:
        verbose_name = _("erased row")
        verbose_name_plural = _("erased rows")


class Placement(models.Model):
    """A named spot in the shop, and what kind of list goes there."""

    class Strategy(models.TextChoices):
        PERSONAL = "personal", _("Personal discovery")
        SIMILAR = "similar", _("Similar products")
        BOUGHT_TOGETHER = "bought_together", _("Bought together")
        BUY_AGAIN = "buy_again", _("Buy again")
        POPULAR = "popular", _("Popular now")

    key = models.SlugField(_("key"), max_length=64, primary_key=True)
    title = models.CharField(_("title"), max_length=128)
    strategy = models.CharField(_("strategy"), max_length=16, choices=Strategy)

    class Meta:
        verbose_name = _("placement")
        verbose_name_plural = _("placements")
        ordering = ["key"]

    def __str__(self) -> str:
        return self.title


class Rule(models.Model):
    """A merchandiser's wish for one placement, or for all when it names none."""

    class Action(models.TextChoices):
        BOOST = "boost", _("Boost or bury by points")
        HIDE = "hide", _("Hide")
        PIN = "pin", _("Pin to a rank")

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
    points = models.FloatField(
        _("points"), default=0.0, help_text=_("Added to the score, which is about 1 at best; below zero buries.")
    )
    rank = models.PositiveSmallIntegerField(
        _("rank"), null=True, blank=True, help_text=_("Of a pinned product, from 1.")
    )
    active = models.BooleanField(_("active"), default=True)
    starts_at = models.DateTimeField(_("starts at"), null=True, blank=True)
    ends_at = models.DateTimeField(_("ends at"), null=True, blank=True)

    class Meta:
        verbose_name = _("rule")
        verbose_name_plural = _("rules")
        constraints = [
            models.CheckConstraint(
                condition=Q(product__isnull=False, category__isnull=True, brand__isnull=True)
                | Q(product__isnull=True, category__isnull=False, brand__isnull=True)
                | Q(product__isnull=True, category__isnull=True, brand__isnull=False),
                name="reco_rule_names_one_target",
                violation_error_message=_("Name one product, one category or one brand."),
            ),
            models.CheckConstraint(
                condition=~Q(action="pin") | Q(product__isnull=False, rank__isnull=False, rank__gte=1),
                name="reco_rule_pin_has_rank",
                violation_error_message=_("To pin, name a product and a rank of 1 or more."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_action_display()}: {self.product or self.category or self.brand}"


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
    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
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
    given_at = models.DateTimeField(_("given at"), auto_now_add=True)

    class Meta:
        verbose_name = _("feedback")
        verbose_name_plural = _("feedback")
        ordering = ["-given_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["shopper", "product", "kind"], name="reco_feedback_one_of_a_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.product}"
