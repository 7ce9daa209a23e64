"""What staff decide on what shoppers said, what follows from it, and the way back."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from ..models import Feedback, Rule, Verdict
from ..shown import DISPUTABLE
from .switching import bump_serving_revision

MOST_REVIEWED = 200
"""Pieces of feedback of one decision at most, where staff see what they decide on."""
Act = Verdict.Act
LEADS_TO = {
    Act.ACCEPT: Feedback.Review.ACCEPTED,
    Act.DISMISS: Feedback.Review.DISMISSED,
    Act.REOPEN: Feedback.Review.OPEN,
    Act.EXCLUDE: Feedback.Review.ACCEPTED,
    Act.HIDE: Feedback.Review.ACCEPTED,
    Act.SILENCE: Feedback.Review.ACCEPTED,
}
RULED = {Act.HIDE: Rule.Action.HIDE, Act.SILENCE: Rule.Action.SILENCE}
"""Acts that make a rule, and which."""
OF_VERDICT = {
    Feedback.Review.ACCEPTED: Act.ACCEPT,
    Feedback.Review.DISMISSED: Act.DISMISS,
    Feedback.Review.OPEN: Act.REOPEN,
}


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What became of a decision, or of taking it back.

    Attributes:
        ticket: Names the decision.
        done: Feedback that it holds for, by primary key; given or taken back twice, it is done once.
        met: Feedback that somebody decided on since it was looked at, as it is now; left alone.
        unfit: Feedback that nothing of the kind can be done to; left alone.
    """

    ticket: uuid.UUID
    done: list[int]
    met: list[Feedback]
    unfit: list[Feedback]


@transaction.atomic
def decide(
    *, seen: Mapping[int, str | None], act: str, by: Any, ticket: uuid.UUID | None = None, reason: str = ""
) -> Reviewed:
    """Decide on some feedback at once. The same ticket again changes nothing; as many queries for one as for many.

    Args:
        seen: Marks of the feedback as it was looked at (``Feedback.mark``); None: as it may be by now.
        reason: The kind of reason that is not to be told any more; empty: of each its foremost one.
    """
    act, ticket = Act(act), ticket or uuid.uuid4()
    result = Reviewed(ticket, [], [], [])
    held, chosen = _held(seen), []
    given = set(Verdict.objects.filter(ticket=ticket).values_list("feedback_id", flat=True))
    for feedback in held:
        if feedback.pk in given or (seen[feedback.pk] is None and _stands(feedback, act)):
            result.done.append(feedback.pk)
        elif seen[feedback.pk] not in (None, feedback.mark):
            result.met.append(feedback)
        elif not _fits(feedback, act, reason):
            result.unfit.append(feedback)
        else:
            chosen.append(feedback)
    if chosen:
        _carry_out(chosen, act, by, ticket, reason)
        result.done.extend(feedback.pk for feedback in chosen)
    return result


def review_feedback(*, feedback: Iterable[Feedback], verdict: str, by: Any) -> int:
    """Record what staff think of some feedback, whoever thought what of it before; returns how many."""
    act = OF_VERDICT[Feedback.Review(verdict)]
    return len(decide(seen=dict.fromkeys((each.pk for each in feedback), None), act=act, by=by).done)


@transaction.atomic
def take_back(*, verdicts: Collection[int], by: Any) -> Reviewed:
    """Undo verdicts (primary keys) with what followed from them, and put back what was before; twice is once.

    One that somebody decided over since is left alone. A rule goes with the last standing verdict that rests on it,
    unless staff made it by hand, or gave it to one placement since.
    """
    named = dict(Verdict.objects.filter(pk__in=verdicts).values_list("pk", "feedback_id"))
    held = {feedback.pk: feedback for feedback in _held(set(named.values()))}
    told = list(Verdict.objects.filter(pk__in=named).order_by("pk"))
    newest: dict[int, int] = {}
    standing = Verdict.objects.filter(feedback__in=held, undone_at=None).order_by("pk")
    newest.update(standing.values_list("feedback_id", "pk"))
    result = Reviewed(told[0].ticket if told else uuid.uuid4(), [], [], [])
    undone = []
    for verdict in told:
        feedback = held[verdict.feedback_id]
        if verdict.undone_at is not None:
            result.done.append(feedback.pk)
        elif newest[feedback.pk] != verdict.pk:
            result.met.append(feedback)
        else:
            _put_back(feedback, verdict)
            undone.append(verdict)
            result.done.append(feedback.pk)
    if undone:
        Feedback.objects.bulk_update(
            [held[verdict.feedback_id] for verdict in undone], ["review", "reviewed_by", "reviewed_at", "excluded"]
        )
        ids = [verdict.pk for verdict in undone]
        Verdict.objects.filter(pk__in=ids).update(undone_at=timezone.now(), undone_by=by)
        _drop_rules({verdict.rule_id for verdict in undone if verdict.rule_id is not None})
    return result


