"""Training runs: what was asked for, and how far it has come."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from shop_reco.users.models import Shopper

from .recommenders import Recommender


class TrainingRun(models.Model):
    """A request to train one recommender, with the lease of the worker that took it."""

    class State(models.TextChoices):
        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    class Phase(models.TextChoices):
        EXTRACTING = "extracting", _("Extracting")
        CLEANING = "cleaning", _("Cleaning")
        TRAINING = "training", _("Training")
        EVALUATING = "evaluating", _("Evaluating")
        PROMOTING = "promoting", _("Promoting")

    class Work(models.TextChoices):
        FULL = "full", _("Fit from scratch")
        UPDATE = "update", _("New events under the same recipe")
        ERASURE = "erasure", _("Fit without the shoppers who were erased")

    public_id = models.UUIDField(_("public ID"), default=uuid.uuid4, unique=True, editable=False)
    recommender = models.ForeignKey(Recommender, models.CASCADE, verbose_name=_("recommender"), related_name="runs")
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.QUEUED)
    work = models.CharField(_("work"), max_length=8, choices=Work, default=Work.FULL)
    phase = models.CharField(_("phase"), max_length=64, choices=Phase, blank=True)
    progress = models.FloatField(_("progress"), default=0.0, help_text=_("0 to 1."))
    loss = models.FloatField(_("loss"), null=True, blank=True, help_text=_("Of a network, the newest one."))
    log = models.TextField(_("log"), blank=True, help_text=_("The last lines of what it did."))
    resources = models.JSONField(
        _("resources"), default=dict, blank=True, help_text=_("Seconds of processor, peak memory in MB.")
    )
    why = models.TextField(_("why"), blank=True, help_text=_("Why it failed, was cancelled, or had nothing to do."))
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
        indexes = [models.Index(fields=["recommender", "-requested_at", "-id"], name="reco_run_lately")]
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
