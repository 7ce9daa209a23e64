from django.dispatch import Signal

sensitivity_changed = Signal()
"""Sent within the transaction, with ``category_ids``: the categories that became sensitive, or no longer are."""
