"""What a reason says to a shopper, in the language of the request."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from reco_engine.types import Reason
from shop_reco.conf import reco_settings
from shop_reco.products.models import Product

from .served import ServedReason

EVIDENCE = 3


def told(reason: Reason, product_id: int, products: Mapping[int, Product]) -> ServedReason:
    """The reason with its evidence, less what is sensitive, hidden or deleted; no product is evidence for itself."""
    evidence = [products[pk] for pk in reason.evidence[:EVIDENCE] if pk in products]  # type: ignore[index]
    evidence = [each for each in evidence if each.open and not (each.category and each.category.sensitive)]
    if product_id in reason.evidence and reason.kind != "repeat":
        return ServedReason(reason.kind.upper(), _("You looked at it lately"), reason.points, [], reason.source)
    text = _text(reason, evidence[0].told_title if evidence else "")
    return ServedReason(reason.kind.upper(), text, reason.points, evidence, reason.source)


def _text(reason: Reason, name: str) -> str:
    match reason.kind:
        case "history_item":
            return _("Often chosen with %(product)s") % {"product": name} if name else _("Goes with your choices")
        case "feature":
            return _("Like %(product)s") % {"product": name} if name else _("Like what you chose")
        case "similar_shoppers" if reason.shoppers >= reco_settings().MIN_SUPPORT:
            text = ngettext("%(n)s shopper like you bought it", "%(n)s shoppers like you bought it", reason.shoppers)
            return text % {"n": reason.shoppers}
        case "similar_shoppers":
            return _("Shoppers like you bought it")
        case "popular" if reason.source == "trending":
            return _("More and more shoppers try it")
        case "popular":
            return _("Popular now")
        case "repeat":
            return _("You buy it again and again")
        case "rule":
            return _("The shop's choice")
        case "pinned":
            return _("You pinned it in your portrait")
        case "dislike":
            return _("Like something you refused")
        case "remainder":
            return _("Other influences")
