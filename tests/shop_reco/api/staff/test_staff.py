"""Staff run the recommendations through the API as they do in the admin; nobody else runs anything."""

from __future__ import annotations

import base64

import pytest
from django.contrib.auth.models import Permission, User

from shop_reco.api.ids import global_id
from shop_reco.api.schema import schema
from shop_reco.recommendations.models import Feedback, ModelVersion, Placement, Promotion, Recommender, TrainingRun
from shop_reco.recommendations.services import give_feedback, request_training
from shop_reco.recommendations.training import run_next
from shop_reco.staff.models import StaffAction
from shop_reco.users.models import ApiKey, Shopper
from shop_reco.users.services import issue_key
from tests.shop_reco.graphql import LIST, ask

OF_SHOPPERS = {
    "trackEvents", "giveFeedback", "withdrawFeedback", "updateConsent", "undoLink", "editInterests", "exportMyData",
    "eraseMe",
}  # fmt: skip
OF_SERVERS = {"upsertProducts", "deleteProducts"}
OF_STAFF = {
    "setRecommenderEnabled": ("change_recommender", "(kind: ITEM_CF, enabled: false) { errors { code } }"),
    "setPlacement": ("change_placement add_placement", '(input: {key: "home", size: 3}) { errors { code } }'),
    "startTraining": ("add_trainingrun", "(kind: POPULARITY) { errors { code } }"),
    "cancelTraining": ("change_trainingrun", '(run: "%(run)s") { errors { code } }'),
    "promote": ("change_modelversion", '(version: "%(version)s", why: "it was better") { errors { code } }'),
    "rollback": ("change_recommender", "(kind: POPULARITY) { errors { code } }"),
    "reviewFeedback": ("change_feedback", "(feedback: [], verdict: ACCEPTED) { errors { code } }"),
}
READS = {
    "recommenders": ("view_recommender view_modelversion view_trainingrun", "{ kind }"),
    "placements": ("view_placement", "{ key }"),
    "trainingRun": ("view_trainingrun", '(id: "%(run)s") { state }'),
    "compare": ("view_recommender view_modelversion", '(version: "%(version)s", other: "%(version)s") { sameRecipe }'),
}
TRAIN = "mutation { startTraining(kind: POPULARITY) { run { id state kind } errors { code } } }"


@pytest.fixture
def boss(client, trained):
    client.force_login(User.objects.create_superuser("boss"))
    return client


@pytest.fixture
def ids(trained):
    run = TrainingRun.objects.filter(recommender="popularity").latest("pk")
    return {"run": global_id("TrainingRun", run.public_id), "version": global_id("ModelVersion", run.version.public_id)}


def code_of(reply):
    return reply["errors"][0]["extensions"]["code"] if "errors" in reply else "OK"


def person(permissions, *, is_staff=True):
    user = User.objects.create_user("someone", is_staff=is_staff)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions.split()))
    return user


def documents(ids):
    for name, (permissions, rest) in OF_STAFF.items():
        yield permissions, f"mutation {{ {name}{rest % ids if '%' in rest else rest} }}"
    for name, (permissions, rest) in READS.items():
        yield permissions, f"{{ {name}{rest % ids if '%' in rest else rest} }}"


def test_every_mutation_of_the_schema_says_whose_it_is():
    """One that is added without a rule for who may call it fails here."""
    assert set(schema._schema.mutation_type.fields) == OF_SHOPPERS | OF_SERVERS | OF_STAFF.keys()


def test_nobody_but_staff_with_the_permission_gets_anywhere(trained, client, ids):
    every = {scope: issue_key(name=scope, scopes=[scope])[1] for scope in ApiKey.Scope.values}
    before = list(Recommender.objects.values()), TrainingRun.objects.count(), list(Placement.objects.values())
    for _, document in documents(ids):
        assert code_of(ask(client, document)) == "FORBIDDEN", document
        for key in every.values():
            assert code_of(ask(client, document, Authorization=f"Bearer {key}", X_Shopper="h0")) == "FORBIDDEN"
    some_staff, no_staff = person("view_slate"), None
    client.force_login(some_staff)
    assert {code_of(ask(client, document)) for _, document in documents(ids)} == {"FORBIDDEN"}
    some_staff.delete()
    no_staff = person("change_recommender change_placement add_placement change_feedback view_recommender "
                      "view_modelversion view_trainingrun view_placement add_trainingrun change_trainingrun "
                      "change_modelversion", is_staff=False)  # fmt: skip
    client.force_login(no_staff)
    assert {code_of(ask(client, document)) for _, document in documents(ids)} == {"FORBIDDEN"}
    assert before == (list(Recommender.objects.values()), TrainingRun.objects.count(), list(Placement.objects.values()))


