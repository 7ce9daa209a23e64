"""How much one document may ask for, each limit as early as it can be told."""

from .cost import CostLimit
from .introspection import NoIntrospection
from .shape import DocumentLimits
from .tokens import check_tokens

__all__ = ["CostLimit", "DocumentLimits", "NoIntrospection", "check_tokens"]
