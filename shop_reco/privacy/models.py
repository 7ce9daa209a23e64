"""What a shopper took along, and what must be remembered of an erasure: that it happened, and never whose it was."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from shop_reco.users.models import Shopper


class Export(models.Model):
    """A file with all that is known of a shopper, behind a link that is good once and not for long."""

    public_id = models.UUIDField(_("public ID"), default=uuid.uuid4, unique=True, editable=False)
    shopper = models.ForeignKey(Shopper, models.CASCADE, verbose_name=_("shopper"), related_name="+")
    token_digest = models.CharField(_("token digest"), max_length=64, unique=True)
    language = models.CharField(_("language"), max_length=16, blank=True)
    file = models.CharField(_("file"), max_length=128, blank=True, help_text=_("Its name; empty while it is made."))
    progress = models.FloatField(_("progress"), default=0.0, help_text=_("0 to 1."))
    size = models.PositiveBigIntegerField(_("size"), default=0, help_text=_("Bytes on disk."))
    requested_at = models.DateTimeField(_("requested at"))
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    ready_at = models.DateTimeField(_("ready at"), null=True, blank=True)
    expires_at = models.DateTimeField(_("expires at"), db_index=True)
    used_at = models.DateTimeField(_("used at"), null=True, blank=True)

    class Meta:
        verbose_name = _("export")
        verbose_name_plural = _("exports")

    def __str__(self) -> str:
        return str(self.public_id)


class ErasureReceipt(models.Model):
    """Proof of one erasure, chained by hash to the one before it; holds no personal data.

    ``document`` is the text that was signed; empty for a receipt from before documents were kept.
    """

    public_id = models.UUIDField(_("public ID"), default=uuid.uuid4, unique=True, editable=False)
    erased_at = models.DateTimeField(_("erased at"))
    counts = models.JSONField(_("rows removed"), help_text=_("Rows removed, by table."))
    versions = models.JSONField(_("model versions"), help_text=_("Model versions that had learnt from the shopper."))
    previous_sha256 = models.CharField(_("previous SHA-256"), max_length=64, blank=True, unique=True)
    sha256 = models.CharField(_("SHA-256"), max_length=64, unique=True)
    document = models.TextField(_("document"), blank=True)
    signature = models.CharField(_("signature"), max_length=128, blank=True)

    class Meta:
        verbose_name = _("erasure receipt")
        verbose_name_plural = _("erasure receipts")

    def __str__(self) -> str:
        return str(self.public_id)


class ReceiptUpdate(models.Model):
    """What became of the model versions of a receipt later on; chained to the receipt, and signed as it is."""

    receipt = models.ForeignKey(
        ErasureReceipt, models.CASCADE, verbose_name=_("erasure receipt"), related_name="updates"
    )
    noted_at = models.DateTimeField(_("noted at"))
    gone = models.JSONField(_("versions gone"))
    document = models.TextField(_("document"))
    sha256 = models.CharField(_("SHA-256"), max_length=64, unique=True)
    signature = models.CharField(_("signature"), max_length=128)

    class Meta:
        verbose_name = _("receipt update")
        verbose_name_plural = _("receipt updates")
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.receipt} {self.noted_at:%Y-%m-%d}"


class SessionSweep(models.Model):
    """An erasure whose shopper's sessions are still to be cleared; deleted when that is done and in the receipt."""

    receipt = models.OneToOneField(
        ErasureReceipt, models.CASCADE, verbose_name=_("erasure receipt"), related_name="sweep"
    )
    marks = models.JSONField(_("marks"), help_text=_("Keyed hashes of the accounts and names whose sessions they are."))
    cleared = models.PositiveIntegerField(_("sessions cleared"), default=0)
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)

    class Meta:
        verbose_name = _("session sweep")
        verbose_name_plural = _("session sweeps")

    def __str__(self) -> str:
        return str(self.receipt)


class ErasedKey(models.Model):
    """The erase ledger: a keyed hash of an erased shopper's id, so that a restore or import erases it again."""

    digest = models.CharField(max_length=64, unique=True)
    erased_at = models.DateTimeField()

    class Meta:
        verbose_name = _("erased key")
        verbose_name_plural = _("erased keys")
