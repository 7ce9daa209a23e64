"""What other apps may want to know of the models."""

from django.dispatch import Signal

versions_gone = Signal()
"""Artifacts were deleted: ``gone``, public ids (hex), and ``clean``, the id of the live version by kind."""
