"""Every error that the engine raises on purpose."""

from __future__ import annotations


class EngineError(Exception):
    """Base of them all."""


class BadInputError(EngineError, ValueError):
    """Data that no recommender could use; the message names the field and the fix."""


class NobodyToMeasureError(BadInputError):
    """A split in time that leaves no shopper with something to learn from and something to be asked for."""


class ReasonMismatchError(EngineError, ValueError):
    """The reasons of a recommendation do not add up to its score."""

    def __init__(self, item_id: object, score: float, total: float) -> None:
        super().__init__(f"reasons of item {item_id!r} sum to {total!r}, its score is {score!r}")


class ArtifactError(EngineError):
    """An artifact that must not be used: missing, changed, or made by a version that is not known here."""


class MissingDependencyError(EngineError, ImportError):
    """A recommender needs a package that is not installed."""


class ClusterError(EngineError):
    """Spark could not be started, or a job of it failed; the message says why."""
