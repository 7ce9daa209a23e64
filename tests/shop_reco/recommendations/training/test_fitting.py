"""One run: what it tells, what it makes, and what the gate lets it do."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from reco_engine.evaluation.gate import Decision
from shop_reco.conf import reco_settings
from shop_reco.events.models import Event
from shop_reco.recommendations.models import ModelVersion, Promotion, TrainingRun
from shop_reco.recommendations.services import cancel_run, request_training, versions
from shop_reco.recommendations.training import fitting, run_next


def damage(version):
    next((reco_settings().ARTIFACTS_ROOT / version.public_id.hex).glob("*.npy")).unlink()


def live(kind):
    return ModelVersion.objects.get(recommender=kind, state="live")


def test_training_an_empty_shop_fails_with_a_reason(db):
    request_training(kind="popularity")
    run = run_next()
    assert run.state == "failed"
    assert "nothing to learn from" in run.why


def test_a_version_keeps_what_its_fit_found_and_the_recipe_that_fits_it_again(trained):
    found = live("item_cf").figures["settings"]
    assert {"activity", "n_targets", "half_life"} <= found.keys()
    assert live("item_cf").recipe == {"min_support": 1, **found}


def test_a_run_tells_its_phases_and_what_it_took(trained):
    run = TrainingRun.objects.get(recommender="item_cf")
    told = [line.split(" ", 1)[1] for line in run.log.splitlines()]
    phases = [line for line in told if line in TrainingRun.Phase.labels]
    assert phases == ["Extracting", "Cleaning", "Training", "Evaluating", "Promoting"]
    assert run.progress == 1.0
    assert run.resources["peak_mb"] > 0


def test_a_first_version_goes_live_by_its_checks(trained):
    promotion = Promotion.objects.get(version=live("item_cf"))
    assert (promotion.went_live, promotion.decided_by, promotion.replaced) == (True, "checks", None)


def test_the_same_recipe_goes_live_again_with_newer_events(trained):
    before = live("popularity")
    request_training(kind="popularity")
    assert run_next().state == "done"
    assert live("popularity") != before
    assert Promotion.objects.get(version=live("popularity")).replaced == before


@pytest.mark.parametrize(("verdict", "state"), [("reject", "rejected"), ("keep", "candidate")])
def test_a_candidate_that_the_gate_stops_does_not_serve_and_the_live_recipe_learns_on(
    trained, settings, monkeypatch, verdict, state
):
    before = live("popularity")
    settings.SHOP_RECO = {**settings.SHOP_RECO, "RECOMMENDERS": {"popularity": {"half_life": 3.0}}}
    monkeypatch.setattr(
        fitting, "decide", lambda *args, **given: Decision(verdict, "not_as_good", "It finds less.", {})
    )
    request_training(kind="popularity")
    run = run_next()
    assert (run.state, run.why) == ("done", "It finds less.")
    assert live("popularity") == before
    stopped = ModelVersion.objects.get(recommender="popularity", run=run)
    assert stopped.state == state
    assert stopped.gate["decision"]["verdict"] == verdict
    assert stopped.gate["comparison"]["sections"].keys() >= {"discovery", "next_basket"}
    assert TrainingRun.objects.get(state="queued").work == "update"
    assert run_next().state == "done"
    assert live("popularity") != before
    assert (live("popularity").recipe, live("popularity").gate) == (before.recipe, {})
    assert run_next() is None  # and it does not ask for another one


def test_a_better_recipe_goes_live_by_the_gate(trained, settings, monkeypatch):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "RECOMMENDERS": {"popularity": {"half_life": 3.0}}}
    monkeypatch.setattr(fitting, "decide", lambda *args, **given: Decision("promote", "as_good", "As good.", {}))
    request_training(kind="popularity")
    run_next()
    assert live("popularity").recipe["half_life"] == 3.0
    assert Promotion.objects.get(version=live("popularity")).decided_by == "gate"


def test_a_recipe_that_is_searched_anew_is_compared_and_kept_with_what_it_found(trained):
    before = live("item_cf")
    request_training(kind="item_cf")
    run = run_next()
    assert run.state == "done"
    version = run.version
    assert {"live", "candidate"} <= version.gate["comparison"]["sections"]["discovery"]["measured"].keys()
    assert version.recipe.keys() == before.recipe.keys()


def test_new_events_under_the_live_recipe_are_not_compared(trained):
    before = live("item_cf")
    request_training(kind="item_cf", work="update")
    assert run_next().state == "done"
    assert live("item_cf") != before
    assert (live("item_cf").recipe, live("item_cf").gate) == (before.recipe, {})


def test_the_hybrid_is_compared_on_the_parts_that_serve(trained):
    request_training(kind="hybrid")
    assert run_next().state == "done"
    assert set(live("hybrid").recipe) == {"content", "item_cf", "popularity", "trending", "user_cf"}
    request_training(kind="hybrid")
    run = run_next()
    assert run.state == "done"
    measured = run.version.gate["comparison"]["sections"]["discovery"]["measured"]
    assert {"candidate", "live", "popularity"} <= measured.keys()


def test_a_model_that_would_serve_nonsense_is_not_promoted(trained, monkeypatch):
    before = live("popularity")
    monkeypatch.setattr(fitting, "check_artifact", lambda *args, **given: ("3 numbers are not finite.",))
    request_training(kind="popularity")
    run = run_next()
    assert run.state == "failed"
    assert "not finite" in run.why
    assert live("popularity") == before


def test_a_scheduled_run_without_news_is_skipped_and_says_so(trained):
    before = live("item_cf")
    request_training(kind="item_cf", ticket="beat:2026-11-25T03:30/train_all")
    run = run_next()
    assert run.state == "done"
    assert run.why.startswith("Nothing new since")
    assert live("item_cf") == before


def test_a_scheduled_run_with_an_event_that_came_since_is_not(trained):
    before = live("item_cf")
    late = Event.objects.first()
    Event.objects.filter(pk=late.pk).update(received_at=timezone.now())
    request_training(kind="item_cf", ticket="beat:2026-11-25T03:30/train_all")
    run_next()
    assert live("item_cf") != before


def test_a_surge_before_a_training_keeps_it_from_learning(trained, monkeypatch):
    before = live("popularity")
    pushed = type("Surge", (), {"why": "Item 7 has 40% of what was done."})()
    monkeypatch.setattr(fitting, "surges", lambda *args, **given: [pushed])
    request_training(kind="popularity")
    run = run_next()
    assert run.state == "failed"
    assert "Item 7" in run.why
    assert live("popularity") == before


def test_a_run_cancelled_while_it_fits_ends_there_and_leaves_no_version(trained, monkeypatch):
    before = ModelVersion.objects.count()
    real = fitting.check_artifact

    def cancelled_meanwhile(*args, **given):
        cancel_run(run=TrainingRun.objects.get(state="running"))
        return real(*args, **given)

    monkeypatch.setattr(fitting, "check_artifact", cancelled_meanwhile)
    request_training(kind="popularity")
    assert run_next().state == "cancelled"
    assert ModelVersion.objects.count() == before


def test_a_run_whose_process_dies_just_before_the_switch_is_fitted_anew_and_goes_live(trained, monkeypatch):
    class DeathError(BaseException):
        pass

    def die():
        raise DeathError

    request_training(kind="popularity")
    with monkeypatch.context() as patch:
        patch.setattr(versions, "bump_serving_revision", die)
        with pytest.raises(DeathError):
            run_next()
    run = TrainingRun.objects.get(state="running")
    assert not ModelVersion.objects.filter(run=run).exists()
    TrainingRun.objects.filter(pk=run.pk).update(lease_until=timezone.now() - dt.timedelta(seconds=1))
    assert run_next() == run
    assert ModelVersion.objects.get(run=run).state == "live"


def test_a_hybrid_without_parts_does_not_go_live_and_silence_those_that_come_later(shop):
    request_training(kind="hybrid")
    run = run_next()
    assert (run.state, run.why) == ("failed", "No recommender is live yet, so there is nothing to weigh.")
    assert not ModelVersion.objects.exists()


@pytest.mark.parametrize("kind", ["user_cf", "popularity"])
def test_a_damaged_version_is_replaced_by_an_update_as_well(trained, kind):
    before = live(kind)
    damage(before)
    request_training(kind=kind, work="update")
    assert run_next().why == ""
    assert live(kind) != before


def test_a_damaged_hybrid_is_learnt_anew_and_not_compared(trained):
    request_training(kind="hybrid")
    run_next()
    before = live("hybrid")
    damage(before)
    request_training(kind="hybrid")
    assert run_next().state == "done"
    assert live("hybrid") != before


def test_two_beats_that_ask_in_one_minute_train_once(trained):
    ticket = "beat:2026-11-25T03:30/train_all"
    Event.objects.update(received_at=timezone.now() + dt.timedelta(seconds=1))
    request_training(kind="popularity", ticket=ticket)
    assert run_next().state == "done"
    request_training(kind="popularity", ticket=ticket)
    assert run_next() is None


def test_new_events_alone_bring_no_update_of_what_knows_products_by_what_they_are(trained):
    Event.objects.update(received_at=timezone.now() + dt.timedelta(seconds=1))
    request_training(kind="content", ticket="beat:2026-11-25T03:15/update_content", work="update")
    assert run_next().why.startswith("Nothing new since")
    request_training(kind="content", ticket="beat:2026-11-25T03:30/train_all")
    run = run_next()
    assert (run.state, run.why) == ("done", "")
