from django.dispatch import Signal

export_waits = Signal()
"""An export is too long to be made while its shopper waits."""
