"""From a shopper to a list with reasons, in one synchronous pass."""

from .lists import bought_together, buy_again_for, recommend_for, similar_to
from .served import Served, ServedEdge, ServedReason

__all__ = [
    "Served",
    "ServedEdge",
    "ServedReason",
    "bought_together",
    "buy_again_for",
    "recommend_for",
    "similar_to",
]
