"""Staff ask why a list is as it is, and what it would be if something were otherwise."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.contrib.auth.models import Permission, User
from django.http import QueryDict
from django.test import Client

from shop_reco.recommendations.models import Rule
from shop_reco.recommendations.serving import recommend_for
from shop_reco.users.models import Shopper, StaffRead

WHY = "/admin/reco_recommendations/slate/why/"


def titles(page):
    return re.findall(r'<div class="reco-place"><b>\d+</b> <bdi>([^<]+)</bdi>', page)


@pytest.fixture
def asked(staff, trained):
    """The page for a question, the reason why given where it is asked."""

    def asked_(**question):
        question = {"placement": "home", "first": 8} | question
        page = staff.get(WHY, question)
        if 'name="why"' in page.content.decode():
            page = staff.post(page.wsgi_request.get_full_path(), {"why": "a complaint"}, follow=True)
        return page.content.decode()

    return asked_


def test_a_shoppers_list_is_told_term_by_term(asked, person):
    page = asked(shopper="h0")
    served = recommend_for(shopper=person, first=8)
    assert titles(page) == [edge.product.title for edge in served.edges]
    assert page.count('class="reco-bar"') == 8
    assert "It follows from what this shopper did." in page


def test_whoever_looks_at_one_shopper_says_why_and_leaves_a_trace(staff, trained, person):
    assert 'name="why"' in staff.get(WHY, {"shopper": "h0", "placement": "home", "first": 5}).content.decode()
    assert not StaffRead.objects.exists()
    staff.post(f"{WHY}?shopper=h0&placement=home&first=5", {"why": "a complaint"}, follow=True)
    read = StaffRead.objects.get()
    assert (read.shopper_id, read.what, read.why) == (person.pk, "lists", "a complaint")


def test_a_pseudonym_names_a_shopper_too(asked, person):
    assert titles(asked(shopper=str(person.public_id))) == titles(asked(shopper="h0"))


def test_a_stranger_and_a_tried_history_need_no_reason(staff, trained):
    page = staff.get(WHY, {"placement": "home", "first": 6, "skus": "Tea-0, Tea-2"}).content.decode()
    assert len(titles(page)) == 6
    assert not StaffRead.objects.exists()


def test_what_is_supposed_is_shown_beside_what_is(asked):
    now = titles(asked(shopper="h0"))
    page = asked(shopper="h0", off=["user_cf", "item_cf"])
    then = titles(page)
    assert then != now
    assert "The list as it would be" in page
    gone = page.partition('id="gone"')[2].partition("</section>")[0]
    assert set(re.findall(r"<bdi>([^<]+)</bdi>", gone)) == set(now) - set(then)


def test_a_rule_that_hides_something_is_named_and_linked(asked, trained):
    first = titles(asked(shopper="h0"))[0]
    product = next(each for each in trained.products.values() if each.title == first)
    rule = Rule.objects.create(action="hide", product=product)
    assert f"/admin/reco_recommendations/rule/{rule.pk}/change/" in asked(shopper="h0")


def test_a_rule_that_raises_something_is_named_at_it_and_may_be_supposed_away(asked, trained):
    before = titles(asked(shopper="h0"))
    last = titles(asked(shopper="h0", first=20))[-1]
    product = next(each for each in trained.products.values() if each.title == last)
    rule = Rule.objects.create(action="boost", product=product, points=5.0)
    page = asked(shopper="h0")
    assert titles(page)[0] == product.title
    assert page.count("By a rule:") == 1
    assert f'name="lifted" value="{rule.pk}"' in page
    assert titles(asked(shopper="h0", lifted=rule.pk)) == before
    assert Rule.objects.get().active


@pytest.fixture
def seller(trained):
    """May see lists and rules, and nobody's portrait."""
    seller = User.objects.create_user("seller", is_staff=True)
    seller.user_permissions.set(Permission.objects.filter(codename__in=["view_slate", "view_rule", "view_product"]))
    client = Client()
    client.force_login(seller)
    return client


def test_who_may_not_name_a_shopper_is_not_asked_for_one(seller):
    page = seller.get(WHY).content.decode()
    assert 'name="shopper"' not in page
    assert 'name="skus"' in page


