"""From a shopper to a list with reasons, in one synchronous pass."""

from .asking import Adjustments
from .conflicts import Conflict, conflicts_of
from .explaining import Explanation, explain
from .known import Known
from .lists import bought_together, buy_again_for, recommend_for, reordered, similar_to
from .policy import Parameter, Policy, policy_for
from .served import Served, ServedEdge, ServedReason
from .supposing import PassedOver, Shown, Supposed, supposed_list

__all__ = [
    "Adjustments",
    "Conflict",
    "Explanation",
    "Known",
    "Parameter",
    "PassedOver",
    "Policy",
    "Served",
    "ServedEdge",
    "ServedReason",
    "Shown",
    "Supposed",
    "bought_together",
    "buy_again_for",
    "conflicts_of",
    "explain",
    "policy_for",
    "recommend_for",
    "reordered",
    "similar_to",
    "supposed_list",
]
