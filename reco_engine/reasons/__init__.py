"""Why an item is in a list: the terms of the score that put it there."""

from .attribution import explained

__all__ = ["explained"]
