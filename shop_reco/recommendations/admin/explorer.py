"""Why a list is as it is, for a shopper or a history, and what it would be if something were otherwise."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext, gettext_lazy
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from shop_reco.portraits.access import ask_why, note_look
from shop_reco.products.models import Product
from shop_reco.products.selectors import products_by_public_id, products_by_sku
from shop_reco.users.models import Shopper
from shop_reco.users.selectors import shopper_by_external_id, shopper_by_public_id

from ..models import Recommender, Rule, Slate
from ..selectors import placement_titles, slates_of
from ..serving import Shown, Supposed, supposed_list
from ..serving.difference import today
from ..serving.replay import Outcome, replay
from .bars import Bar, bars_of, legend

MOST = 40
USUAL = 12
"""Items of a list, unless others are asked for."""
WHY = {
    "hidden": gettext_lazy("It is hidden, sold out, or not on offer now."),
    "bought": gettext_lazy("The shopper bought it, and this placement does not repeat."),
    "refused": gettext_lazy("The shopper does not want to see it."),
    "blocked": gettext_lazy("The shopper blocked its category, brand or a word of its name."),
    "rule": gettext_lazy("A rule hides it."),
    "shown": gettext_lazy("The list is about it."),
    "variety": gettext_lazy("It made room for something less alike, for a pinned product, or is too unlikely."),
}


class ExplorerForm(forms.Form):
    shopper = forms.CharField(
        label=_("shopper"),
        help_text=_("The shop's id, or the pseudonym of a list. Empty: a stranger, or whoever did what stands below."),
        max_length=128,
        required=False,
        widget=UnfoldAdminTextInputWidget,
    )
    skus = forms.CharField(
        label=_("history or products"),
        help_text=_("SKUs with commas between them, the latest last: a history to try, or what the list is about."),
        max_length=2000,
        required=False,
        widget=UnfoldAdminTextInputWidget,
    )
    placement = forms.ChoiceField(label=_("placement"), initial="home", widget=UnfoldAdminSelectWidget)
    first = forms.IntegerField(
        label=_("items"),
        min_value=1,
        max_value=MOST,
        initial=USUAL,
        required=False,
        widget=UnfoldAdminIntegerFieldWidget,
    )
    off = forms.MultipleChoiceField(
        label=_("What if these were off?"),
        choices=[(kind, label) for kind, label in Recommender.Kind.choices if kind != Recommender.Kind.HYBRID],
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )

    def __init__(self, *args: Any, may_name: bool, **kwargs: Any) -> None:
        """``may_name``: whether a shopper may be asked about."""
        super().__init__(*args, **kwargs)
        if not may_name:
            del self.fields["shopper"]
        choices: Any = [*placement_titles().items()]
        self.fields["placement"].choices = choices  # type: ignore[attr-defined]

    def clean_shopper(self) -> Shopper | None:
        name = self.cleaned_data["shopper"].strip()
        if not name:
            return None
        try:
            found = shopper_by_public_id(public_id=uuid.UUID(name))
        except ValueError:
            found = shopper_by_external_id(external_id=name)
        if found is None:
            raise forms.ValidationError(gettext("There is no such shopper."))
        return found

    def clean_first(self) -> int:
        return self.cleaned_data["first"] or USUAL

    def clean_skus(self) -> list[Product]:
        names = [name.strip() for name in self.cleaned_data["skus"].split(",") if name.strip()]
        rows = {row.sku: row for row in products_by_sku(skus=names)} if names else {}
        unknown = [name for name in names if name not in rows]
        if unknown:
            raise forms.ValidationError(
                gettext("There is no product with this SKU: %(skus)s.") % {"skus": ", ".join(unknown[:5])}
            )
        return [rows[name] for name in names]


@dataclass(frozen=True, slots=True)
class Row:
    """A place of the list; ``moved`` is how many places further up it is than otherwise, None where it is new.

    ``rules`` raise or bury it, or have put it there.
    """

    bar: Bar
    moved: int | None
    rules: Sequence[Rule] = ()


def explorer(request: HttpRequest, context: Mapping[str, Any], *, address: str) -> HttpResponse:
    """The page; whoever asks for one shopper's list may see portraits, and says why.

    Args:
        context: Of every page of the site.
        address: Of the page without its question.
    """
    may_name = request.user.has_perm("reco_portraits.view_portrait")
    if request.GET.get("shopper") and not may_name:
        raise PermissionDenied
    form = ExplorerForm(request.GET or None, may_name=may_name)
    told: dict[str, Any] = {"form": form, "address": address, "title": gettext("Why this list?"), "may_name": may_name}
    if form.is_bound and form.is_valid():
        shopper = form.cleaned_data.get("shopper")
        if shopper is not None:
            question = ask_why(request, shopper_id=shopper.pk, context=context, back=address)
            if question is not None:
                return question
            note_look(request, shopper=shopper, what="lists")
        told |= explored(request, form.cleaned_data)
    return TemplateResponse(request, "shop_reco/admin/explorer.html", {**context, **told})


def explored(request: HttpRequest, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The list as it is, and beside it as it would be if something is supposed to be otherwise."""
    shopper, history = asked.get("shopper"), asked["skus"] or None
    without, lifted = _left_out(request), _lifted(request)
    here = {"shopper": shopper, "placement": asked["placement"], "first": asked["first"], "history": history}
    now = supposed_list(**here)
    may_lift = request.user.has_perm("reco_recommendations.view_rule")
    supposed = Supposed(
        off=frozenset(asked["off"]),
        without=frozenset(row.pk for row in without),
        lifted=lifted & {rule.pk for rule in now.rules} if may_lift else frozenset(),
    )
    then = supposed_list(**here, supposed=supposed) if supposed.off or supposed.without or supposed.lifted else None
    shown = then or now
    rows = rows_of(shown, now if then else None)
    concerned = {rule.pk for some in now.ruled.values() for rule in some}
    rules = sorted(now.rules, key=lambda rule: (rule.pk not in concerned, -rule.pk)) if may_lift else []
    return {
        "rows": rows,
        "legend": legend(row.bar for row in rows),
        "gone": [edge for edge in now.edges if edge.product.pk not in shown.ranks()] if then else [],
        "supposed": then is not None,
        "passed_over": [(each, WHY[each.why]) for each in shown.passed_over],
        "history": [(row, str(row.public_id) in request.GET.getlist("without")) for row in now.history],
        "rules": [(rule, rule.pk in supposed.lifted) for rule in rules[:MOST]],
        "may_see_rules": may_lift,
        "shown": shown,
        "slates": slates_of(shopper_id=shopper.pk, limit=10) if shopper is not None else [],
        "kinds": dict(Slate.ReasonKind.choices),
    }