def _held(ids: Collection[int]) -> list[Feedback]:
    """The rows, locked in the order of their keys: who decides at the same moment waits, and sees what was decided."""
    rows = Feedback.objects.select_for_update(of=("self",)).select_related("product", "reviewed_by")
    return list(rows.filter(pk__in=list(ids)).order_by("pk"))


def _stands(feedback: Feedback, act: str) -> bool:
    return act not in (Act.EXCLUDE, *RULED) and feedback.review == LEADS_TO[Act(act)]


def _fits(feedback: Feedback, act: str, reason: str) -> bool:
    """Nothing is kept from who likes it, and of what gave no reason there is none to silence."""
    if act in (Act.EXCLUDE, Act.HIDE):
        return feedback.kind != Feedback.Kind.LIKE
    return act != Act.SILENCE or _reason_of(feedback, reason) in DISPUTABLE


def _reason_of(feedback: Feedback, reason: str) -> str:
    return reason or next(iter(feedback.disputed), "") or feedback.reason


def _carry_out(chosen: list[Feedback], act: Verdict.Act, by: Any, ticket: uuid.UUID, reason: str) -> None:
    now = timezone.now()
    rules, made = _rules_for(chosen, act, reason) if act in RULED else ({}, set())
    Verdict.objects.bulk_create(
        Verdict(
            feedback=feedback, ticket=ticket, act=act, by=by, decided_at=now,
            rule_id=rules.get(feedback.pk), made_rule=rules.get(feedback.pk) in made,
            was_review=feedback.review, was_reviewed_by=feedback.reviewed_by, was_reviewed_at=feedback.reviewed_at,
            was_excluded=feedback.excluded,
        )
        for feedback in chosen
    )  # fmt: skip
    after: dict[str, Any] = {"review": LEADS_TO[act], "reviewed_by": by, "reviewed_at": now}
    if act in (Act.EXCLUDE, Act.DISMISS, Act.REOPEN):
        after["excluded"] = act == Act.EXCLUDE
    Feedback.objects.filter(pk__in=[feedback.pk for feedback in chosen]).update(**after)


def _rules_for(chosen: list[Feedback], act: Verdict.Act, reason: str) -> tuple[dict[int, int], set[int | None]]:
    """The rule of each piece of feedback, by primary keys, and those that were made for it; one for alike ones."""
    of_all = {"action": RULED[act], "placement": None, "active": True, "starts_at": None, "ends_at": None}
    wanted: dict[tuple[int, str], list[int]] = defaultdict(list)
    for feedback in chosen:
        told = _reason_of(feedback, reason) if act == Act.SILENCE else ""
        wanted[(feedback.item_id, told)].append(feedback.pk)
    there = Rule.objects.select_for_update().filter(product__in={item for item, _ in wanted}, **of_all).order_by("-pk")
    found = {(rule.product_id, rule.reason): rule.pk for rule in there}
    missing = [Rule(product_id=item, reason=told, **of_all) for item, told in wanted if (item, told) not in found]
    made = Rule.objects.bulk_create(missing)
    if made:
        bump_serving_revision()
    found.update({(rule.product_id, rule.reason): rule.pk for rule in made})
    return {pk: found[key] for key, pks in wanted.items() for pk in pks}, {rule.pk for rule in made}


def _put_back(feedback: Feedback, verdict: Verdict) -> None:
    feedback.review, feedback.excluded = verdict.was_review, verdict.was_excluded
    feedback.reviewed_by_id, feedback.reviewed_at = verdict.was_reviewed_by_id, verdict.was_reviewed_at


def _drop_rules(ids: Collection[int]) -> None:
    if not ids:
        return
    needed = Verdict.objects.filter(rule__in=ids, undone_at=None).values("rule_id")
    ours = Verdict.objects.filter(rule__in=ids, made_rule=True).values("rule_id")
    Rule.objects.filter(pk__in=ours, placement=None).exclude(pk__in=needed).delete()
