"""What staff decide on feedback happens at once, once, and can be taken back to what was before."""

from __future__ import annotations

import math
import uuid
from threading import Barrier, Thread

import pytest
from django.contrib.auth.models import User
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from shop_reco.recommendations.learning import accepted_feedback
from shop_reco.recommendations.models import Feedback, Rule, Slate, Verdict
from shop_reco.recommendations.selectors import serving_revision
from shop_reco.recommendations.services import decide, give_feedback, review_feedback, take_back
from shop_reco.recommendations.serving import recommend_for
from shop_reco.recommendations.serving.replay import Outcome, replay
from shop_reco.users.models import Shopper


@pytest.fixture
def mei(db):
    return User.objects.create_user("mei", is_staff=True)


@pytest.fixture
def tom(db):
    return User.objects.create_user("tom", is_staff=True)


def marks(feedback):
    return {each.pk: each.mark for each in Feedback.objects.filter(pk__in=[one.pk for one in feedback])}


def undo(done, by):
    return take_back(verdicts=Verdict.objects.filter(ticket=done.ticket).values_list("pk", flat=True), by=by)


def state(feedback):
    feedback.refresh_from_db()
    return feedback.review, feedback.reviewed_by, feedback.reviewed_at, feedback.excluded


def listed(shopper, n=36):
    return [edge.product for edge in recommend_for(shopper=shopper, first=n).edges]


def somebody_else_who_sees(product, *, but):
    return next(each for each in Shopper.objects.exclude(pk=but.pk).order_by("pk") if product in listed(each))


def told(shopper, product):
    served = recommend_for(shopper=shopper, first=36)
    return served.slate_id, next(edge for edge in served.edges if edge.product == product)


def test_feedback_knows_where_it_was_given_and_for_which_reason(trained, person):
    served = recommend_for(shopper=person, first=5)
    edge = served.edges[2]
    said = give_feedback(shopper=person, product=edge.product, kind="like", slate_id=served.slate_id)
    points = {}
    for reason in edge.reasons:
        if reason.kind not in ("REMAINDER", "RULE"):
            points[reason.kind] = points.get(reason.kind, 0.0) + reason.points
    assert (said.placement, said.rank, said.reason) == ("home", 3, max(points, key=points.get))
    assert said.recommender in {reason.source for reason in edge.reasons}


def test_feedback_on_somebody_elses_list_tells_nothing_of_that_list(trained, person):
    other = Shopper.objects.get(external_id="h3")
    served = recommend_for(shopper=other, first=5)
    said = give_feedback(shopper=person, product=served.edges[0].product, kind="like", slate_id=served.slate_id)
    assert (said.placement, said.rank, said.reason, said.recommender) == ("", None, "", "")


@pytest.mark.parametrize(("act", "review"), [("accept", "accepted"), ("dismiss", "dismissed")])
def test_a_decision_is_kept_with_who_took_it_and_undone_exactly(complain, mei, tom, act, review):
    (said,) = complain(1)
    before = state(said)
    done = decide(seen=marks([said]), act=act, by=mei)
    assert done.done == [said.pk]
    assert state(said)[:2] == (review, mei)
    undo(done, tom)
    assert state(said) == before
    verdict = Verdict.objects.get()
    assert (verdict.act, verdict.by, verdict.undone_by) == (act, mei, tom)


def test_what_is_accepted_is_learnt_from_and_no_more_once_undone(complain, mei):
    (said,) = complain(1)
    done = decide(seen=marks([said]), act="accept", by=mei)
    assert [each.product for each in accepted_feedback()] == [said.product_id]
    undo(done, mei)
    assert accepted_feedback() == []


def test_the_same_ticket_twice_is_one_decision(complain, mei):
    (said,) = complain(1)
    ticket, seen = uuid.uuid4(), marks([said])
    first = decide(seen=seen, act="accept", by=mei, ticket=ticket)
    at = state(said)
    again = decide(seen=seen, act="accept", by=mei, ticket=ticket)
    assert (again.done, again.met) == (first.done, [])
    assert state(said) == at
    assert Verdict.objects.count() == 1


