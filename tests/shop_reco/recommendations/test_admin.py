"""What staff do to recommenders, training, rules and feedback, and what follows at the next request."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from shop_reco.recommendations.models import Feedback, ModelVersion, Placement, Recommender, Rule, TrainingRun
from shop_reco.recommendations.selectors import serving_revision
from shop_reco.recommendations.services import KINDS, give_feedback, request_training
from shop_reco.recommendations.serving import recommend_for
from shop_reco.recommendations.training import run_next

BASE = "/admin/reco_recommendations"


@pytest.fixture
def staff(db, client):
    client.user = User.objects.create_superuser("staff")
    client.force_login(client.user)
    return client


@pytest.fixture
def reader(db, client):
    """Staff who may look and not touch."""
    user = User.objects.create_user("reader", is_staff=True)
    names = ["view_recommender", "view_trainingrun", "view_feedback", "view_rule"]
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    client.force_login(user)
    return client


def kinds_of_reasons(shopper):
    return {reason.kind for edge in recommend_for(shopper=shopper, first=10).edges for reason in edge.reasons}


def test_a_switch_in_the_list_acts_on_the_next_list(trained, person, staff):
    assert "SIMILAR_SHOPPERS" in kinds_of_reasons(person)
    staff.post(f"{BASE}/recommender/user_cf/switch/", {"enabled": "0"})
    assert "SIMILAR_SHOPPERS" not in kinds_of_reasons(person)
    staff.post(f"{BASE}/recommender/user_cf/switch/", {"enabled": "1"})
    assert "SIMILAR_SHOPPERS" in kinds_of_reasons(person)


def test_each_row_has_a_button_that_posts_the_lists_own_form(trained, staff):
    page = staff.get(f"{BASE}/recommender/").content.decode()
    for kind in KINDS:
        assert f'formaction="{BASE}/recommender/{kind}/switch/"' in page
    assert "csrfmiddlewaretoken" in page


@pytest.mark.parametrize("path", ["item_cf/switch/", "item_cf/train/", "item_cf/go-back/", "train-all/"])
def test_nothing_happens_by_following_a_link(trained, staff, path):
    assert staff.get(f"{BASE}/recommender/{path}").status_code == 405


def test_nothing_happens_without_a_token(trained, staff):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(staff.user)
    assert strict.post(f"{BASE}/recommender/item_cf/switch/", {"enabled": "0"}).status_code == 403
    assert Recommender.objects.get(kind="item_cf").enabled


@pytest.mark.parametrize("path", ["item_cf/switch/", "item_cf/train/", "item_cf/go-back/", "train-all/"])
def test_who_may_only_look_switches_and_trains_nothing(trained, reader, path):
    runs = TrainingRun.objects.count()
    assert reader.post(f"{BASE}/recommender/{path}", {"enabled": "0"}).status_code == 403
    assert Recommender.objects.get(kind="item_cf").enabled
    assert TrainingRun.objects.count() == runs


def test_who_may_only_look_sees_no_button(trained, reader):
    page = reader.get(f"{BASE}/recommender/").content.decode()
    assert "Item-based CF" in page
    assert "formaction" not in page
    assert "Train all" not in page


def test_training_twice_queues_one_run_in_the_name_of_who_asked(trained, staff):
    staff.post(f"{BASE}/recommender/content/train/")
    staff.post(f"{BASE}/recommender/content/train/")
    run = TrainingRun.objects.get(state="queued")
    assert (run.recommender_id, run.requested_by) == ("content", staff.user)


def test_train_all_queues_every_recommender(trained, staff):
    staff.post(f"{BASE}/recommender/train-all/")
    assert set(TrainingRun.objects.filter(state="queued").values_list("recommender", flat=True)) == set(KINDS)


def test_an_unknown_recommender_is_not_found(trained, staff):
    assert staff.post(f"{BASE}/recommender/nonsense/train/").status_code == 404


def test_rolling_back_in_the_list_serves_the_version_before(trained, staff):
    first = ModelVersion.objects.get(recommender="popularity", state="live")
    request_training(kind="popularity")
    run_next()
    staff.post(f"{BASE}/recommender/popularity/go-back/")
    assert ModelVersion.objects.get(recommender="popularity", state="live") != first  # not without a reason
    staff.post(f"{BASE}/recommender/popularity/go-back/", {"why": "worse lists"})
    assert ModelVersion.objects.get(recommender="popularity", state="live") == first


def test_rolling_back_the_only_version_says_so_and_leaves_it(trained, staff):
    live = ModelVersion.objects.get(recommender="popularity", state="live")
    page = staff.post(f"{BASE}/recommender/popularity/go-back/", follow=True).content.decode()
    assert "Popularity has no earlier version." in page
    assert ModelVersion.objects.get(recommender="popularity", state="live") == live


def test_a_queued_run_is_cancelled_in_the_list(trained, staff):
    run = request_training(kind="content")
    page = staff.get(f"{BASE}/trainingrun/").content.decode()
    assert "1 run is queued or running" in page
    staff.post(f"{BASE}/trainingrun/{run.pk}/cancel/")
    run.refresh_from_db()
    assert run.state == "cancelled"
    assert "is queued or running" not in staff.get(f"{BASE}/trainingrun/").content.decode()


def test_who_may_only_look_cancels_nothing(trained, reader):
    run = request_training(kind="content")
    assert reader.post(f"{BASE}/trainingrun/{run.pk}/cancel/").status_code == 403
    run.refresh_from_db()
    assert run.state == "queued"


def test_a_failed_run_says_why(db, staff):
    request_training(kind="popularity")
    run_next()
    assert "nothing to learn from" in staff.get(f"{BASE}/trainingrun/?state__exact=failed").content.decode()


def test_feedback_is_reviewed_by_a_button_and_by_the_handful(trained, person, staff):
    for sku in ("Tea-1", "Soap-1"):
        give_feedback(shopper=person, product=trained.products[sku], kind="wrong_reason")
    one, other = Feedback.objects.order_by("pk")
    staff.post(f"{BASE}/feedback/{one.pk}/review/", {"verdict": "accepted"})
    staff.post(f"{BASE}/feedback/", {"action": "dismiss", "_selected_action": [other.pk]})
    one.refresh_from_db()
    other.refresh_from_db()
    assert (one.review, other.review) == ("accepted", "dismissed")
    assert one.reviewed_by == staff.user
    assert "Soap 1" not in staff.get(f"{BASE}/feedback/?review__exact=accepted").content.decode()


def test_a_verdict_that_does_not_exist_is_refused(trained, person, staff):
    said = give_feedback(shopper=person, product=trained.products["Tea-1"], kind="like")
    assert staff.post(f"{BASE}/feedback/{said.pk}/review/", {"verdict": "great"}).status_code == 400
    said.refresh_from_db()
    assert said.review == "open"


def test_who_may_only_look_reviews_nothing(trained, person, reader):
    said = give_feedback(shopper=person, product=trained.products["Tea-1"], kind="like")
    assert reader.post(f"{BASE}/feedback/{said.pk}/review/", {"verdict": "accepted"}).status_code == 403
    said.refresh_from_db()
    assert said.review == "open"


def test_a_hiding_rule_counts_from_the_next_list_on_and_so_does_its_end(trained, person, staff):
    first = recommend_for(shopper=person, first=5).edges[0].product
    form = {"action": "hide", "product": first.pk, "points": "0", "active": "on"}
    form |= {f"{name}_{k}": "" for name in ("starts_at", "ends_at") for k in (0, 1)}
    before = serving_revision()
    assert staff.post(f"{BASE}/rule/add/", form).status_code == 302
    assert serving_revision() == before + 1
    assert first not in [edge.product for edge in recommend_for(shopper=person, first=10).edges]
    rule = Rule.objects.get()
    staff.post(f"{BASE}/rule/{rule.pk}/delete/", {"post": "yes"})
    assert serving_revision() == before + 2
    assert first in [edge.product for edge in recommend_for(shopper=person, first=10).edges]


def test_a_placement_keeps_its_key_and_changes_its_title(trained, staff):
    before = serving_revision()
    spot = {field.name: getattr(Placement.objects.get(pk="home"), field.name) or "" for field in Placement._meta.fields}
    del spot["switched_off"]
    form = spot | {"key": "other", "title": "For you", "diversity": 0, "least_chance": 0, "exploration": 0}
    staff.post(f"{BASE}/placement/home/change/", form)
    assert Placement.objects.get(pk="home").title == "For you"
    assert not Placement.objects.filter(pk="other").exists()
    assert serving_revision() == before + 1


def test_a_served_list_can_be_read_with_its_reasons(trained, person, staff):
    served = recommend_for(shopper=person, first=3)
    page = staff.get(f"{BASE}/slate/{served.slate_id}/change/").content.decode()
    for edge in served.edges:
        assert edge.product.title in page
    assert f"{served.edges[0].score:.4f}" in page


def test_staff_overrule_the_gate_with_a_reason_and_not_without(trained, staff):
    request_training(kind="popularity")
    run_next()
    retired = ModelVersion.objects.get(recommender="popularity", state="retired")
    page = f"{BASE}/modelversion/{retired.pk}"
    assert "Why this version should serve" in staff.get(f"{page}/change/").content.decode()
    staff.post(f"{page}/promote/", {"why": "  "})
    retired.refresh_from_db()
    assert retired.state == "retired"
    staff.post(f"{page}/promote/", {"why": "its lists sold more"})
    retired.refresh_from_db()
    assert retired.state == "live"
    promotion = retired.promotions.first()
    assert (promotion.person, promotion.why) == (staff.user, "its lists sold more")
    assert "its lists sold more" in staff.get(f"{page}/change/").content.decode()


def test_a_run_shows_its_log_and_what_it_took(trained, staff):
    run = TrainingRun.objects.get(recommender="item_cf")
    page = staff.get(f"{BASE}/trainingrun/{run.pk}/change/").content.decode()
    assert "Promoting" in page
    assert "peak memory in MB" in page


def test_a_reader_cannot_overrule_the_gate(trained, reader):
    live = ModelVersion.objects.get(recommender="popularity", state="live")
    assert reader.post(f"{BASE}/modelversion/{live.pk}/promote/", {"why": "x"}).status_code == 403


def test_the_page_of_a_version_tells_its_state_in_words(trained, staff):
    live = ModelVersion.objects.get(recommender="popularity", state="live")
    page = staff.get(f"{BASE}/modelversion/{live.pk}/change/").content.decode()
    assert "Live" in page
    assert "(&#x27;live&#x27;" not in page
