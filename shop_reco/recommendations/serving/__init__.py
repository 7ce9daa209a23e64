"""From a shopper to a list with reasons, in one synchronous pass."""

from .lists import bought_together, buy_again_for, recommend_for, similar_to
from .policy import Parameter, Policy, policy_for
from .served import Served, ServedEdge, ServedReason

__all__ = [
    "Parameter",
    "Policy",
    "Served",
    "ServedEdge",
    "ServedReason",
    "bought_together",
    "buy_again_for",
    "policy_for",
    "recommend_for",
    "similar_to",
]
