"""Staff follow a training, take a version back and compare two, in a browser, by keyboard and on a phone."""

from __future__ import annotations

import pytest
from django.urls import reverse

from shop_reco.recommendations.models import ModelVersion, Promotion, TrainingRun
from shop_reco.recommendations.services import request_training
from shop_reco.recommendations.serving import recommend_for
from shop_reco.recommendations.training import run_next
from tests.browser.test_explorer import read, staff

__all__ = ["staff"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PAGE = "/admin/reco_recommendations/recommender/"


@pytest.fixture
def two(trained, person):
    """A live version of item-based CF and one before it."""
    earlier = ModelVersion.objects.get(recommender="item_cf")
    ModelVersion.objects.filter(pk=earlier.pk).update(state="retired")
    request_training(kind="item_cf")
    run_next()
    recommend_for(shopper=person, first=5)
    figures = {"discovery": {"n_shoppers": 300, "measured": {}}}
    for who in ("candidate", "popularity"):
        figures["discovery"]["measured"][who] = {"ndcg": {"mean": 0.1, "low": 0.08, "high": 0.12}}
    ModelVersion.objects.filter(recommender="item_cf").update(gate={"comparison": {"sections": figures}})
    return ModelVersion.objects.get(recommender="item_cf", state="live"), earlier


def answering(page):
    """Says yes to what is asked; the questions."""
    asked = []

    def answer(dialog):
        asked.append(dialog.message)
        dialog.accept()

    page.on("dialog", answer)
    return asked


def test_a_training_tells_how_far_it_is_until_it_is_cancelled(staff, live_server):
    run = request_training(kind="content")
    staff.goto(live_server.url + PAGE)
    read(staff)
    card = staff.locator('[data-reco-run="content"]')
    assert card.locator("progress").get_attribute("value") == "0"
    TrainingRun.objects.filter(pk=run.pk).update(state="running", phase="training", progress=0.42)
    staff.wait_for_function("document.querySelector('[data-reco-run=content] progress').value === 42")
    assert "42%" in card.locator("[data-reco-told]").inner_text()
    card.locator("button").focus()
    with staff.expect_navigation():
        staff.keyboard.press("Enter")
    run.refresh_from_db()
    assert run.state == "cancelled"
    assert staff.locator("[data-reco-run]").count() == 0


def test_the_page_asks_no_more_when_the_training_is_done(staff, live_server):
    run = request_training(kind="content")
    staff.goto(live_server.url + PAGE)
    run_next()
    run.refresh_from_db()
    assert run.state == "done"
    staff.wait_for_function("document.querySelector('[data-reco-run=content] progress').value === 100")
    asked = []
    staff.on("request", lambda request: asked.append(request.url))
    staff.wait_for_timeout(3000)
    assert not any("progress" in url for url in asked)
    assert not staff.locator("[data-reco-cancel]").is_visible()


def test_a_version_is_taken_back_with_a_reason_and_by_keyboard(staff, live_server, two):
    _live, earlier = two
    asked = answering(staff)
    staff.goto(live_server.url + PAGE)
    read(staff)
    back = reverse("reco_admin:reco_recommendations_recommender_go_back", args=["item_cf"])
    field = staff.locator(f'form[action="{back}"] [name=why]')
    field.focus()
    staff.keyboard.press("Enter")
    assert not Promotion.objects.filter(decided_by="roll_back").exists()  # not without a reason
    staff.keyboard.type("worse lists")
    staff.keyboard.press("Enter")
    staff.wait_for_selector("td:has-text('worse lists')")
    earlier.refresh_from_db()
    assert earlier.state == "live"
    assert len(asked) == 1


def test_two_versions_are_compared_and_one_is_made_to_serve(staff, live_server, two):
    _live, earlier = two
    asked = answering(staff)
    staff.goto(live_server.url + PAGE)
    staff.locator("a[href*=compare]").first.focus()
    staff.keyboard.press("Enter")
    staff.wait_for_selector(".reco-side")
    read(staff)
    staff.locator("[name=why]").focus()
    staff.keyboard.type("it was better")
    staff.keyboard.press("Enter")
    staff.wait_for_url("**/modelversion/**")
    earlier.refresh_from_db()
    assert earlier.state == "live"
    assert len(asked) == 1
