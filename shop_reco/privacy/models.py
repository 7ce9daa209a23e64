"""What must be remembered of an erasure: that it happened, and never whose it was."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _


class ErasureReceipt(models.Model):
    """Proof of one erasure, chained by hash to the one before it; holds no personal data."""

    public_id = models.UUIDField(_("public ID"), default=uuid.uuid4, unique=True, editable=False)
    erased_at = models.DateTimeField(_("erased at"))
    counts = models.JSONField(_("rows removed"), help_text=_("Rows removed, by table."))
    versions = models.JSONField(_("model versions"), help_text=_("Model versions that had learnt from the shopper."))
    previous_sha256 = models.CharField(_("previous SHA-256"), max_length=64, blank=True)
    sha256 = models.CharField(_("SHA-256"), max_length=64, unique=True)

    class Meta:
        verbose_name = _("erasure receipt")
        verbose_name_plural = _("erasure receipts")

    def __str__(self) -> str:
        return str(self.public_id)


class ErasedKey(models.Model):
    """The erase ledger: a keyed hash of an erased shopper's id, so that a restore or import erases it again."""

    digest = models.CharField(max_length=64, unique=True)
    erased_at = models.DateTimeField()

    class Meta:
        verbose_name = _("erased key")
        verbose_name_plural = _("erased keys")
