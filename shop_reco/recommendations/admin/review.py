"""The pages on which staff review what shoppers said: the queue, by keyboard or not, and its themes."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBadRequest,
    HttpResponseRedirect,
    JsonResponse,
)
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.formats import localize
from django.utils.timezone import localtime
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from shop_reco.admin_base import KeptAdmin, posted
from shop_reco.products.models import Brand, Category, Product
from shop_reco.staff.audit import noted

from .. import services
from ..models import Feedback, Recommender, Slate, Verdict
from ..reviewing import Piece, Wanted, feedback_told, page_of, piece, pseudonym, verdicts_under, wanted_feedback
from ..selectors import placement_titles
from ..shown import DISPUTABLE
from ..themes import DAYS, DIMENSIONS, SAMPLE, Theme, themes

ALL = "all"
MOST_CATEGORIES = 500
"""Categories to choose from."""
AGES = {"1": _("last 24 hours"), "7": _("last 7 days"), "28": _("last 28 days"), "-7": _("older than 7 days"),
        "-28": _("older than 28 days")}  # fmt: skip
LABELS = {"open": "info", "accepted": "success", "dismissed": "default"}
"""Colours of unfold's labels."""
ABOUT: dict[str, type[Model]] = {"product": Product, "brand": Brand}
BARS = ("#2563eb", "#94a3b8")
"""Of complaints, and of those beyond what was shown."""


class QueueForm(forms.Form):
    """What is wanted of the queue; what makes no sense narrows nothing."""

    review = forms.ChoiceField(label=_("State"), required=False)
    kind = forms.ChoiceField(label=_("What was said"), required=False)
    placement = forms.ChoiceField(label=_("Placement"), required=False)
    recommender = forms.ChoiceField(label=_("Recommender"), required=False)
    reason = forms.ChoiceField(label=_("Reason"), required=False)
    category = forms.TypedChoiceField(label=_("Category"), required=False, coerce=int, empty_value=None)
    age = forms.TypedChoiceField(label=_("Age"), required=False, coerce=int, empty_value=None)
    product = forms.IntegerField(required=False, widget=forms.HiddenInput)
    brand = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any) -> None:
        super().__init__(data | {"review": data.get("review") or Feedback.Review.OPEN})
        any_ = ("", _("any"))
        choices: dict[str, Iterable[Any]] = {
            "review": [*Feedback.Review.choices, (ALL, _("all of them"))],
            "kind": [any_, *Feedback.Kind.choices],
            "placement": [any_, *placement_titles().items()],
            "recommender": [any_, *Recommender.Kind.choices],
            "reason": [any_, *((kind, kind.label) for kind in DISPUTABLE)],
            "category": [any_, *Category.objects.order_by("path").values_list("pk", "path")[:MOST_CATEGORIES]],
            "age": [any_, *AGES.items()],
        }
        for name, some in choices.items():
            field: Any = self.fields[name]
            field.widget = UnfoldAdminSelectWidget()
            field.choices = some

    def wanted(self) -> Wanted:
        self.is_valid()
        told = {name: value for name, value in self.cleaned_data.items() if value not in (None, "", ALL)}
        if "review" in self.errors:
            told["review"] = Feedback.Review.OPEN
        return Wanted(**told)


