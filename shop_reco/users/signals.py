from django.dispatch import Signal

shoppers_named = Signal()
"""Sent with ``external_ids`` before an import makes shoppers of them; a receiver returns when those of them who were
erased were, by external id."""
