"""What keeps a shopper from being erased."""

from __future__ import annotations


class ShopperGoneError(LookupError):
    """The shopper was erased already; the first erasure got the receipt."""
