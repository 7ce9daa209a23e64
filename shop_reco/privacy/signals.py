from django.dispatch import Signal

export_waits = Signal()
"""An export is too long to be made while its shopper waits."""

sessions_wait = Signal()
"""There are more sessions than an erasure goes through before it answers."""