def test_the_permission_that_the_admin_asks_for_is_enough(trained, client, ids):
    for permissions, document in documents(ids):
        user = person(permissions)
        client.force_login(user)
        assert code_of(ask(client, document)) == "OK", document
        user.delete()


def test_a_switch_is_in_the_next_list(boss):
    switch = """mutation($kind: RecommenderKind!) { setRecommenderEnabled(kind: $kind, enabled: false) {
        recommender { kind enabled live { state } } } }"""
    assert ask(boss, LIST, {"n": 5})["data"]["recommendations"]["rung"] == "POPULAR"
    for kind in ("POPULARITY", "TRENDING"):
        told = ask(boss, switch, {"kind": kind})["data"]["setRecommenderEnabled"]["recommender"]
        assert told == {"kind": kind, "enabled": False, "live": {"state": "LIVE"}}
    assert ask(boss, LIST, {"n": 5})["data"]["recommendations"]["rung"] == "NEWEST"


def test_a_training_is_asked_for_once_followed_and_done(boss):
    first = ask(boss, TRAIN)["data"]["startTraining"]["run"]
    assert first["state"] == "QUEUED"
    assert ask(boss, TRAIN)["data"]["startTraining"]["run"]["id"] == first["id"]
    assert TrainingRun.objects.get(state="queued").requested_by.username == "boss"
    run_next()
    query = "query($id: ID!) { trainingRun(id: $id) { state progress phase why finishedAt } }"
    told = ask(boss, query, {"id": first["id"]})["data"]["trainingRun"]
    assert (told["state"], told["progress"], told["phase"]) == ("DONE", 1.0, "")


def test_a_training_that_waits_can_be_stopped(boss):
    run = ask(boss, TRAIN)["data"]["startTraining"]["run"]["id"]
    stop = "mutation($run: ID!) { cancelTraining(run: $run) { run { state } } }"
    assert ask(boss, stop, {"run": run})["data"]["cancelTraining"]["run"]["state"] == "CANCELLED"
    assert run_next() is None


def test_back_and_forth_with_who_and_why(boss):
    before = ModelVersion.objects.get(recommender="popularity", state="live")
    request_training(kind="popularity")
    run_next()
    back = ask(boss, "mutation { rollback(kind: POPULARITY) { version { id state } } }")["data"]["rollback"]["version"]
    assert back["state"] == "LIVE"
    assert ModelVersion.objects.get(recommender="popularity", state="live") == before
    newer = ModelVersion.objects.filter(recommender="popularity").latest("pk")
    promote = (
        "mutation($v: ID!, $why: String!) { promote(version: $v, why: $why) { version { state } errors { field } } }"
    )
    version = global_id("ModelVersion", newer.public_id)
    assert ask(boss, promote, {"v": version, "why": " "})["data"]["promote"]["errors"] == [{"field": "why"}]
    assert ask(boss, promote, {"v": version, "why": "its lists sell"})["data"]["promote"]["version"]["state"] == "LIVE"
    history = Promotion.objects.filter(version__recommender="popularity").order_by("pk")
    assert [(each.decided_by, each.person and each.person.username, each.why) for each in history][-2:] == [
        ("roll_back", "boss", ""),
        ("staff", "boss", "its lists sell"),
    ]


def test_a_way_back_is_kept_with_its_reason_where_one_is_given(boss):
    request_training(kind="popularity")
    run_next()
    back = 'mutation { rollback(kind: POPULARITY, why: " worse lists ") { version { id } errors { field } } }'
    assert ask(boss, back)["data"]["rollback"]["errors"] == []
    assert Promotion.objects.latest("pk").why == "worse lists"
    kept = StaffAction.objects.latest("pk")
    assert (kept.what, kept.why, kept.via) == ("go_back", "worse lists", "api")


def test_a_reason_that_no_database_can_hold_takes_nothing_back(boss):
    request_training(kind="popularity")
    run_next()
    live = ModelVersion.objects.get(recommender="popularity", state="live")
    query = "mutation($why: String!) { rollback(kind: POPULARITY, why: $why) { version { id } errors { code } } }"
    assert "BAD_VALUE" in str(ask(boss, query, {"why": "a\0b"}))
    assert ModelVersion.objects.get(recommender="popularity", state="live") == live