class ReviewPages(KeptAdmin):
    """The queue, one piece of it, its themes, and where decisions are posted."""

    def get_urls(self) -> list[URLPattern]:
        wrap, name = self.admin_site.admin_view, "reco_recommendations_feedback"
        ours = [
            path("queue/", wrap(self.queue), name=f"{name}_queue"),
            path("queue/<int:pk>/", wrap(self.one), name=f"{name}_piece"),
            path("queue/decide/", wrap(self.post_decision), name=f"{name}_decide"),
            path("queue/undo/", wrap(self.post_undo), name=f"{name}_undo"),
            path("themes/", wrap(self.themes), name=f"{name}_themes"),
        ]
        return [*ours, *super().get_urls()]

    def queue(self, request: HttpRequest) -> HttpResponse:
        """List and detail in one; eleven queries beside the page's own, however much there is."""
        self._need(request)
        form = QueueForm(request.GET.dict())
        found = wanted_feedback(form.wanted())
        rows, more = page_of(found, after=_number(request.GET.get("after")))
        chosen = _number(request.GET.get("item")) or (rows[0].pk if rows else None)
        told = piece(pk=chosen) if chosen is not None else None
        asked = {name: value for name, value in request.GET.dict().items() if name not in ("after", "item") and value}
        narrowed = bool(set(asked) - {"review"})
        context = {
            **self._frame(request, gettext("Review queue"), "queue"),
            "form": form,
            "about": _about(form),
            "rows": [row_of(each, asked) for each in rows],
            "chosen": chosen,
            "piece": self._piece(request, told, asked) if told else None,
            "total": found.count(),
            "asked": asked,
            "narrowed": narrowed,
            "elsewhere": narrowed or form.cleaned_data.get("review", Feedback.Review.OPEN) != Feedback.Review.OPEN,
            "next": urlencode(asked | {"after": rows[-1].pk}) if more else "",
            "back": urlencode(asked),
            "decide": self.address("decide"),
            "undo": self.address("undo"),
            "part": self.address("piece", 0),
            "may_rule": self._may_rule(request),
        }
        return TemplateResponse(request, "shop_reco/admin/review_queue.html", context)

    def one(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The detail alone, for a page that has the list already."""
        self._need(request)
        told = piece(pk=pk)
        if told is None:
            raise Http404
        context = {
            "piece": self._piece(request, told, {}),
            "decide": self.address("decide"),
            "undo": self.address("undo"),
            "may": self.may_change(request),
        }
        return TemplateResponse(request, "shop_reco/admin/review_piece.html", context)

    def themes(self, request: HttpRequest) -> HttpResponse:
        self._need(request)
        found = themes()
        most = max((theme.n for told in found.themes.values() for theme in told), default=1)
        context = {
            **self._frame(request, gettext("Themes"), "themes"),
            "dimensions": [
                (str(DIMENSIONS[dimension]), [self._theme(theme, most) for theme in told])
                for dimension, told in found.themes.items()
                if told
            ],
            "found": found,
            "days": DAYS,
            "sample": SAMPLE,
            "colours": BARS,
        }
        return TemplateResponse(request, "shop_reco/admin/review_themes.html", context)

    @posted
    def post_decision(self, request: HttpRequest) -> HttpResponse:
        """Decide on the feedback of the form; a rule needs the right to add one."""
        self._need(request, change=True)
        act, reason = request.POST.get("act", ""), request.POST.get("reason", "")
        seen = _marks(request.POST.getlist("item"))
        ticket = _uuid(request.POST.get("ticket", ""))
        if act not in Verdict.Act.values or (reason and reason not in DISPUTABLE) or seen is None:
            return HttpResponseBadRequest(gettext("The verdict is unknown."))
        if len(seen) > services.MOST_REVIEWED:
            return HttpResponseBadRequest(gettext("That is too much at once."))
        if act in (Verdict.Act.HIDE, Verdict.Act.SILENCE) and not self._may_rule(request):
            raise PermissionDenied
        with noted(by=request.user, what=act, model=Feedback, pks=list(seen)):
            done = services.decide(seen=seen, act=act, by=request.user, ticket=ticket, reason=reason)
        text = f"{Verdict.Act(act).label}: {len(done.done)}" if done.done or not seen else ""
        if not seen:
            text = gettext("Nothing is chosen.")
        return self._answered(request, done, text)

    @posted
    def post_undo(self, request: HttpRequest) -> HttpResponse:
        """Take back what was decided under a ticket, or one verdict of the history."""
        self._need(request, change=True)
        ticket, one = _uuid(request.POST.get("ticket", "")), _number(request.POST.get("verdict"))
        ids = [one] if one is not None else verdicts_under(ticket=ticket) if ticket else []
        ruled = Verdict.objects.filter(pk__in=ids, rule__isnull=False)
        if not self._may_rule(request) and ruled.exists():
            raise PermissionDenied
        about = list(Verdict.objects.filter(pk__in=ids).values_list("feedback", flat=True))
        with noted(by=request.user, what="undo", model=Feedback, pks=about):
            done = services.take_back(verdicts=ids, by=request.user)
        text = gettext("Undone: %(n)s") % {"n": len(done.done)} if done.done else gettext("There is nothing to undo.")
        return self._answered(request, done, text, undone=True)

    def _answered(
        self, request: HttpRequest, done: services.Reviewed, text: str, *, undone: bool = False
    ) -> HttpResponse:
        """In words, and for a script with the lines of the list as they are now; without one, back to the queue."""
        told = [text] if text else []
        told += [_met(feedback, request.user) for feedback in done.met]
        if done.unfit:
            said = ngettext(
                "%(n)s is left alone: nothing is kept from who likes it, and no reason is known to silence.",
                "%(n)s are left alone: nothing is kept from who likes it, and no reason is known to silence.",
                len(done.unfit),
            )
            told.append(said % {"n": len(done.unfit)})
        if request.headers.get("Accept") == "application/json":
            asked: dict[str, str] = {}
            touched = [*done.done, *(each.pk for each in done.met)]
            rows = {each.pk: _line(row_of(each, asked)) for each in feedback_told(ids=touched)}
            ticket = "" if undone or not done.done else str(done.ticket)
            return JsonResponse({"text": told, "ticket": ticket, "done": done.done, "rows": rows})
        for each in told:
            (messages.warning if done.met else messages.success)(request, each)
        back = "?" + request.POST["back"] if request.POST.get("back") else ""
        return HttpResponseRedirect(self.address("queue") + back)

    def _need(self, request: HttpRequest, *, change: bool = False) -> None:
        if not (self.may_change(request) if change else self.has_view_or_change_permission(request)):
            raise PermissionDenied

    def _may_rule(self, request: HttpRequest) -> bool:
        return request.user.has_perm("reco_recommendations.add_rule")

    def _frame(self, request: HttpRequest, title: str, here: str) -> dict[str, Any]:
        frame = {"title": title, "tabs": self.tabs(here), "may": self.may_change(request)}
        return {**self.admin_site.each_context(request), **frame}

    def tabs(self, here: str) -> list[tuple[str, str, bool]]:
        """The pages of what shoppers said: name, address, and whether it is this one."""
        names = {"queue": gettext("Review queue"), "themes": gettext("Themes"), "changelist": gettext("All feedback")}
        return [(label, self.address(page), page == here) for page, label in names.items()]

    def _piece(self, request: HttpRequest, told: Piece, asked: dict[str, str]) -> dict[str, Any]:
        """What the template tells of one piece."""
        feedback = told.feedback
        item = feedback.product.parent or feedback.product
        rule = reverse(f"{self.admin_site.name}:reco_recommendations_rule_add")
        category, brand = item.category, item.brand
        return {
            "told": told,
            "feedback": feedback,
            "row": row_of(feedback, asked),
            "item": item,
            "facts": [str(each) for each in (category, brand) if each],
            "disputed": [str(Slate.ReasonKind(kind).label) for kind in feedback.disputed],
            "reason": feedback.get_reason_display(),
            "reasons": [(kind, kind.label) for kind in _told_reasons(told)],
            "complaint": feedback.kind != Feedback.Kind.LIKE,
            "rule": f"{rule}?{urlencode({'action': 'hide', 'product': item.pk})}",
            "may_rule": self._may_rule(request),
            "back": urlencode(asked | {"item": feedback.pk}),
            "ticket": uuid.uuid4(),
        }

    def _theme(self, theme: Theme, most: int) -> dict[str, Any]:
        """A theme with its bar, and the way to its own queue."""
        query = {"review": ALL, "kind": theme.kind, theme.dimension: theme.value, "age": DAYS}
        return {
            "theme": theme,
            "width": round(100 * theme.n / most, 2),
            "expected": round(100 * theme.n / theme.lift / most, 2) if theme.lift else None,
            "queue": f"{self.address('queue')}?{urlencode(query)}",
        }


def _told_reasons(told: Piece) -> list[Slate.ReasonKind]:
    """What may be told of the product no more: what was called wrong first, then the rest, the most points first."""
    feedback = told.feedback
    if feedback.kind == Feedback.Kind.LIKE:
        return []
    kinds = [*feedback.disputed, feedback.reason, *(term.kind for term in told.terms)]
    return [Slate.ReasonKind(kind) for kind in dict.fromkeys(kinds) if kind in DISPUTABLE]


def row_of(feedback: Feedback, asked: dict[str, str]) -> dict[str, Any]:
    """A line of the queue; its products and shoppers were read with it."""
    return {
        "feedback": feedback,
        "shopper": pseudonym(feedback.shopper),
        "value": f"{feedback.pk}:{feedback.mark}",
        "label": LABELS[feedback.review],
        "address": urlencode(asked | {"item": feedback.pk}),
    }


def _line(row: dict[str, Any]) -> str:
    return render_to_string("shop_reco/admin/review_row.html", {"row": row, "may": True})


def _met(feedback: Feedback, user: Any) -> str:
    """What the second of two is told."""
    when = localize(localtime(feedback.reviewed_at)) if feedback.reviewed_at else ""
    if not when:
        text = gettext("%(what)s was opened again meanwhile; nothing was changed.")
    elif feedback.reviewed_by == user:
        text = gettext("You decided on %(what)s at %(when)s already: %(how)s. Nothing was changed.")
    else:
        text = gettext("%(who)s decided on %(what)s at %(when)s: %(how)s. Nothing was changed.")
    names = {"who": feedback.reviewed_by or gettext("Somebody"), "how": feedback.get_review_display()}
    return text % {**names, "what": feedback, "when": when}


def _about(form: QueueForm) -> list[str]:
    """What the queue is narrowed to, in words; a product or a brand comes from a theme."""
    told = []
    for name, value in form.cleaned_data.items():
        if value in (None, "", Feedback.Review.OPEN):
            continue
        if name in ABOUT:
            told += [str(each) for each in ABOUT[name]._default_manager.filter(pk=value)]
        else:
            choices = {str(key): label for key, label in form.fields[name].choices}  # type: ignore[attr-defined]
            told.append(str(choices.get(str(value), value)))
    return told


def _marks(items: Iterable[str]) -> dict[int, str | None] | None:
    """Feedback by primary key with its mark as it was looked at; None where one makes no sense."""
    marks: dict[int, str | None] = {}
    for each in items:
        pk, _colon, mark = each.partition(":")
        if _number(pk) is None or not mark:
            return None
        marks[int(pk)] = mark
    return marks


def _number(text: str | None) -> int | None:
    """A primary key; None for what is none."""
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 19 else None


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
