"""What is kept of a served list: what it said, and what it rests on, so that it can be computed again."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from reco_engine.data.interactions import History

from ..models import Slate
from .asking import Request
from .ranking import Ranked
from .served import Served


def slate_for(request: Request, ranking: Ranked, served: Served) -> Slate:
    """The row of a list, not stored yet."""
    items = [
        {
            "product": edge.product.pk,
            "score": edge.score,
            "placed_by": edge.placed_by,
            "propensity": edge.propensity,
            "reasons": [
                {
                    "kind": reason.kind,
                    "points": reason.points,
                    "source": reason.source,
                    "evidence": [each.pk for each in reason.evidence],
                }
                for reason in edge.reasons
            ],
        }
        for edge in served.edges
    ]
    return Slate(
        id=served.slate_id,
        shopper=request.shopper if request.kept else None,
        placement=request.spot.key,
        rung=served.rung,
        items=items,
        earlier=request.earlier,
        versions=request.view.models.versions,
        context=_context(request),
        basis=_basis(request, ranking),
        control=request.control,
        scored_at=request.at,
        seed=request.seed if request.spot.exploration else 0,
        served_at=request.now,
    )


def _context(request: Request) -> dict[str, Any]:
    asked: dict[str, Any] = {"products": list(request.products), **dict(request.adjusted.told)}
    if request.adjusted.exclude:
        asked["excluded"] = sorted(request.adjusted.exclude)
    if request.narrowing is not None and request.narrowing.narrows():
        asked["filter"] = request.narrowing.told()
    return asked


def _basis(request: Request, ranking: Ranked) -> dict[str, Any]:
    """What else the scores rest on: settings of the placement, what was explained, and the history by its arrival.

    Events are never updated, so those that had arrived when the list was scored are the same for good. One that was
    being stored at that moment may have been seen or not: the digest tells.
    """
    basis: dict[str, Any] = {
        "strategy": request.strategy,
        "personal": request.personal,
        "kinds": ranking.kinds,
        "reasons": request.spot.reasons,
        "among": ranking.among,
        "rules": [[pk, points] for pk in ranking.among if (points := request.wishes.ruled.points_of(pk))],
        "disputed": [[pk, sorted(request.disputed[pk])] for pk in ranking.among if pk in request.disputed],
        "newcomers": sorted(request.view.newcomers.intersection([*ranking.among, *request.history.items])),
    }
    if request.personal:
        favourites = request.wishes.favourites
        basis |= {
            "people": sorted(request.people),
            "digest": digest_of(request.arrived),
            "events": len(request.arrived),
            "likes": request.likes,
            "unused": sorted(request.wishes.unused.intersection(_seen(request))),
            "favourites": [[pk, favourites[pk]] for pk in ranking.among if pk in favourites],
        }
    return basis


def _seen(request: Request) -> set[Any]:
    return {*request.arrived.items, *(pk for pk, _ in request.likes)}


def digest_of(history: History) -> str:
    """Tells two histories apart."""
    columns = (history.items, history.timestamps or (), history.weights or ())
    arrays = (np.asarray(column, dtype=np.float64).tobytes() for column in columns)
    return hashlib.blake2b(b"|".join(arrays), digest_size=16).hexdigest()
