"""Who works here: the roles that staff may have, what they did, and how often signing in failed."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _

from .errors import AppendOnlyError


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
            ("export_shopper", "Can export what is known of a shopper"),
            ("erase_shopper", "Can erase a shopper"),
            ("part_shoppers", "Can part visitors and accounts"),
            ("revoke_keys", "Can revoke API keys"),
            ("replay_reports", "Can try rejected events and failed deliveries again"),
            ("renew_secrets", "Can renew and end the secrets of webhooks"),
            ("cancel_trainings", "Can cancel several trainings at once"),
            ("run_schedule", "Can run what is scheduled at once"),
            ("remove_second_factor", "Can remove the second factor of others"),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()


class AppendOnly(models.QuerySet["StaffAction"]):
    """Rows that are written once."""

    def update(self, **kwargs: Any) -> int:
        raise AppendOnlyError

    def delete(self) -> tuple[int, dict[str, int]]:
        raise AppendOnlyError

    def bulk_update(self, *args: Any, **kwargs: Any) -> int:
        raise AppendOnlyError


class StaffAction(models.Model):
    """One thing that somebody of the staff did to one row: never changed, and deleted by retention alone.

    It holds neither secrets nor what says who a shopper is; of such a field only that it changed. ``who`` is the name
    that the account had, since an account may go.
    """

    class What(models.TextChoices):
        ADD = "add", _("Added")
        CHANGE = "change", _("Changed")
        DELETE = "delete", _("Deleted")
        SWITCH = "switch", _("Switched")
        SWITCH_ON = "switch_on", _("Switched on")
        SWITCH_OFF = "switch_off", _("Switched off")
        TRAIN = "train", _("Asked for a training")
        CANCEL = "cancel", _("Cancelled")
        PROMOTE = "promote", _("Made to serve")
        GO_BACK = "go_back", _("Rolled back to")
        REVIEW = "review", _("Reviewed")
        ACCEPT = "accept", _("Accepted")
        DISMISS = "dismiss", _("Dismissed")
        UNDO = "undo", _("Undone")
        REVOKE = "revoke", _("Revoked")
        ROTATE = "rotate", _("Replaced by a new key")
        IMPORT = "import", _("Imported from a spreadsheet")
        EXCLUDE = "exclude", _("Excluded for the shopper")
        SILENCE = "silence", _("Reason not told any more")
        REPLAY = "replay", _("Tried again")
        CLEAR = "clear", _("Cleared")
        SHOW = "show", _("Shown in lists")
        HIDE = "hide", _("Hidden from lists")
        MARK_SENSITIVE = "mark_sensitive", _("Marked as sensitive")
        MARK_ORDINARY = "mark_ordinary", _("Marked as not sensitive")
        MAKE_UNCONFIRMED = "make_new_secret", _("Given a new secret")
        END_PREVIOUS = "end_previous", _("Old secret ended")
        ENABLE = "enable", _("Enabled")
        DISABLE = "disable", _("Disabled")
        ENABLE_TASKS = "enable_tasks", _("Enabled in the schedule")
        DISABLE_TASKS = "disable_tasks", _("Disabled in the schedule")
        TOGGLE_TASKS = "toggle_tasks", _("Switched in the schedule")
        RUN_TASKS = "run_tasks", _("Run at once")
        EXPORT = "export", _("Exported")
        ERASE = "erase", _("Erased")
        ENROL = "enrol", _("Second factor set up")
        NEW_CODES = "new_codes", _("Recovery codes made anew")
        RECOVERY_CODE = "recovery_code", _("Signed in by a recovery code")
        CODE_FAILED = "code_failed", _("Second factor failed, not for the first time")
        REMOVE_FACTOR = "remove_second_factor", _("Second factor removed")
        SIGN_IN_FAILED = "sign_in_failed", _("Sign-in failed, not for the first time")

    class Via(models.TextChoices):
        ADMIN = "admin", _("Admin")
        API = "api", _("API")

    at = models.DateTimeField(_("when"), db_index=True)
    staff = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, verbose_name=_("account"), null=True, blank=True, related_name="+"
    )
    who = models.CharField(_("who"), max_length=150, blank=True, db_index=True)
    what = models.CharField(_("what"), max_length=32, choices=What)
    model = models.CharField(_("kind of row"), max_length=64, blank=True)
    object_id = models.CharField(_("row"), max_length=64, blank=True)
    name = models.CharField(_("name"), max_length=128, blank=True, help_text=_("Empty where it would name a person."))
    changes = models.JSONField(
        _("changes"), default=dict, encoder=DjangoJSONEncoder, help_text=_("Before and after, by field.")
    )
    why = models.CharField(_("why"), max_length=256, blank=True)
    via = models.CharField(_("by way of"), max_length=8, choices=Via, default=Via.ADMIN)

    objects = models.Manager.from_queryset(AppendOnly)()

    class Meta:
        verbose_name = _("action of staff")
        verbose_name_plural = _("actions of staff")
        indexes = [models.Index(fields=["model", "object_id"], name="reco_staff_action_by_row")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.get_what_display()}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise AppendOnlyError


class FailedSignIns(models.Model):
    """How often signing in to the admin failed of late: for an account, an address or a known browser.

    The digest is keyed, and of a name as it was typed, whether there is such an account or not: it names nobody.
    """

    digest = models.CharField(_("digest"), max_length=64, primary_key=True)
    failures = models.PositiveIntegerField(_("failures"))
    slowed_at = models.DateTimeField(_("slowed since"), null=True, blank=True)
    last_at = models.DateTimeField(_("last at"), db_index=True)

    class Meta:
        verbose_name = _("failed sign-ins")
        verbose_name_plural = _("failed sign-ins")

    def __str__(self) -> str:
        return f"{self.digest[:8]}… {self.failures}"
