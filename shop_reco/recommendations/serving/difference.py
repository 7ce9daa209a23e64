"""What the items of a past list would score today, and what has changed in between."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from reco_engine.types import Recommendation

from ..errors import UnknownPlacementError
from ..models import Slate
from .asking import Request, asked
from .known import Known
from .ranking import said


@dataclass(frozen=True, slots=True)
class Today:
    """A list's items as they would be scored now, by product, those still on offer; and why that is another score."""

    items: dict[int, Recommendation]
    offered: frozenset[int]
    changes: tuple[str, ...]


def today(slate: Slate) -> Today:
    """Score a slate's items for its shopper, or for a stranger, as of now."""
    ids = [item["product"] for item in slate.items]
    try:
        request = asked(
            known=Known(slate.shopper),
            placement=slate.placement,
            first=1,
            products=slate.context.get("products", []),
        )
    except UnknownPlacementError:
        return Today({}, frozenset(), (_("the placement is gone"),))
    view, spot = request.view, request.spot
    model: Any = view.models.for_strategy(request.strategy, without=spot.switched_off)
    kinds = set(model.parts)
    if request.strategy == "buy_again":
        model, kinds = view.models.buy_again, {"buy_again"} & view.models.enabled
    items = said(request, model, ids) if model is not None and ids else []
    offered = frozenset(view.shelf.ids[request.allowed[0]].tolist()).intersection(ids)
    return Today({each.item_id: each for each in items}, offered, tuple(_changes(slate, request, kinds)))  # type: ignore[misc]


def _changes(slate: Slate, request: Request, kinds: set[str]) -> Iterator[str]:
    """What is known to differ between then and now."""
    then, now, basis = slate.versions, request.view.models.versions, slate.basis
    for kind in sorted(then.keys() | now.keys()):
        if then.get(kind) != now.get(kind):
            names = {"kind": kind, "then": then.get(kind, "-")[:8], "now": now.get(kind, "-")[:8]}
            yield _("%(kind)s: version %(then)s, now %(now)s") % names
    was = set(basis.get("kinds", ()))
    for sentence, gone in ((_("%(kinds)s: no part any more"), was - kinds), (_("%(kinds)s: a part now"), kinds - was)):
        if gone and was:
            yield sentence % {"kinds": ", ".join(sorted(gone))}
    if "events" in basis and basis["events"] != len(request.arrived):
        counts = {"then": basis["events"], "now": len(request.arrived)}
        yield _("history: %(then)s events that counted, now %(now)s") % counts
    if "likes" in basis and len(basis["likes"]) != len(request.likes):
        yield _("likes: %(then)s, now %(now)s") % {"then": len(basis["likes"]), "now": len(request.likes)}
    rules, ruled = dict(basis.get("rules", ())), request.wishes.ruled
    changed = [pk for pk in basis.get("among", ()) if rules.get(pk, 0.0) != ruled.points_of(pk)]
    if changed:
        yield _("rules of the shop: other points for %(n)s products") % {"n": len(changed)}
    if slate.control != request.control:
        yield _("control group: in it then") if slate.control else _("control group: in it now")
    days = (request.at - (slate.scored_at or request.at)) / 86_400
    yield _("time: %(days).2f days, by which what was done has faded") % {"days": days}
