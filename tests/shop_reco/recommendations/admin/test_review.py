"""The pages on which staff review feedback: what they tell, who may decide, and that their cost does not grow."""

from __future__ import annotations

import datetime as dt
import re
import uuid

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from shop_reco.recommendations.models import Feedback, Rule, Slate, Verdict
from shop_reco.recommendations.services import decide
from shop_reco.users.models import Shopper

BASE = "/admin/reco_recommendations/feedback"
JSON = {"HTTP_ACCEPT": "application/json"}


@pytest.fixture
def member(db):
    """Signs staff in who have some permissions and no others."""

    def member(*names):
        user = User.objects.create_user(f"with {len(names)}", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=names))
        client = Client()
        client.force_login(user)
        client.user = user
        return client

    return member


@pytest.fixture
def reviewer(member):
    return member("view_feedback", "change_feedback")


def post(client, what, feedback=(), **fields):
    items = [f"{each.pk}:{each.mark}" for each in feedback]
    return client.post(f"{BASE}/queue/{what}/", {"item": items, **fields}, **JSON)


def told(client, query=""):
    return client.get(f"{BASE}/queue/{query}")


def listed(client, query=""):
    return [row["feedback"].pk for row in told(client, query).context["rows"]]


def test_a_piece_tells_the_list_the_reasons_and_a_pseudonym_and_never_who_it_is(complain, staff):
    (said,) = complain(1, kind="wrong_reason")
    Shopper.objects.filter(pk=said.shopper_id).update(external_id="anna.schmidt@shop.example")
    page = told(staff).content.decode()
    item = Slate.objects.get(pk=said.slate_id).items[0]
    assert f"shopper {said.shopper.public_id.hex[:8]}" in page
    assert "anna" not in page
    assert "Picked for you, rank 1" in page
    for reason in item["reasons"]:
        assert f"{reason['points']:.4f}" in page
    assert f"{item['score']:.4f}" in page
    assert page.count("<rect x=") == len(item["reasons"])
    assert f"{said.get_reason_display()} <strong>(called wrong)" in page


def test_the_detail_alone_is_what_the_page_shows(complain, staff):
    (said,) = complain(1)
    alone = staff.get(f"{BASE}/queue/{said.pk}/").content.decode()
    assert f'data-piece="{said.pk}"' in alone
    assert "<html" not in alone
    assert staff.get(f"{BASE}/queue/{said.pk + 1}/").status_code == 404


def test_other_feedback_on_the_product_is_counted(complain, staff, trained):
    complain(3, product=trained.products["Tea-1"])
    complain(2, product=trained.products["Tea-1"], kind="already_have")
    page = told(staff).context["piece"]["told"]
    assert sorted(page.others) == [("Already have it", 1), ("Not interested", 3)]


def test_a_list_that_is_gone_leaves_what_the_feedback_kept_of_it(complain, staff):
    complain(1)
    Slate.objects.all().delete()
    page = told(staff).content.decode()
    assert "Picked for you, rank 1" in page
    assert "The list is not kept any more" in page


@pytest.mark.parametrize(
    ("query", "fits"),
    [
        ("?kind=dislike", {"dislike"}),
        ("?review=accepted", {"like"}),
        ("?review=all", {"like", "dislike", "not_interested"}),
        ("?placement=home", {"dislike", "not_interested"}),
        ("?placement=similar", set()),
        ("?age=7", {"not_interested"}),
        ("?age=-7", {"dislike"}),
        ("?age=nonsense&kind=nonsense", {"dislike", "not_interested"}),
    ],
)
def test_each_filter_keeps_what_it_names(complain, staff, query, fits):
    complain(1)
    old = complain(1, kind="dislike")
    old.update(given_at=timezone.now() - dt.timedelta(days=10))
    complain(1, kind="like").update(review="accepted")
    assert set(Feedback.objects.filter(pk__in=listed(staff, query)).values_list("kind", flat=True)) == fits


def test_the_reason_the_recommender_the_category_and_the_product_narrow_the_queue(complain, staff, trained):
    said = list(complain(6))
    some = said[0]
    for name in ("reason", "recommender"):
        fits = {each.pk for each in said if getattr(each, name) == getattr(some, name)}
        assert set(listed(staff, f"?{name}={getattr(some, name)}")) == fits
    of_category = {each.pk for each in said if each.product.category_id == some.product.category_id}
    assert set(listed(staff, f"?category={some.product.category_id}")) == of_category
    assert set(listed(staff, f"?category={some.product.category.parent_id}")) == {each.pk for each in said}
    assert set(listed(staff, f"?product={some.product_id}")) == {e.pk for e in said if e.product_id == some.product_id}
    assert set(listed(staff, f"?brand={some.product.brand_id}")) == {
        each.pk for each in said if each.product.brand_id == some.product.brand_id
    }


