"""From a shopper to a list with reasons, in one synchronous pass."""

from .asking import Adjustments
from .explaining import Explanation, explain
from .lists import bought_together, buy_again_for, recommend_for, reordered, similar_to
from .policy import Parameter, Policy, policy_for
from .served import Served, ServedEdge, ServedReason

__all__ = [
    "Adjustments",
    "Explanation",
    "Parameter",
    "Policy",
    "Served",
    "ServedEdge",
    "ServedReason",
    "bought_together",
    "buy_again_for",
    "explain",
    "policy_for",
    "recommend_for",
    "reordered",
    "similar_to",
]
