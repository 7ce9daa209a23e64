"""The shelf of recommenders."""

from .base import Recommender
from .behaviour_mlp import BehaviourMLP
from .buy_again import BuyAgain
from .content import ContentBased
from .content_mlp import ContentMLP
from .item_cf import ItemCF
from .popularity import Popularity
from .trending import Trending
from .user_cf import UserCF

__all__ = [
    "BehaviourMLP",
    "BuyAgain",
    "ContentBased",
    "ContentMLP",
    "ItemCF",
    "Popularity",
    "Recommender",
    "Trending",
    "UserCF",
]