def test_the_next_page_goes_on_where_this_one_ended(complain, staff, monkeypatch):
    monkeypatch.setattr("shop_reco.recommendations.reviewing.PAGE", 2)
    said = [each.pk for each in complain(5).order_by("-given_at", "-pk")]
    seen, query = [], ""
    while True:
        page = told(staff, query).context
        seen += [row["feedback"].pk for row in page["rows"]]
        if not page["next"]:
            break
        query = f"?{page['next']}"
    assert seen == said


def test_where_nothing_waits_the_page_says_so_and_where_nothing_fits_too(shop, staff):
    assert "Nothing waits for a review" in told(staff).content.decode()
    assert "Nothing here fits these filters" in told(staff, "?kind=like").content.decode()


def test_a_decision_answers_a_script_with_the_lines_as_they_are_now(complain, staff):
    one, two = complain(2)
    reply = post(staff, "decide", [one, two], act="accept", ticket=str(uuid.uuid4())).json()
    assert reply["text"] == ["Accepted: 2"]
    assert sorted(reply["done"]) == [one.pk, two.pk]
    assert 'data-review="accepted"' in reply["rows"][str(one.pk)]
    again = post(staff, "undo", ticket=reply["ticket"]).json()
    assert again["text"] == ["Undone: 2"]
    assert 'data-review="open"' in again["rows"][str(one.pk)]
    assert set(Feedback.objects.values_list("review", flat=True)) == {"open"}


def test_without_a_script_a_decision_leads_back_to_the_same_queue(complain, staff):
    (said,) = complain(1)
    form = {"item": [f"{said.pk}:{said.mark}"], "act": "dismiss", "back": "kind=not_interested"}
    reply = staff.post(f"{BASE}/queue/decide/", form, follow=True)
    assert reply.redirect_chain == [(f"{BASE}/queue/?kind=not_interested", 302)]
    assert "Dismissed: 1" in reply.content.decode()


def test_the_second_of_two_reviewers_is_told_by_name(complain, staff, reviewer):
    (said,) = complain(1)
    assert post(reviewer, "decide", [said], act="accept").json()["done"] == [said.pk]
    reply = post(staff, "decide", [said], act="dismiss").json()
    assert reply["done"] == []
    assert reply["text"][0].startswith("with 2 decided on Not interested:")
    assert reply["text"][0].endswith("Accepted. Nothing was changed.")
    assert 'data-review="accepted"' in reply["rows"][str(said.pk)]


def test_what_was_decided_is_in_the_history_and_taken_back_from_there(complain, staff):
    (said,) = complain(1)
    post(staff, "decide", [said], act="exclude")
    verdict = Verdict.objects.get()
    page = told(staff, f"?review=all&item={said.pk}").content.decode()
    assert "Kept from this shopper, staff" in page
    assert f'name="verdict" value="{verdict.pk}"' in page
    post(staff, "undo", verdict=verdict.pk)
    said.refresh_from_db()
    assert (said.review, said.excluded) == ("open", False)
    page = told(staff, f"?review=all&item={said.pk}").content.decode()
    assert "undone by staff" in page
    assert 'name="verdict"' not in page


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"act": "praise"}, 400),
        ({"act": "silence", "reason": "REMAINDER"}, 400),
        ({"act": "accept", "item": "1"}, 400),
        ({"act": "accept", "item": "x:open"}, 400),
        ({"act": "accept", "item": [f"{n}:open" for n in range(1, 300)]}, 400),
        ({"act": "accept", "item": "999999:open"}, 200),
    ],
)
def test_a_decision_that_makes_no_sense_is_refused(complain, staff, fields, status):
    complain(1)
    assert staff.post(f"{BASE}/queue/decide/", fields, **JSON).status_code == status
    assert not Verdict.objects.exists()


def test_nothing_is_decided_by_a_link_or_without_a_token(complain, staff):
    (said,) = complain(1)
    for what in ("decide", "undo"):
        assert staff.get(f"{BASE}/queue/{what}/").status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.get(username="staff"))
    assert post(strict, "decide", [said], act="accept").status_code == 403
    assert not Verdict.objects.exists()


def test_who_may_only_look_looks_and_decides_nothing(complain, member):
    (said,) = complain(1)
    reader = member("view_feedback")
    page = told(reader).content.decode()
    assert f'data-piece="{said.pk}"' in page
    assert 'name="act"' not in page
    assert "review.js" not in page
    assert post(reader, "decide", [said], act="accept").status_code == 403
    assert post(reader, "undo", verdict=1).status_code == 403
    assert not Verdict.objects.exists()


