"""What is measured of this process: how long its stages take, what it serves, what it takes in and refuses.

Prometheus reads it where prometheus-client is installed, OpenTelemetry where it is installed and configured;
without them every call here does nothing. Labels are words of ours, out of closed sets: never an id, a name or a text.
"""

from .counting import (
    answered,
    events_judged,
    hint_lost,
    list_served,
    models_loaded,
    refused,
    slates_lost,
    slates_waiting,
)
from .exposition import Figure, exposition
from .timing import phase, stage

__all__ = [
    "Figure",
    "answered",
    "events_judged",
    "exposition",
    "hint_lost",
    "list_served",
    "models_loaded",
    "phase",
    "refused",
    "slates_lost",
    "slates_waiting",
    "stage",
]