def rows_of(shown: Shown, before: Shown | None) -> list[Row]:
    ranks = before.ranks() if before else {}
    return [
        Row(
            bar,
            ranks[bar.edge.product.pk] - bar.edge.rank if bar.edge.product.pk in ranks else None,
            shown.ruled.get(bar.edge.product.pk, ()),
        )
        for bar in bars_of(shown.edges)
    ]


def _left_out(request: HttpRequest) -> Sequence[Product]:
    """Products of which nothing is supposed to have happened."""
    names = []
    for value in request.GET.getlist("without")[:MOST]:
        try:
            names.append(uuid.UUID(value))
        except ValueError:
            continue
    return products_by_public_id(public_ids=names) if names else []


def _lifted(request: HttpRequest) -> frozenset[int]:
    """Rules that are supposed not to be in force."""
    return frozenset(int(value) for value in request.GET.getlist("lifted")[:MOST] if value.isdecimal())


OUTCOMES = {
    Outcome.EQUAL: gettext_lazy("Computed again, it is the same to the bit."),
    Outcome.DIFFERENT: gettext_lazy("Computed again, it comes out otherwise."),
    Outcome.ERASED: gettext_lazy("It cannot be computed again: somebody was erased."),
    Outcome.PRUNED: gettext_lazy("It cannot be computed again: a model version is gone."),
    Outcome.CATALOGUE_CHANGED: gettext_lazy("It cannot be computed again: the catalogue changed."),
    Outcome.HISTORY_GONE: gettext_lazy("It cannot be computed again: the history is gone."),
    Outcome.NOT_RECORDED: gettext_lazy("It cannot be computed again: not all of it was kept."),
}


@dataclass(frozen=True, slots=True)
class Again:
    """One item of a past list: its score then, as computed again, and today; None where there is none."""

    rank: int
    title: str
    then: float
    again: float | None
    today: float | None
    offered: bool


def again(slate: Slate) -> dict[str, Any]:
    """A past list computed again beside today's, and what changed in between."""
    replayed, now = replay(slate), today(slate)
    titles = dict(Product.objects.filter(pk__in=[item.product for item in replayed.items]).values_list("pk", "title"))
    rows = [
        Again(
            rank=rank,
            title=titles.get(item.product, "–"),
            then=item.recorded["score"],
            again=item.again.score if item.again else None,
            today=now.items[item.product].score if item.product in now.items else None,
            offered=item.product in now.offered,
        )
        for rank, item in enumerate(replayed.items, start=len(slate.earlier) + 1)
    ]
    return {"rows": rows, "outcome": OUTCOMES[replayed.outcome], "because": replayed.why, "changes": now.changes}