def test_who_may_not_look_sees_neither_queue_nor_piece_nor_themes(complain, member):
    (said,) = complain(1)
    other = member("view_rule")
    for page in ("queue/", f"queue/{said.pk}/", "themes/"):
        assert other.get(f"{BASE}/{page}").status_code == 403


@pytest.mark.parametrize("act", ["hide", "silence"])
def test_what_makes_a_rule_needs_the_right_to_add_one_and_so_does_its_undo(complain, reviewer, staff, act):
    (said,) = complain(1, kind="wrong_reason")
    page = told(reviewer).content.decode()
    assert "Hide from all" not in page
    assert "Write a rule" not in page
    assert post(reviewer, "decide", [said], act=act).status_code == 403
    assert not Rule.objects.exists()
    done = decide(seen={said.pk: said.mark}, act=act, by=None)
    assert post(reviewer, "undo", ticket=str(done.ticket)).status_code == 403
    assert Rule.objects.count() == 1
    assert post(staff, "undo", ticket=str(done.ticket)).json()["done"] == [said.pk]
    assert not Rule.objects.exists()


def test_a_rule_is_written_on_a_form_that_knows_the_product(complain, staff):
    (said,) = complain(1)
    form = staff.get(told(staff).context["piece"]["rule"]).context["adminform"].form
    assert form.initial == {"action": "hide", "product": str(said.product_id)}


def test_any_reason_that_the_list_told_may_be_silenced_the_one_called_wrong_is_offered_first(complain, staff):
    (said,) = complain(1, kind="wrong_reason")
    page = told(staff).content.decode()
    offered = re.findall(
        r'<option value="([A-Z_]+)">', page.partition('class="reco-silence"')[2].partition("</select>")[0]
    )
    assert offered[0] == said.reason
    assert len(offered) > 1
    assert "REMAINDER" not in offered
    post(staff, "decide", [said], act="silence", reason=offered[-1])
    assert Rule.objects.get().reason == offered[-1]


def test_staff_silence_a_reason_by_a_rule_of_their_own(complain, staff, trained):
    fields = {"action": "silence", "product": trained.products["Tea-1"].pk, "points": "0", "active": "on"}
    empty = {f"{name}_{k}": "" for name in ("starts_at", "ends_at") for k in (0, 1)}
    page = staff.post("/admin/reco_recommendations/rule/add/", fields | empty).content.decode()
    assert "A reason goes with one product" in page
    assert (
        staff.post("/admin/reco_recommendations/rule/add/", fields | empty | {"reason": "POPULAR"}).status_code == 302
    )
    assert str(Rule.objects.get()) == "Do not tell a reason (Popular): Tea 1"


@pytest.mark.parametrize("page", ["queue/", "queue/?review=all&category={category}", "themes/"])
def test_a_hundred_rows_cost_as_many_queries_as_ten(complain, staff, trained, page):
    kinds = ["not_interested", "wrong_reason", "dislike", "already_have"]
    complain(10, kind=kinds[0], product=trained.products["Tea-1"])
    complain(10, kind=kinds[1])
    address = f"{BASE}/{page.format(category=trained.products['Tea-1'].category_id)}"
    staff.get(address)
    costs = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            assert staff.get(address).status_code == 200
        costs.append(len(queries))
        for kind in kinds:
            complain(30, kind=kind)
    assert costs[0] == costs[1]
    assert not [each["sql"] for each in queries.captured_queries if "reco_events_event" in each["sql"]]


def test_a_bulk_decision_of_a_hundred_costs_as_many_queries_as_one_of_ten(complain, staff):
    for kind in ("not_interested", "wrong_reason", "dislike", "already_have"):
        complain(30, kind=kind)
    said = list(Feedback.objects.order_by("pk"))
    costs = []
    for some in (said[:10], said[10:110]):
        with CaptureQueriesContext(connection) as queries:
            reply = post(staff, "decide", some, act="exclude")
        assert len(reply.json()["done"]) == len(some)
        with CaptureQueriesContext(connection) as undone:
            assert len(post(staff, "undo", ticket=reply.json()["ticket"]).json()["done"]) == len(some)
        costs.append((len(queries), len(undone)))
    (few, few_undone), (many, many_undone) = costs
    assert 0 <= many - few <= 3  # SQLite takes no more than a thousand values in one statement
    assert 0 <= many_undone - few_undone <= 3
