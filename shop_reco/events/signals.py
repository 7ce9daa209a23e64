from django.dispatch import Signal

events_recorded = Signal()
"""Sent after commit with ``shopper_ids``: the shoppers who have new events."""
