"""Who shops here: people and devices, what they allow, and the keys of servers that speak for them."""

from __future__ import annotations

import datetime as dt
import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from shop_reco.staff.sensitive import may_see_personal_data


class Shopper(models.Model):
    """A person, or a device of somebody who has not signed in.

    ``external_id`` is the shop's own id for the person; ``user`` the account of this Django project.
    With neither it is an anonymous visitor.
    """

    class Gender(models.TextChoices):
        FEMALE = "female", _("Female")
        MALE = "male", _("Male")
        OTHER = "other", _("Other")

    public_id = models.UUIDField(_("public ID"), default=uuid.uuid4, unique=True, editable=False)
    external_id = models.CharField(_("external ID"), max_length=128, null=True, blank=True, unique=True)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, verbose_name=_("user"), null=True, blank=True, related_name="+"
    )
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True, help_text=_("Empty: the shop's."))
    age_band = models.CharField(_("age band"), max_length=16, blank=True)
    gender = models.CharField(_("gender"), max_length=8, choices=Gender, blank=True)
    region = models.CharField(_("region"), max_length=64, blank=True)
    member_since = models.DateField(_("member since"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("shopper")
        verbose_name_plural = _("shoppers")
        constraints = [
            models.CheckConstraint(condition=~Q(external_id=""), name="reco_shopper_external_id_not_empty"),
        ]

    def __str__(self) -> str:
        """The shop's own id for those of the staff who may see it (``seen_by``), else a pseudonym.

        To whoever may not even see that two rows are of one shopper, it is just somebody.
        """
        reader = getattr(self, "seen_by", None)
        if self.external_id and may_see_personal_data(reader):
            return self.external_id
        if reader is not None and not reader.has_perm("reco_users.view_shopper"):
            return gettext("a shopper")
        text = gettext("visitor %(id)s") if self.is_visitor else gettext("shopper %(id)s")
        return text % {"id": self.public_id.hex[:8]}

    @property
    def is_visitor(self) -> bool:
        """Whether neither the shop nor this project knows whose device it is."""
        return self.external_id is None and self.user_id is None


class VisitorToken(models.Model):
    """What a visitor's signed cookie stands for: a keyed hash of 128 random bits, which name nobody.

    A token is followed by a new one now and then. The earlier one ends when its successor has come back,
    so that a reply lost on the way costs nobody their history.
    """

    shopper = models.ForeignKey(Shopper, models.CASCADE, verbose_name=_("shopper"), related_name="+")
    digest = models.CharField(_("digest"), max_length=64, unique=True)
    issued_at = models.DateTimeField(_("issued at"))
    seen_at = models.DateTimeField(_("seen at"), null=True, blank=True, help_text=_("When it first came back."))
    renewed_at = models.DateTimeField(_("renewed at"), null=True, blank=True)
    ends_at = models.DateTimeField(_("ends at"), null=True, blank=True)

    class Meta:
        verbose_name = _("visitor token")
        verbose_name_plural = _("visitor tokens")

    def __str__(self) -> str:
        return f"{self.shopper} {self.issued_at:%Y-%m-%d}"


class ShopperLink(models.Model):
    """A visitor found to be an account, from ``linked_at`` until ``undone_at``; no event is rewritten."""

    visitor = models.ForeignKey(Shopper, models.CASCADE, verbose_name=_("visitor"), related_name="links_as_visitor")
    account = models.ForeignKey(Shopper, models.CASCADE, verbose_name=_("account"), related_name="links_as_account")
    linked_at = models.DateTimeField(_("linked at"), auto_now_add=True)
    undone_at = models.DateTimeField(_("undone at"), null=True, blank=True)

    class Meta:
        verbose_name = _("shopper link")
        verbose_name_plural = _("shopper links")
        constraints = [
            models.UniqueConstraint(
                fields=["visitor"], condition=Q(undone_at__isnull=True), name="reco_link_one_account_a_visitor"
            ),
            models.CheckConstraint(condition=~Q(visitor=F("account")), name="reco_link_joins_two_shoppers"),
        ]

    def __str__(self) -> str:
        return f"{self.visitor} > {self.account}"


class Consent(models.Model):
    """One decision of a shopper on one purpose; the one not yet superseded counts."""

    class Purpose(models.TextChoices):
        PERSONALISATION = "personalisation", _("Personalisation")
        TRAINING = "training", _("Training")
        ANALYTICS = "analytics", _("Analytics")

    shopper = models.ForeignKey(Shopper, models.CASCADE, verbose_name=_("shopper"), related_name="consents")
    purpose = models.CharField(_("purpose"), max_length=24, choices=Purpose)
    granted = models.BooleanField(_("granted"))
    source = models.CharField(_("source"), max_length=64, help_text=_("Where it was given: shop, demo, import ..."))
    text_version = models.CharField(
        _("text version"),
        max_length=32,
        blank=True,
        help_text=_("Version of the text that was shown; empty where none was named."),
    )
    text_language = models.CharField(_("text language"), max_length=16, blank=True)
    decided_at = models.DateTimeField(_("decided at"))
    superseded_at = models.DateTimeField(_("superseded at"), null=True, blank=True)

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        constraints = [
            models.UniqueConstraint(
                fields=["shopper", "purpose"], condition=Q(superseded_at__isnull=True), name="reco_consent_one_in_force"
            ),
        ]
        indexes = [
            models.Index(
                fields=["purpose", "granted", "shopper"],
                condition=Q(superseded_at__isnull=True),
                name="reco_consent_in_force",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()}: {self.shopper}"


class ConsentStatement(models.Model):
    """What a shopper reads before they decide on a purpose. A new wording is a new version: what was agreed to stays.

    The version whose ``since`` is the latest is in force, in as many languages as it has rows.
    """

    purpose = models.CharField(_("purpose"), max_length=24, choices=Consent.Purpose)
    version = models.CharField(_("version"), max_length=32)
    language = models.CharField(_("language"), max_length=16, help_text=_("A language code: en, zh-hans ..."))
    text = models.TextField(_("text"))
    since = models.DateTimeField(_("since"), help_text=_("From when on it is shown."))

    class Meta:
        verbose_name = _("consent statement")
        verbose_name_plural = _("consent statements")
        constraints = [
            models.UniqueConstraint(fields=["purpose", "version", "language"], name="reco_statement_one_a_language"),
            models.CheckConstraint(
                condition=~Q(version="") & ~Q(language="") & ~Q(text=""), name="reco_statement_says_something"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} {self.version} ({self.language})"


class ApiKey(models.Model):
    """A server's key: its visible prefix, a keyed hash of the rest, and what it may do.

    A key is followed by another of the same name and scopes; both are taken until the earlier one ends.
    """

    class Scope(models.TextChoices):
        EVENTS_WRITE = "events:write", _("Write events")
        LISTS_READ = "lists:read", _("Read lists")
        CATALOGUE_WRITE = "catalogue:write", _("Write the catalogue")
        PRIVACY_ADMIN = "privacy:admin", _("Export and erase shoppers")

    class State(models.TextChoices):
        LIVE = "live", _("live")
        ENDING = "ending", _("ending")
        ENDED = "ended", _("ended")
        REVOKED = "revoked", _("revoked")

    name = models.CharField(_("name"), max_length=64)
    prefix = models.CharField(_("prefix"), max_length=12, unique=True)
    digest = models.CharField(_("digest"), max_length=64)
    scopes = models.JSONField(_("scopes"), default=list)
    follows = models.ForeignKey(
        "self", models.SET_NULL, verbose_name=_("follows"), null=True, blank=True, related_name="followers"
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    last_used_at = models.DateTimeField(_("last used at"), null=True, blank=True)
    ends_at = models.DateTimeField(_("ends at"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        constraints = [
            models.UniqueConstraint(
                fields=["follows"], condition=Q(revoked_at__isnull=True), name="reco_key_one_follower_in_force"
            ),
            models.CheckConstraint(condition=~Q(follows=F("id")), name="reco_key_follows_another"),
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True) | Q(ends_at__gte=F("created_at")), name="reco_key_ends_after_it_began"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    def state(self, at: dt.datetime) -> State:
        """What the key is at a moment that is not before the last change of its row."""
        if self.revoked_at is not None:
            return self.State.REVOKED
        if self.ends_at is None:
            return self.State.LIVE
        return self.State.ENDING if at < self.ends_at else self.State.ENDED

    def is_taken(self, at: dt.datetime) -> bool:
        """Whether requests with it are answered."""
        return self.state(at) in (self.State.LIVE, self.State.ENDING)


class Allowance(models.Model):
    """What a sender may still spend in all processes together: points that come back with time.

    The digest is keyed, and of what tells senders apart: it names nobody, and goes once the points are back.
    """

    digest = models.CharField(_("digest"), max_length=64, primary_key=True)
    points = models.FloatField(_("points"))
    spent_at = models.DateTimeField(_("spent at"), db_index=True)

    class Meta:
        verbose_name = _("allowance")
        verbose_name_plural = _("allowances")

    def __str__(self) -> str:
        return f"{self.digest[:8]}…"


class StaffRead(models.Model):
    """That somebody of the staff looked at what is known of one shopper, when and why; the shopper may ask for it.

    Kept after the shopper was erased, without saying whose data it was: what staff did stays accountable.
    """

    shopper = models.ForeignKey(
        Shopper, models.SET_NULL, verbose_name=_("shopper"), null=True, blank=True, related_name="+"
    )
    staff = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, verbose_name=_("staff"), null=True, blank=True, related_name="+"
    )
    what = models.CharField(_("what"), max_length=32, help_text=_("Which page: portrait, list ..."))
    why = models.CharField(_("why"), max_length=256, blank=True)
    read_at = models.DateTimeField(_("read at"))

    class Meta:
        verbose_name = _("staff read")
        verbose_name_plural = _("staff reads")
        indexes = [models.Index(fields=["shopper", "-read_at"], name="reco_staff_read_by_shopper")]

    def __str__(self) -> str:
        return f"{self.what} {self.read_at:%Y-%m-%d}"
