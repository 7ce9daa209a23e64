"""What decides a shopper's lists, in plain words, read from the models and settings in force."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from reco_engine.data.interactions import History
from shop_reco.conf import reco_settings
from shop_reco.events.engine import live_history
from shop_reco.events.models import Event
from shop_reco.users.models import Consent, Shopper
from shop_reco.users.selectors import allows, linked_people

from ..models import Placement, Recommender
from ..selectors import opinions
from .asking import is_control, with_likes
from .memory import LiveModels, memory
from .rules import in_force

HOME = "home"
KINDS: Mapping[str, object] = {
    Recommender.Kind.POPULARITY: gettext_lazy("%(share)s%%: how many shoppers chose a product lately"),
    Recommender.Kind.TRENDING: gettext_lazy("%(share)s%%: whether more and more shoppers choose a product"),
    Recommender.Kind.ITEM_CF: gettext_lazy("%(share)s%%: what is often chosen together with what you chose"),
    Recommender.Kind.USER_CF: gettext_lazy("%(share)s%%: what shoppers chose who chose the same as you"),
    Recommender.Kind.CONTENT: gettext_lazy("%(share)s%%: how alike a product is to what you chose, by words and brand"),
    Recommender.Kind.BEHAVIOUR_MLP: gettext_lazy("%(share)s%%: patterns a network found in what shoppers choose"),
    Recommender.Kind.CONTENT_MLP: gettext_lazy("%(share)s%%: patterns a network found in the products that are chosen"),
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One thing that decides; ``weight`` is its share of a score, 0 to 1, None where it has none."""

    name: str
    weight: float | None
    text: str


@dataclass(frozen=True, slots=True)
class Policy:
    """What decides the lists of one shopper, most important first."""

    personalised: bool
    parameters: tuple[Parameter, ...]


def policy_for(*, shopper: Shopper | None) -> Policy:
    """What decides the lists on the home page of this shopper, or of a stranger, at this moment."""
    allowed = shopper is not None and allows(shopper=shopper, purpose=Consent.Purpose.PERSONALISATION)
    ids, named = linked_people(shopper=shopper) if shopper is not None and allowed else ([], None)
    control = named is not None and is_control(named)
    history = _history(ids) if allowed and not control else None
    models = memory.models()
    own = _control() if control else _own_doing(models, history)
    parameters = (*_shares(models, history), *own, *_refused(), *_shops_doing(models, history is not None))
    return Policy(personalised=history is not None, parameters=parameters)


def _history(shopper_ids: Sequence[int]) -> History:
    return with_likes(live_history(shopper_ids=shopper_ids), opinions(shopper_ids=shopper_ids).liked)


def _shares(models: LiveModels, history: History | None) -> Iterator[Parameter]:
    spot = models.placements.get(HOME)
    taking_part = models.for_strategy(Placement.Strategy.PERSONAL, without=spot.switched_off if spot else ())
    shares = taking_part.blend.shares(len(history or ()), taking_part.parts.keys())
    for kind, share in sorted(shares.items(), key=lambda pair: (-pair[1].weight, pair[0])):
        yield Parameter(kind, share.weight, str(KINDS[kind]) % {"share": round(100 * share.weight)})
    if not shares:
        yield Parameter("newest", None, _("The newest products come first."))


def _control() -> Iterator[Parameter]:
    share = round(100 * reco_settings().CONTROL_SHARE, 1)
    text = _(
        "You allow personal lists, and yet you see the list that everyone sees without: chance chose you to be among "
        "the %(share)s%% with whom the shop compares, to find out what personal lists do. Nothing that you did is used."
    )
    yield Parameter("control", None, text % {"share": f"{share:g}"})


def _own_doing(models: LiveModels, history: History | None) -> Iterator[Parameter]:
    reco = reco_settings()
    if history is None:
        yield Parameter("personalisation", None, _("You allow no personal lists: nothing that you did is used."))
    else:
        weighed = sorted(reco.EVENT_WEIGHTS.items(), key=lambda pair: -pair[1])
        counts = ", ".join(
            f"{Event.Type(kind).label} {round(100 * weight)}%" for kind, weight in weighed if kind in Event.Type.values
        )
        text = _("What you did counts by its kind, your newest %(n)s actions at most: %(counts)s.")
        yield Parameter("history", None, text % {"n": reco.HISTORY_EVENTS, "counts": counts})
        text = _("What you pinned gains %(points)s points; a good score is about 1.")
        yield Parameter("pinned", None, text % {"points": f"{reco.PINNED_POINTS:g}"})
        if models.buy_again is not None and Recommender.Kind.BUY_AGAIN in models.enabled:
            yield Parameter("buy_again", None, _("What you buy again and again is on a list of its own."))


def _refused() -> Iterator[Parameter]:
    yield Parameter("refused", None, _("What you refused or blocked is never shown, whatever you allow."))


def _shops_doing(models: LiveModels, personal: bool) -> Iterator[Parameter]:
    n = reco_settings().MIN_SUPPORT
    if personal and n > 1:
        text = _("What fewer than %(n)s shoppers did alike is not used.")
        yield Parameter("min_support", None, text % {"n": n})
    if in_force(models.rules, placement=HOME, now=timezone.now()):
        yield Parameter("rules", None, _("The shop lifts, pins or hides some products itself, for everyone alike."))
