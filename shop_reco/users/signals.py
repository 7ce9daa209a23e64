from django.dispatch import Signal

shoppers_changed = Signal()
"""Who these shoppers are, or what they allow, changed: sent with ``shopper_ids``, inside the transaction."""

shoppers_named = Signal()
"""Sent with ``external_ids`` before an import makes shoppers of them; a receiver returns when those of them who were
erased were, by external id."""
