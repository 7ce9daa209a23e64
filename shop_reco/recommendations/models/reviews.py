"""What staff decided on feedback, one row a decision: what followed, and what was before, so that it can be undone."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from .placements import Rule
from .slates import Feedback


class Verdict(models.Model):
    """A decision on one piece of feedback. Those given together share a ticket; given twice, a ticket counts once."""

    class Act(models.TextChoices):
        ACCEPT = "accept", _("Accepted")
        DISMISS = "dismiss", _("Dismissed")
        REOPEN = "reopen", _("Opened again")
        EXCLUDE = "exclude", _("Kept from this shopper")
        HIDE = "hide", _("Hidden from all")
        SILENCE = "silence", _("Reason not told any more")

    feedback = models.ForeignKey(Feedback, models.CASCADE, verbose_name=_("feedback"), related_name="verdicts")
    ticket = models.UUIDField(_("ticket"), default=uuid.uuid4, db_index=True)
    act = models.CharField(_("act"), max_length=8, choices=Act)
    rule = models.ForeignKey(
        Rule, models.SET_NULL, verbose_name=_("rule"), null=True, blank=True, related_name="verdicts"
    )
    made_rule = models.BooleanField(_("made the rule"), default=False)
    was_review = models.CharField(_("review before"), max_length=12, choices=Feedback.Review)
    was_reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, verbose_name=_("reviewed by before"), null=True, blank=True,
        related_name="+",
    )  # fmt: skip
    was_reviewed_at = models.DateTimeField(_("reviewed at before"), null=True, blank=True)
    was_excluded = models.BooleanField(_("kept from the shopper before"), default=False)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, verbose_name=_("decided by"), null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(_("decided at"))
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, verbose_name=_("undone by"), null=True, blank=True, related_name="+"
    )
    undone_at = models.DateTimeField(_("undone at"), null=True, blank=True)

    class Meta:
        verbose_name = _("verdict")
        verbose_name_plural = _("verdicts")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["feedback", "ticket"], name="reco_verdict_one_a_ticket"),
        ]

    def __str__(self) -> str:
        return f"{self.get_act_display()}: {self.feedback}"
