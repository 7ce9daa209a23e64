"""What staff do is kept: who, when, what, to which row, before and after; never changed, and no secret in clear."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from shop_reco.api.ids import global_id
from shop_reco.events.flags import Suspicion, raise_flags
from shop_reco.events.models import ShopperFlag
from shop_reco.products.models import Category, Product
from shop_reco.recommendations.models import Feedback, ModelVersion, Placement, Recommender, Rule, TrainingRun
from shop_reco.recommendations.services import give_feedback
from shop_reco.recommendations.training import run_next
from shop_reco.staff.audit import note, noted
from shop_reco.staff.errors import AppendOnlyError
from shop_reco.staff.models import Role, StaffAction
from shop_reco.users.models import ApiKey, Shopper
from shop_reco.users.services import issue_key
from tests.shop_reco.graphql import ask

from .conftest import address, own_pages
from .test_matrix import ACTIONS, BUTTONS, SHOWN


@pytest.fixture
def boss(team):
    return team["administrator"]


def last():
    return StaffAction.objects.latest("pk")


def told(action):
    return action.what, action.model, action.object_id, action.changes


def test_a_form_that_adds_changes_and_deletes_a_rule_leaves_three_records(shop, boss):
    form = {"action": "boost", "points": "1", "active": "on", "product": shop.products["Tea-1"].pk}
    form |= {f"{name}_{part}": "" for name in ("starts_at", "ends_at") for part in (0, 1)}
    began = timezone.now()
    assert boss.client.post(address(Rule, "add"), form).status_code == 302
    rule = Rule.objects.get()
    added = last()
    assert (added.who, added.staff, added.via) == ("the administrator", boss.user, "admin")
    assert began <= added.at <= timezone.now()
    assert added.changes["points"] == [None, 1.0]
    boss.client.post(address(Rule, "change", rule.pk), {**form, "points": "2.5"})
    assert told(last()) == ("change", "reco_recommendations.rule", str(rule.pk), {"points": [1.0, 2.5]})
    boss.client.post(address(Rule, "delete", rule.pk), {"post": "yes"})
    assert (last().what, last().changes["points"]) == ("delete", [2.5, None])
    assert StaffAction.objects.count() == 3


def test_a_form_that_changes_nothing_leaves_no_record(shop, boss):
    category = Category.objects.get(path="Shop > Tea")
    boss.client.post(address(Category, "change", category.pk), {"sensitive": ""})
    assert not StaffAction.objects.exists()
    boss.client.post(address(Category, "change", category.pk), {"sensitive": "on"})
    assert told(last()) == ("change", "reco_products.category", str(category.pk), {"sensitive": [False, True]})


def test_rows_that_are_deleted_together_leave_a_record_each(shop, boss):
    rules = [Rule.objects.create(action="boost", product=shop.products[sku], points=1.0) for sku in ("Tea-1", "Tea-2")]
    picked = {"action": "delete_selected", "_selected_action": [each.pk for each in rules]}
    boss.client.post(address(Rule, "changelist"), picked)
    assert not StaffAction.objects.exists()
    boss.client.post(address(Rule, "changelist"), {**picked, "post": "yes"})
    assert not Rule.objects.exists()
    assert set(StaffAction.objects.values_list("what", "object_id")) == {("delete", str(each.pk)) for each in rules}


def test_every_action_and_button_of_the_admin_has_a_word(db):
    buttons = {name.rpartition(".")[2] for name in own_pages()} - {"train_all", "from", "password_change"} - SHOWN
    buttons -= {"decide", "process_import"}  # kept as the verdict and as the import
    actions = {name.rpartition(".")[2] for name in ACTIONS} - {"delete_selected"}
    assert buttons | actions <= set(StaffAction.What.values)
    assert set(own_pages()) == set(BUTTONS)


@pytest.mark.parametrize(
    ("model", "action", "changes"),
    [
        (Recommender, "switch_off", {"enabled": [True, False]}),
        (Product, "hide", {"visible": [True, False]}),
        (Category, "mark_sensitive", {"sensitive": [False, True]}),
    ],
)
def test_what_is_done_to_chosen_rows_leaves_a_record_each(shop, boss, model, action, changes):
    rows = model.objects.order_by("pk")[:2]
    picked = [each.pk for each in rows]
    boss.client.post(address(model, "changelist"), {"action": action, "_selected_action": picked})
    kept = StaffAction.objects.order_by("pk")
    assert {(each.what, each.object_id) for each in kept} == {(action, str(pk)) for pk in picked}
    for each in kept:
        assert changes.items() <= each.changes.items()


def test_buttons_leave_records_and_one_that_is_refused_leaves_none(trained, boss, team):
    boss.client.post(address(Recommender, "switch", "content"), {"enabled": "0"})
    assert told(last())[:3] == ("switch", "reco_recommendations.recommender", "content")
    assert last().changes["enabled"] == [True, False]
    boss.client.post(address(Recommender, "train", "content"))
    run = TrainingRun.objects.latest("pk")
    assert told(last()) == ("train", "reco_recommendations.trainingrun", str(run.pk), {})
    boss.client.post(address(TrainingRun, "cancel", run.pk))
    assert (last().what, last().changes["state"]) == ("cancel", ["queued", "cancelled"])
    n = StaffAction.objects.count()
    assert team["viewer"].client.post(address(Recommender, "switch", "content"), {"enabled": "1"}).status_code == 403
    assert team["viewer"].client.post(address(Recommender, "train_all")).status_code == 403
    assert StaffAction.objects.count() == n
    boss.client.post(address(Recommender, "train_all"))
    assert StaffAction.objects.filter(what="train").count() == 1 + Recommender.objects.count()


def test_a_version_that_staff_make_serve_is_kept_with_the_reason(trained, boss):
    boss.client.post(address(Recommender, "train", "popularity"))
    run_next()
    assert "Why go back?" in boss.client.post(address(Recommender, "go_back", "popularity")).content.decode()
    boss.client.post(address(Recommender, "go_back", "popularity"), {"why": "worse lists"})
    live = ModelVersion.objects.get(recommender="popularity", state="live")
    assert told(last()) == (
        "go_back", "reco_recommendations.modelversion", str(live.pk), {"state": ["retired", "live"]},
    )  # fmt: skip
    newer = ModelVersion.objects.filter(recommender="popularity").latest("pk")
    n = StaffAction.objects.count()
    boss.client.post(address(ModelVersion, "promote", newer.pk), {"why": " "})
    assert StaffAction.objects.count() == n
    boss.client.post(address(ModelVersion, "promote", newer.pk), {"why": "it sells"})
    assert (last().what, last().object_id, last().why) == ("promote", str(newer.pk), "it sells")


def test_a_review_and_a_cleared_flag_name_no_shopper(trained, person, boss):
    give_feedback(shopper=person, product=trained.products["Tea-1"], kind="like")
    row = Feedback.objects.get()
    boss.client.post(address(Feedback, "review", row.pk), {"verdict": "accepted"})
    assert (last().what, last().name, last().changes["review"]) == ("review", "", ["open", "accepted"])
    raise_flags(suspicions=[Suspicion(person.pk, "bots", "60/1", {"acts": 144})])
    flag = ShopperFlag.objects.get()
    boss.client.post(address(ShopperFlag, "clear", flag.pk))
    assert (last().what, last().name, list(last().changes)) == ("clear", "", ["cleared_at", "cleared_by"])
    assert person.external_id not in str(list(StaffAction.objects.values()))


MUTATIONS = {
    "setRecommenderEnabled": ("(kind: CONTENT, enabled: false) { errors { code } }", "switch"),
    "setPlacement": ('(input: {key: "home", size: 3}) { errors { code } }', "change"),
    "startTraining": ("(kind: POPULARITY) { errors { code } }", "train"),
    "cancelTraining": ('(run: "%(run)s") { errors { code } }', "cancel"),
    "promote": ('(version: "%(version)s", why: "it was better") { errors { code } }', "promote"),
    "rollback": ("(kind: TRENDING) { errors { code } }", "go_back"),
    "reviewFeedback": ('(feedback: ["%(feedback)s"], verdict: ACCEPTED) { errors { code } }', "review"),
}


def test_each_mutation_of_staff_leaves_a_record(trained, person, boss):
    import base64

    from shop_reco.recommendations.services import request_training

    from .test_matrix import WRITES

    assert MUTATIONS.keys() == WRITES.keys()
    request_training(kind="trending")
    run_next()
    give_feedback(shopper=person, product=trained.products["Tea-1"], kind="like")
    waiting = request_training(kind="content")
    retired = ModelVersion.objects.filter(recommender="trending", state="retired").get()
    ids = {
        "run": global_id("TrainingRun", waiting.public_id),
        "version": global_id("ModelVersion", retired.public_id),
        "feedback": base64.urlsafe_b64encode(f"Feedback:{Feedback.objects.get().pk}".encode()).decode(),
    }
    for name, (rest, what) in MUTATIONS.items():
        before = StaffAction.objects.count()
        reply = ask(boss.client, f"mutation {{ {name}{rest % ids if '%' in rest else rest} }}")
        assert reply["data"][name]["errors"] == [], name
        assert StaffAction.objects.count() == before + 1, name
        assert (last().what, last().via, last().who) == (what, "api", "the administrator")
    assert StaffAction.objects.get(what="promote").why == "it was better"
    assert StaffAction.objects.get(what="change").changes == {"size": [None, 3]}


def test_no_secret_and_nobodys_name_is_kept_in_clear(shop, boss):
    boss.client.post(address(ApiKey, "add"), {"name": "till", "scopes": ["lists:read"]})
    assert last().changes["name"] == [None, "till"]
    assert last().changes["digest"] == [None, "•••"]
    key = issue_key(name="other", scopes=["lists:read"])[0]
    boss.client.post(address(ApiKey, "changelist"), {"action": "revoke", "_selected_action": [key.pk], "confirmed": 1})
    assert list(last().changes) == ["revoked_at"]
    colleague = User.objects.create_user("ada", email="ada@mail.example", is_staff=True)
    form = {
        "username": "ada", "email": "countess@mail.example", "is_active": "on", "is_staff": "on",
        "groups": [Role.objects.get(pk="viewer").group_id], "date_joined_0": "2026-01-01", "date_joined_1": "0:00",
    }  # fmt: skip
    boss.client.post(address(User, "change", colleague.pk), form)
    assert (last().name, last().changes["email"]) == ("", ["•••", "•••"])
    assert last().changes["groups"] == [None, "reco_viewer"]
    passwords = {"password1": "Lovelace-1843", "password2": "Lovelace-1843"}
    boss.client.post(f"/admin/auth/user/{colleague.pk}/password/", passwords)
    assert last().changes["password"] == ["•••", "•••"]
    everything = str(list(StaffAction.objects.values()))
    for word in (key.digest, colleague.password, "countess", "Lovelace"):
        assert word not in everything


def test_somebodys_own_new_password_is_kept_as_a_change_without_it(boss):
    boss.user.set_password("Analytical-1837")
    boss.user.save()
    boss.client.force_login(boss.user)
    form = {"old_password": "Analytical-1837", "new_password1": "Lovelace-1843", "new_password2": "Lovelace-1843"}
    assert boss.client.post("/admin/password_change/", form).status_code == 302
    assert told(last()) == ("change", "auth.user", str(boss.user.pk), {"password": ["•••", "•••"]})


def test_a_record_is_neither_changed_nor_deleted(db):
    staff = User.objects.create_user("ada", is_staff=True)
    note(by=staff, what="train", row=None)
    row = StaffAction.objects.get()
    row.who = "somebody else"
    for attempt in (
        row.save,
        row.delete,
        StaffAction.objects.all().delete,
        lambda: StaffAction.objects.update(who="x"),
        lambda: StaffAction.objects.bulk_update([row], ["who"]),
    ):
        with pytest.raises(AppendOnlyError):
            attempt()
    staff.delete()
    kept = StaffAction.objects.get()
    assert (kept.who, kept.staff) == ("ada", None)


def test_a_change_that_fails_leaves_no_record(shop, boss):
    def fails():
        with noted(by=boss.user, what="switch", model=Recommender, pks=["content"]):
            Recommender.objects.filter(pk="content").update(enabled=False)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert not StaffAction.objects.exists()
    assert Recommender.objects.get(pk="content").enabled


def test_a_record_that_cannot_be_kept_leaves_nothing_changed(shop, boss, monkeypatch):
    def full(*rows, **kwargs):
        raise OSError("disk full")

    monkeypatch.setattr(StaffAction.objects, "bulk_create", full)
    with pytest.raises(OSError, match="disk full"):
        boss.client.post(address(Recommender, "switch", "content"), {"enabled": "0"})
    assert Recommender.objects.get(pk="content").enabled


def test_the_page_tells_an_entry_in_a_line_and_filters_by_who_what_and_when(shop, boss):
    boss.client.post(address(Recommender, "switch", "content"), {"enabled": "0"})
    url = address(StaffAction, "changelist")
    page = boss.client.get(url).content.decode()
    for words in ("the administrator", "Switched", "Recommender Content-based", "enabled: True → False"):
        assert words in page
    assert "Content-based" in boss.client.get(url, {"who": "the administrator", "what": "switch"}).content.decode()
    assert "→" not in boss.client.get(url, {"who": "nobody"}).content.decode()
    assert "→" not in boss.client.get(url, {"at__lt": "2020-01-01 00:00:00+00:00"}).content.decode()
    assert boss.client.get(address(StaffAction, "delete", last().pk)).status_code == 403
    assert boss.client.post(address(StaffAction, "change", last().pk), {"who": "x"}).status_code == 403


def test_the_page_asks_as_often_for_many_entries_as_for_one(shop, boss):
    url = address(StaffAction, "changelist")
    note(by=boss.user, what="change", row=Placement.objects.first(), changes={"size": [1, 2]})

    def queries():
        with CaptureQueriesContext(connection) as asked:
            assert boss.client.get(url).status_code == 200
        return len(asked)

    queries()
    before = queries()
    for row in [*Product.objects.all()[:20], *Shopper.objects.all()[:5]]:
        note(by=boss.user, what="change", row=row, changes={"size": [1, 2]})
    assert queries() == before
