"""Who works here: the roles that staff may have."""

from __future__ import annotations

from django.contrib.auth.models import Group
from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.Model):
    """A role of staff, and the group of Django's that carries it; ``roles.py`` says what each may do.

    ``given`` remembers what the group was given once: what the shop took from it stays taken.
    """

    class Kind(models.TextChoices):
        VIEWER = "viewer", _("Viewer")
        MERCHANDISER = "merchandiser", _("Merchandiser")
        REVIEWER = "reviewer", _("Reviewer")
        ANALYST = "analyst", _("Analyst")
        ADMINISTRATOR = "administrator", _("Administrator")

    kind = models.CharField(_("kind"), max_length=16, choices=Kind, primary_key=True)
    group = models.OneToOneField(
        Group, models.SET_NULL, verbose_name=_("group"), null=True, blank=True, related_name="reco_role"
    )
    given = models.JSONField(_("given"), default=list, help_text=_("Permissions that the group was given once."))

    class Meta:
        verbose_name = _("role")
        verbose_name_plural = _("roles")
        permissions = [
            ("view_personal_data", "Can see who shoppers are and what they wrote"),
            ("view_counts", "Can see counts over all shoppers"),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()
