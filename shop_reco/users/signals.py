from django.dispatch import Signal

shoppers_named = Signal()
"""Sent with ``external_ids`` before an import makes shoppers of them; a receiver returns the set of those whom it must
not bring back."""