def test_without_an_earlier_version_there_is_no_way_back(boss):
    answer = ask(boss, "mutation { rollback(kind: CONTENT) { version { id } errors { code field } } }")
    assert answer["data"]["rollback"] == {"version": None, "errors": [{"code": "NOTHING", "field": "kind"}]}


def test_a_placement_is_changed_in_what_is_named_and_made_if_it_is_new(boss):
    change = """mutation($i: PlacementInput!) { setPlacement(input: $i) {
        placement { key size title switchedOff } errors { field } } }"""
    home = {"key": "home", "size": 4, "switchedOff": ["USER_CF"]}
    told = ask(boss, change, {"i": home})["data"]["setPlacement"]["placement"]
    assert told == {**home, "title": "Picked for you"}
    assert len(ask(boss, LIST, {"n": 9})["data"]["recommendations"]["edges"]) == 4
    new = {"key": "basket", "title": "With your basket", "strategy": "BOUGHT_TOGETHER"}
    assert ask(boss, change, {"i": new})["data"]["setPlacement"]["placement"]["key"] == "basket"
    assert ask(boss, change, {"i": {"key": "home", "size": None}})["data"]["setPlacement"]["placement"]["size"] is None


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"diversity": 2.0}, ""),
        ({"exploration": 0.9}, ""),
        ({"title": ""}, "title"),
        ({"size": -3}, "size"),
        ({"reasons": None}, "reasons"),
    ],
)
def test_a_value_that_makes_no_sense_is_named_and_nothing_changes(boss, values, field):
    change = "mutation($i: PlacementInput!) { setPlacement(input: $i) { placement { key } errors { field } } }"
    before = Placement.objects.filter(key="home").values().get()
    told = ask(boss, change, {"i": {"key": "home", **values}})["data"]["setPlacement"]
    assert told["placement"] is None
    assert told["errors"][0]["field"] == field
    assert Placement.objects.filter(key="home").values().get() == before


def test_feedback_is_reviewed_by_whoever_is_signed_in(boss, person_with_feedback):
    name = base64.urlsafe_b64encode(f"Feedback:{person_with_feedback.pk}".encode()).decode()
    review = "mutation($f: [ID!]!) { reviewFeedback(feedback: $f, verdict: ACCEPTED) { reviewed } }"
    assert ask(boss, review, {"f": [name]})["data"]["reviewFeedback"]["reviewed"] == 1
    row = Feedback.objects.get()
    assert (row.review, row.reviewed_by.username) == ("accepted", "boss")
    assert code_of(ask(boss, review, {"f": ["nonsense"]})) == "BAD_ID"


@pytest.fixture
def person_with_feedback(trained):
    give = {"shopper": Shopper.objects.get(external_id="h0"), "product": trained.products["Tea-3"], "kind": "like"}
    return give_feedback(**give)


def test_versions_are_compared_by_what_the_gate_measured_of_both(boss, settings):
    given = {**settings.SHOP_RECO, "RECOMMENDERS": {"popularity": {"half_life": 7.0}}}
    before = ModelVersion.objects.get(recommender="popularity", state="live")
    settings.SHOP_RECO = given
    request_training(kind="popularity")
    assert run_next().state == "done"
    after = ModelVersion.objects.filter(recommender="popularity").latest("pk")
    names = {"a": global_id("ModelVersion", after.public_id), "b": global_id("ModelVersion", before.public_id)}
    query = """query($a: ID!, $b: ID!) { compare(version: $a, other: $b) {
        sameRecipe version { id } figures { section metric version other } } }"""
    told = ask(boss, query, names)["data"]["compare"]
    assert told["sameRecipe"] is False
    figures = {(each["section"], each["metric"]): each for each in told["figures"]}
    recall = next(each for (section, metric), each in figures.items() if metric.startswith("recall"))
    assert recall["version"] is not None
    content = ModelVersion.objects.get(recommender="content", state="live")
    wrong = {**names, "b": global_id("ModelVersion", content.public_id)}
    assert code_of(ask(boss, query, wrong)) == "BAD_VALUE"
    assert code_of(ask(boss, query, {**names, "b": global_id("ModelVersion", before.public_id).upper()})) == "BAD_ID"
