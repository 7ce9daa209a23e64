"""Why an item is in a list: the terms of the score that put it there."""

from .attribution import explained
from .audit import audit
from .counterfactual import counterfactual

__all__ = ["audit", "counterfactual", "explained"]