def test_a_served_list_leads_to_the_question_why_with_what_it_told_of_the_history(seller, staff, trained, person):
    served = recommend_for(shopper=person, first=5)
    address = f"/admin/reco_recommendations/slate/{served.slate_id}/change/"
    found = re.search(r'href="([^"]+/why/\?[^"]+)"', seller.get(address).content.decode())
    question = QueryDict(unescape(found[1]).partition("?")[2]).dict()
    assert (question["placement"], question["first"]) == ("home", "5")
    assert set(question) == {"placement", "first", "skus"}
    told = {each.sku for edge in served.edges for reason in edge.reasons for each in reason.evidence}
    assert set(question["skus"].split(",")) <= told
    assert len(titles(seller.get(WHY, question).content.decode())) == 5
    assert str(person.public_id) in staff.get(address).content.decode().partition("/why/?")[2].partition('"')[0]


def test_rules_are_for_those_who_may_see_them(client, trained):
    Rule.objects.create(action="boost", product=trained.products["Tea-1"], points=5.0)
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_slate"))
    client.force_login(viewer)
    page = client.get(WHY, {"placement": "home", "lifted": Rule.objects.get().pk}).content.decode()
    assert titles(page)[0] == "Tea 1"
    assert "By a rule:" not in page
    assert 'name="lifted"' not in page


@pytest.mark.parametrize(
    ("question", "complaint"),
    [
        ({"shopper": "nobody"}, "There is no such shopper."),
        ({"skus": "Tea-0, Nope-1"}, "There is no product with this SKU: Nope-1."),
        ({"first": 0}, "greater than or equal to 1"),
        ({"placement": "nowhere"}, "is not one of the available choices"),
    ],
)
def test_what_cannot_be_asked_is_told_at_its_field(asked, question, complaint):
    assert complaint in asked(**question)


def test_who_may_see_lists_alone_sees_nobodys(client, trained):
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_slate"))
    client.force_login(viewer)
    assert client.get(WHY, {"placement": "home", "first": 5}).status_code == 200
    assert client.get(WHY, {"placement": "home", "first": 5, "shopper": "h0"}).status_code == 403
    client.force_login(User.objects.create_user("other", is_staff=True))
    assert client.get(WHY).status_code == 403
    assert Shopper.objects.filter(external_id="h0").exists()


def test_a_past_list_is_computed_again_beside_todays(staff, trained, person):
    served = recommend_for(shopper=person, first=5)
    address = f"/admin/reco_recommendations/slate/{served.slate_id}/"
    assert f"{address}again/" in staff.get(f"{address}change/").content.decode()
    page = staff.get(f"{address}again/").content.decode()
    assert "the same to the bit" in page
    assert page.count("<tr><td>") == 5
    Rule.objects.create(action="boost", points=1, price_max=100)
    changed = staff.get(f"{address}again/").content.decode()
    assert re.search(r"rules of the shop: other points for \d+ products", changed)


RULE = {"action": "boost", "points": "3", "active": "on", "price_min": "", "price_max": ""}


def preview(staff, address="preview/", **fields):
    data = RULE | fields
    return staff.post(f"/admin/reco_recommendations/rule/{address}", data).content.decode()


def test_a_rule_shows_what_it_would_do_and_is_not_saved(staff, trained, person):
    recommend_for(shopper=person, first=8)
    page = preview(staff, placement="home", tag="", price_max="3")
    assert not Rule.objects.exists()
    assert "Picked for you" in page
    assert re.search(r"\d+ places change", page)
    assert not re.search(rf"\b{person.external_id}\b", page)


def test_a_rule_that_says_too_little_is_told_so_in_place_of_an_effect(staff, trained):
    page = preview(staff)
    assert "Name one product, category, brand or tag, or a range of prices." in page
    assert "reco-effects" not in page


def test_a_rule_in_anothers_way_says_so(staff, trained):
    other = Rule.objects.create(action="boost", points=-1, price_max=5)
    page = preview(staff, price_max="3")
    assert "One raises what the other buries" in page
    assert f"rule/{other.pk}/change/" in page
    own = preview(staff, f"{other.pk}/preview/", price_max="3")
    assert "One raises" not in own


def test_who_may_not_add_rules_may_not_preview_them(client, trained):
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_rule"))
    client.force_login(viewer)
    assert client.post("/admin/reco_recommendations/rule/preview/", RULE).status_code == 403
