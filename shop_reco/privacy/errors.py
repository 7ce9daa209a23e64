"""What keeps a shopper from being exported or erased."""

from __future__ import annotations


class ShopperGoneError(LookupError):
    """The shopper was erased already; the first erasure got the receipt."""


class NoExportError(LookupError):
    """There is no such export for whoever asks, or its link was used or ran out."""