def test_taking_back_twice_takes_back_once(complain, mei, tom):
    (said,) = complain(1)
    done = decide(seen=marks([said]), act="accept", by=mei)
    assert undo(done, mei).done == [said.pk]
    assert undo(done, tom).done == [said.pk]
    assert Verdict.objects.get().undone_by == mei


def test_the_second_of_two_reviewers_is_told_and_changes_nothing(complain, mei, tom):
    (said,) = complain(1)
    seen = marks([said])
    decide(seen=seen, act="accept", by=mei)
    late = decide(seen=seen, act="dismiss", by=tom)
    assert (late.done, [each.reviewed_by for each in late.met]) == ([], [mei])
    assert state(said)[:2] == ("accepted", mei)
    assert Verdict.objects.count() == 1


def test_what_was_decided_over_is_not_taken_back(complain, mei, tom):
    (said,) = complain(1)
    first = decide(seen=marks([said]), act="accept", by=mei)
    decide(seen=marks([said]), act="dismiss", by=tom)
    late = undo(first, mei)
    assert (late.done, [each.pk for each in late.met]) == ([], [said.pk])
    assert state(said)[:2] == ("dismissed", tom)


def test_decisions_are_taken_back_one_by_one_to_the_start(complain, mei):
    (said,) = complain(1)
    start = state(said)
    first = decide(seen=marks([said]), act="exclude", by=mei)
    middle = state(said)
    second = decide(seen=marks([said]), act="dismiss", by=mei)
    assert state(said)[3] is False
    undo(second, mei)
    assert state(said) == middle
    undo(first, mei)
    assert state(said) == start


def test_an_excluded_product_is_kept_from_that_shopper_and_from_nobody_else(complain, mei):
    (said,) = complain(1, kind="wrong_reason")
    other = somebody_else_who_sees(said.product, but=said.shopper)
    assert said.product in listed(said.shopper)
    done = decide(seen=marks([said]), act="exclude", by=mei)
    assert said.product not in listed(said.shopper)
    assert said.product in listed(other)
    undo(done, mei)
    assert said.product in listed(said.shopper)


def test_a_hidden_product_is_in_nobodys_list_until_that_is_undone(complain, mei):
    (said,) = complain(1, kind="wrong_reason")
    other = somebody_else_who_sees(said.product, but=said.shopper)
    done = decide(seen=marks([said]), act="hide", by=mei)
    rule = Rule.objects.get()
    assert (rule.action, rule.product, rule.placement, rule.active) == ("hide", said.product, None, True)
    assert said.product not in listed(other)
    undo(done, mei)
    assert not Rule.objects.exists()
    assert said.product in listed(other)


def test_a_silenced_reason_is_told_to_nobody_and_the_score_stays(complain, mei):
    (said,) = complain(1, kind="wrong_reason")
    other = somebody_else_who_sees(said.product, but=said.shopper)
    _, before = told(other, said.product)
    kind = next(reason.kind for reason in before.reasons if reason.kind not in ("REMAINDER", "RULE"))
    done = decide(seen=marks([said]), act="silence", reason=kind, by=mei)
    slate_id, after = told(other, said.product)
    assert kind not in {reason.kind for reason in after.reasons}
    assert after.score == pytest.approx(before.score, rel=1e-3)  # it ages with the clock
    assert math.fsum(reason.points for reason in after.reasons) == pytest.approx(after.score, rel=1e-6)
    assert replay(Slate.objects.get(pk=slate_id)).outcome is Outcome.EQUAL
    undo(done, mei)
    assert kind in {reason.kind for reason in told(other, said.product)[1].reasons}


