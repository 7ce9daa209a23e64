"""What a caller of the recommendations can do something about."""


class BadPageError(ValueError):
    """`first` is not between 1 and the page limit."""


class BadCursorError(ValueError):
    """`after` is not a cursor of this shopper's lists, or its list is gone; start again without it."""


class UnknownPlacementError(ValueError):
    """No placement has this key."""


class NothingToRollBackError(ValueError):
    """No earlier version is left to go back to."""


class RunCancelledError(Exception):
    """The training run was cancelled, or another worker has taken it over."""


class ReasonMissingError(ValueError):
    """What overrules the gate needs a reason."""


class VersionGoneError(ValueError):
    """The version's artifact was deleted; it cannot serve any more."""
