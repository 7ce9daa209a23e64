"""The recommenders as cards: their part in the blend, their quality, how trainings go, and who decided what."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from shop_reco.recommendations.admin.cards import HEIGHT, SIZES, blend_rows, decisions, pair, quality
from shop_reco.recommendations.models import ModelVersion, Promotion, Recommender, TrainingRun
from shop_reco.recommendations.services import cancel_run, request_training, set_enabled
from shop_reco.staff.audit import noted

PAGE = "/admin/reco_recommendations/recommender/"
FIGURES = {"mean": 0.2, "low": 0.1, "high": 0.4}


def version(**told):
    gate = {"comparison": {"sections": {"discovery": {"measured": {who: {"ndcg": one} for who, one in told.items()}}}}}
    return ModelVersion.objects.create(recommender_id="item_cf", state="retired", size=1, gate=gate)


def test_shares_of_the_blend_sum_to_the_whole_whatever_the_history(trained):
    rows = blend_rows()
    assert [size for size, _parts in rows] == list(SIZES)
    for _size, parts in rows:
        assert sum(part.width for part in parts) == pytest.approx(100, abs=0.1)


def test_what_is_switched_off_has_no_share(trained):
    set_enabled(kind="item_cf", enabled=False)
    assert "Item-based CF" not in {part.name for _size, parts in blend_rows() for part in parts}


def test_quality_is_drawn_from_the_gates_figures_beside_popularity(db):
    older, newer = version(candidate=FIGURES), version(candidate={**FIGURES, "mean": 0.4}, popularity=FIGURES)
    drawn = quality([newer, older])
    (_name, _colour, _line, mine), (_n, _c, _l, popular) = drawn.marks
    assert [(y, top, bottom) for _x, y, top, bottom, _text in mine] == [
        (HEIGHT / 2, 0, HEIGHT * 0.75),
        (0, 0, HEIGHT * 0.75),
    ]
    assert len(popular) == 1
    assert [(each.pk, cells) for each, cells in drawn.rows] == [
        (newer.pk, ("0.4000 (95%: 0.1000 to 0.4000)", "0.2000 (95%: 0.1000 to 0.4000)")),
        (older.pk, ("0.2000 (95%: 0.1000 to 0.4000)", "-")),
    ]


def test_without_a_gate_there_is_no_quality(trained):
    assert quality(list(ModelVersion.objects.filter(recommender="popularity"))) is None


def test_the_live_version_is_compared_with_the_newest_other_one(trained):
    live = ModelVersion.objects.get(recommender="item_cf")
    older, newer = version(), version()
    assert pair([newer, older, live]) == (live.pk, newer.pk)
    assert pair([live]) is None


def test_progress_is_told_while_a_run_goes_on_and_when_it_has_ended(trained, staff):
    run = request_training(kind="content")
    TrainingRun.objects.filter(pk=run.pk).update(state="running", phase="training", progress=0.42, loss=0.5)
    told = staff.get(f"{PAGE}progress/").json()
    assert told["busy"] is True
    assert told["runs"]["content"] == {"busy": True, "percent": 42, "told": "Running, Training, 42%, loss 0.5000"}
    assert 'data-reco-run="content"' in staff.get(PAGE).content.decode()
    cancel_run(run=run)
    told = staff.get(f"{PAGE}progress/").json()
    assert told["busy"] is False
    assert told["runs"]["content"]["told"] == "Cancelled: cancelled by staff"


def test_a_training_is_cancelled_from_its_card_by_those_who_may(trained, staff, client):
    run = request_training(kind="content")
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_recommender"))
    client.force_login(viewer)
    assert client.post(f"{PAGE}content/cancel/").status_code == 403
    run.refresh_from_db()
    assert run.state == "queued"
    page = client.get(PAGE).content.decode()
    assert "/content/cancel/" not in page
    client.force_login(User.objects.get(username="staff"))
    client.post(f"{PAGE}content/cancel/")
    run.refresh_from_db()
    assert run.state == "cancelled"


def test_who_may_not_see_recommenders_is_told_no_progress(client, db):
    client.force_login(User.objects.create_user("newcomer", is_staff=True))
    assert client.get(f"{PAGE}progress/").status_code == 403


def test_going_back_keeps_who_and_why_and_a_switch_is_told_beside_it(trained, staff):
    earlier = version()
    staff.post(f"{PAGE}item_cf/go-back/", {"why": "worse lists"})
    earlier.refresh_from_db()
    assert earlier.state == "live"
    staff.post(f"{PAGE}user_cf/switch/", {"enabled": "0"})
    switched, back = decisions()[:2]
    assert (switched.who, switched.what) == ("staff", "User-based CF is off.")
    assert (back.who, back.what, back.why) == ("staff", f"{earlier} went live", "worse lists")
    assert Promotion.objects.get(version=earlier).decided_by == "roll_back"
    assert "worse lists" in staff.get(PAGE).content.decode()


def test_a_switch_is_told_in_the_readers_language_whoever_made_it(trained, staff):
    staff.post(f"{PAGE}user_cf/switch/", {"enabled": "0"}, headers={"Accept-Language": "en"})
    staff.post(PAGE, {"action": "switch_on", "_selected_action": ["user_cf"]}, headers={"Accept-Language": "en"})
    with translation.override("zh-hans"):
        assert [each.what for each in decisions()[:2]] == [
            "“基于用户的协同过滤”已开启。", "“基于用户的协同过滤”已关闭。",
        ]  # fmt: skip


def test_a_switch_by_the_api_is_told_too_and_one_that_changed_nothing_is_not(trained, staff):
    staff.post(f"{PAGE}user_cf/switch/", {"enabled": "1"})
    assert "User-based CF is on." not in {each.what for each in decisions()}
    with noted(by=User.objects.get(), what="switch", model=Recommender, pks=["user_cf"], via="api"):
        set_enabled(kind="user_cf", enabled=False)
    assert (decisions()[0].who, decisions()[0].what) == ("staff", "User-based CF is off.")


@pytest.mark.parametrize(
    "picked", [{}, {"action": "go_back", "_selected_action": ["item_cf"]}], ids=["button", "action"]
)
def test_going_back_shows_what_would_serve_and_asks_why_first(trained, staff, picked):
    live, earlier = ModelVersion.objects.get(recommender="item_cf"), version()
    address = PAGE if picked else f"{PAGE}item_cf/go-back/"
    for blank in ({}, {"why": " "}):
        page = staff.post(address, picked | blank).content.decode()
        assert str(live) in page
        assert str(earlier) in page
        assert 'name="why"' in page
        assert ModelVersion.objects.get(recommender="item_cf", state="live") == live
    assert staff.post(address, picked | {"why": "worse lists"}).status_code == 302
    assert ModelVersion.objects.get(recommender="item_cf", state="live") == earlier
    assert Promotion.objects.get(version=earlier).why == "worse lists"


def test_where_there_is_nothing_to_go_back_to_nothing_is_asked(trained, staff):
    page = staff.post(f"{PAGE}item_cf/go-back/", follow=True).content.decode()
    assert "has no earlier version" in page


def test_the_page_asks_the_same_of_100_runs_and_versions_as_of_10(trained, staff):
    staff.get(PAGE)
    asked = []
    for n in (10, 90):
        for _ in range(n):
            version(candidate=FIGURES)
            TrainingRun.objects.create(recommender_id="item_cf", state="done")
        with CaptureQueriesContext(connection) as queries:
            staff.get(PAGE)
        asked.append(len(queries))
    assert asked[0] == asked[1]