def test_a_reason_that_is_not_the_foremost_one_is_silenced_as_well_wherever_it_stands(complain, mei):
    (said,) = complain(1, kind="wrong_reason")
    kinds = list(dict.fromkeys(reason.kind for reason in told(said.shopper, said.product)[1].reasons))
    last = [kind for kind in kinds if kind not in ("REMAINDER", "RULE", said.reason)][-1]
    everybody = [shopper for shopper in Shopper.objects.all() if said.product in listed(shopper)]
    told_before = [shopper for shopper in everybody if last in {r.kind for r in told(shopper, said.product)[1].reasons}]
    assert told_before
    decide(seen=marks([said]), act="silence", reason=last, by=mei)
    assert Rule.objects.get().reason == last
    for shopper in everybody:
        assert last not in {reason.kind for reason in told(shopper, said.product)[1].reasons}


def test_alike_decisions_share_a_rule_which_goes_with_the_last_of_them(complain, mei, trained):
    one, two = complain(2, product=trained.products["Tea-1"])
    first = decide(seen=marks([one]), act="hide", by=mei)
    second = decide(seen=marks([two]), act="hide", by=mei)
    assert Rule.objects.count() == 1
    undo(first, mei)
    assert Rule.objects.count() == 1
    undo(second, mei)
    assert Rule.objects.count() == 0


def test_a_rule_that_somebody_wrote_by_hand_stays(complain, mei, trained):
    Rule.objects.create(action="hide", product=trained.products["Tea-1"])
    (said,) = complain(1, product=trained.products["Tea-1"])
    undo(decide(seen=marks([said]), act="hide", by=mei), mei)
    assert Rule.objects.count() == 1


def test_nothing_is_kept_from_who_likes_it(complain, mei):
    (said,) = complain(1, kind="like")
    for act in ("exclude", "hide"):
        done = decide(seen=marks([said]), act=act, by=mei)
        assert (done.done, [each.pk for each in done.unfit]) == ([], [said.pk])
    assert state(said)[0] == "open"
    assert not Rule.objects.exists()


def test_of_what_gave_no_reason_none_is_silenced(shop, person, mei):
    said = give_feedback(shopper=person, product=shop.products["Tea-1"], kind="not_interested")
    assert [each.pk for each in decide(seen=marks([said]), act="silence", by=mei).unfit] == [said.pk]
    assert not Rule.objects.exists()


def test_a_verdict_by_name_alone_is_kept_too_and_leaves_who_gave_it_first(complain, mei, tom):
    said = list(complain(2))
    assert review_feedback(feedback=said, verdict="accepted", by=mei) == 2
    assert review_feedback(feedback=said, verdict="accepted", by=tom) == 2
    assert {each.by for each in Verdict.objects.select_related("by")} == {mei}


def test_one_transaction_rolls_everything_back(complain, mei, monkeypatch):
    (said,) = complain(1)
    before, revision = state(said), serving_revision()
    monkeypatch.setattr(Verdict.objects.__class__, "bulk_create", lambda *args, **kwargs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        decide(seen=marks([said]), act="hide", by=mei)
    assert state(said) == before
    assert serving_revision() == revision
    assert not Rule.objects.exists()


@pytest.mark.parametrize("act", ["accept", "exclude", "hide", "silence"])
def test_many_cost_as_many_queries_as_one(complain, mei, act):
    said = list(complain(20, kind="wrong_reason"))
    costs = []
    for some in (said[:1], said[1:]):
        seen = marks(some)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            done = decide(seen=seen, act=act, by=mei)
        assert len(done.done) == len(some)
        costs.append(len(queries))
    assert costs[1] <= costs[0] + 1  # a savepoint of the rules


@pytest.mark.django_db(transaction=True)
def test_of_two_reviewers_at_the_same_moment_one_decides_and_the_other_is_told(complain, mei, tom):
    (said,) = complain(1)
    seen, start, answers = marks([said]), Barrier(2), []

    def review(act, by):
        try:
            start.wait()
            answers.append(decide(seen=seen, act=act, by=by))
        finally:
            connections.close_all()

    threads = [Thread(target=review, args=each) for each in (("accept", mei), ("dismiss", tom))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted((len(each.done), len(each.met)) for each in answers) == [(0, 1), (1, 0)]
    assert Verdict.objects.count() == 1
