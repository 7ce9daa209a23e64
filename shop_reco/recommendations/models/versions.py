"""Model versions: what was learnt, which serves, and how each came to."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from .recommenders import Recommender
from .runs import TrainingRun


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
    recipe = models.JSONField(
        _("recipe"), default=dict, blank=True, help_text=_("Settings that fit it again, those found included.")
    )
    gate = models.JSONField(
        _("gate"),
        default=dict,
        blank=True,
        help_text=_("How it compared with the live version."),
    )
    watermark = models.DateTimeField(
        _("watermark"), null=True, blank=True, help_text=_("Newest event that it has seen.")
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    promoted_at = models.DateTimeField(_("promoted at"), null=True, blank=True)
    pruned_at = models.DateTimeField(
        _("pruned at"), null=True, blank=True, help_text=_("When its artifact was deleted; it cannot serve since.")
    )

    class Meta:
        verbose_name = _("model version")
        verbose_name_plural = _("model versions")
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["recommender"], condition=Q(state="live"), name="reco_version_one_live_a_recommender"
            ),
            models.CheckConstraint(
                condition=~Q(state="live") | Q(pruned_at__isnull=True), name="reco_version_live_has_its_artifact"
            ),
        ]

    def __str__(self) -> str:
        return f"{Recommender(kind=self.recommender_id)} {self.public_id.hex[:8]}"


class Promotion(models.Model):
    """A version went live, or was refused: by whom, and why. Kept for good, as the history of what served."""

    class By(models.TextChoices):
        GATE = "gate", _("The gate")
        CHECKS = "checks", _("The checks of the artifact")
        STAFF = "staff", _("Staff")
        ROLL_BACK = "roll_back", _("A way back")

    version = models.ForeignKey(
        ModelVersion, models.CASCADE, verbose_name=_("model version"), related_name="promotions"
    )
    replaced = models.ForeignKey(
        ModelVersion, models.SET_NULL, verbose_name=_("replaced"), null=True, blank=True, related_name="+"
    )
    went_live = models.BooleanField(_("went live"))
    decided_by = models.CharField(_("decided by"), max_length=12, choices=By)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, verbose_name=_("person"), null=True, blank=True, related_name="+"
    )
    why = models.TextField(_("why"), blank=True)
    decided_at = models.DateTimeField(_("decided at"), db_index=True)

    class Meta:
        verbose_name = _("promotion")
        verbose_name_plural = _("promotions")
        ordering = ["-decided_at", "-id"]

    def __str__(self) -> str:
        return f"{self.version}: {self.get_decided_by_display()}"


class ErasedRow(models.Model):
    """The number of a shopper who was erased, until no version is left that stores their row.

    It is an internal number that no other row has; a version's rows under such a number count nothing.
    """

    shopper_id = models.BigIntegerField(primary_key=True)
    erased_at = models.DateTimeField()
    learnt = models.BooleanField(default=True, help_text=_("Whether some version may have learnt from them."))

    class Meta:
        verbose_name = _("erased row")
        verbose_name_plural = _("erased rows")
