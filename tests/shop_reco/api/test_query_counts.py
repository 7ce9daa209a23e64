"""How many queries each field of the schema costs: as many for a big answer as for a small one."""

from __future__ import annotations

import base64
import itertools
import json
import uuid
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from shop_reco.api.ids import global_id
from shop_reco.api.schema import schema
from shop_reco.events.services import track
from shop_reco.portraits.services import refresh_dirty
from shop_reco.products.models import Product
from shop_reco.products.services import ProductDraft, import_products
from shop_reco.recommendations.models import Feedback, ModelVersion, TrainingRun
from shop_reco.recommendations.services import give_feedback, promote_by_staff, request_training, set_placement
from shop_reco.recommendations.serving import recommend_for
from shop_reco.recommendations.training import run_next
from shop_reco.users.models import ApiKey, Shopper
from shop_reco.users.services import create_visitor, decide_consent, issue_key, link_visitor
from shop_reco.users.statements import publish_statement
from tests.shop_reco.graphql import ask

FEW, MANY = 2, 12
BESIDE = ("SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK TO SAVEPOINT")
"""What a transaction inside of the test's own says, and outside of it would not."""

PRODUCT = "{ id sku title description price currency inStock category { name path slug } brand url imageUrl }"
REASONS = f"{{ kind text points evidence {PRODUCT} }}"
LIST = f"{{ slateId rung edges {{ rank score feedback node {PRODUCT} reasons {REASONS} }} pageInfo {{ hasNextPage }} }}"
VERSION = "{ id kind state createdAt promotedAt available recipe figures gate }"
RUN = "{ id kind state phase progress why log requestedAt }"
CONSENTS = "{ purpose granted decidedAt source version }"
INTERESTS = "{ kind key name above weight state }"
PORTRAIT = f"""{{ segment events eventCounts {{ key n }} spending {{ amount }} months {{ month amount }} hoursOfWeek
    channelCounts {{ key n }} priceBands {{ category typical }} interests {INTERESTS} hidden {INTERESTS} }}"""
ERRORS = "errors { code }"


@dataclass
class World:
    """A shop, and what a document may name in it."""

    products: dict[str, Product]
    person: Shopper
    numbers: Any = field(default_factory=itertools.count)

    def grow(self, n: int) -> None:
        """More of whatever an answer may list."""
        fresh = [next(self.numbers) for _ in range(n)]
        import_products(
            drafts=[
                ProductDraft(sku=f"more-{k}", title=f"More {k}", category=("Shop", f"Shelf {k}"), brand=f"More {k}")
                for k in fresh
            ]
        )
        for k, product in zip(fresh, self.some(n), strict=True):
            visitor = create_visitor()
            decide_consent(shopper=visitor, decisions={"personalisation": True}, source="test")
            track(shopper=visitor, type="view_item", product=product)
            link_visitor(visitor=visitor, account=self.person)
            more = Product.objects.get(sku=f"more-{k}")
            track(shopper=self.person, type="view_item", product=more)
            give_feedback(shopper=self.person, product=more, kind="like")
            set_placement(key=f"place-{k}", changes={"title": f"Place {k}", "strategy": "popular"})
        texts = {f"x-{k}": f"A text {k}" for k in fresh}
        publish_statement(purpose="training", version=f"v{fresh[0]}", texts=texts, since=timezone.now())
        for kind in ("popularity", "trending", "item_cf", "user_cf", "content")[:n]:
            request_training(kind=kind)
        refresh_dirty()

    def some(self, n: int) -> list[Product]:
        return list(itertools.islice(self.products.values(), n))

    def ids(self, n: int) -> list[str]:
        return [global_id("Product", row.public_id) for row in self.some(n)]

    def slate(self, n: int) -> dict[str, Any]:
        """A list of the shopper, and its first product."""
        served = recommend_for(shopper=self.person, first=n)
        return {"s": str(served.slate_id), "p": global_id("Product", served.edges[0].product.public_id)}

    def version(self, state: str) -> str:
        return global_id(
            "ModelVersion", ModelVersion.objects.filter(recommender="popularity", state=state)[0].public_id
        )

    def run(self, state: str) -> str:
        return global_id("TrainingRun", TrainingRun.objects.filter(state=state)[0].public_id)

    def feedback(self, n: int) -> list[str]:
        keys = Feedback.objects.order_by("pk").values_list("pk", flat=True)[:n]
        return [base64.urlsafe_b64encode(f"Feedback:{key}".encode()).decode() for key in keys]

    def events(self, n: int) -> list[dict[str, Any]]:
        types = itertools.cycle(["VIEW_ITEM", "PURCHASE", "RATE"])
        return [
            {"id": str(uuid.uuid4()), "type": type_, "product": id_, "rating": 4.0, "order": str(uuid.uuid4())}
            for id_, type_ in zip(self.ids(n), types, strict=False)
        ]

    def rows(self, n: int) -> list[dict[str, Any]]:
        """Products that are not there yet, each in a category of its own, and as many that become variants."""
        variants = [{"sku": row.sku, "title": row.title, "parentSku": "Soap-11"} for row in self.some(n)]
        return variants + [
            {
                "sku": f"new-{k}", "title": f"New {k}", "category": ["Shop", f"New {k}"], "brand": f"New {k}",
                "attributes": {"tags": [f"new {k}"]}, "translations": [{"language": "zh-hans", "title": f"新 {k}"}],
            }
            for k in range(n)
        ]  # fmt: skip


def nothing(world: World, n: int) -> dict[str, Any]:
    return {}


def page(world: World, n: int) -> dict[str, Any]:
    return {"n": n}


@dataclass(frozen=True)
class Row:
    """How many queries a field costs whatever comes back, and what asks for much or for little of it.

    ``locks`` are those more that only PostgreSQL needs, where a write does not lock all there is.
    """

    queries: int
    document: str
    values: Callable[[World, int], dict[str, Any]] = nothing
    locks: int = 0

    @property
    def expected(self) -> int:
        return self.queries + (self.locks if connection.vendor == "postgresql" else 0)


OF_SHOPPERS = {
    "me": Row(5, f"{{ me {{ id mark consents {CONSENTS} links {{ id linkedAt }} }} }}"),
    "consentStatements": Row(3, "{ consentStatements { purpose version language text } }"),
    "portrait": Row(7, f"{{ portrait {PORTRAIT} }}"),
    "portraitEvidence": Row(
        8,
        f"""query($n: Int!) {{ portraitEvidence(kind: "type", key: "view_item", first: $n) {{
            counts {{ key n }} events {{ type product {PRODUCT} }} foldedDays }} }}""",
        page,
    ),
    "product": Row(3, f"query($p: ID!) {{ product(id: $p) {PRODUCT} }}", lambda world, n: {"p": world.ids(n)[-1]}),
    "products": Row(
        3, f'query($n: Int!) {{ products(first: $n, search: "tea") {{ edges {{ node {PRODUCT} }} }} }}', page
    ),
    "categories": Row(3, "{ categories { name path slug } }"),
    "recommendationPolicy": Row(7, "{ recommendationPolicy { parameters { name weight text } } }"),
    "recommendations": Row(12, f"query($n: Int!) {{ recommendations(first: $n) {LIST} }}", page),
    "recommendationsFor": Row(
        16,
        f"""query($n: Int!) {{ recommendationsFor(requests: [{{placement: "home", first: $n}},
            {{placement: "again", first: $n}}, {{placement: "popular", first: $n}}]) {LIST} }}""",
        page,
    ),
    "reordered": Row(
        12, f"query($p: [ID!]!) {{ reordered(products: $p) {LIST} }}", lambda world, n: {"p": world.ids(n)}
    ),
    "similarProducts": Row(
        11,
        f"query($n: Int!, $p: ID!) {{ similarProducts(first: $n, product: $p) {LIST} }}",
        lambda world, n: {"n": n, "p": world.ids(1)[0]},
    ),
    "boughtTogether": Row(
        11,
        f"query($n: Int!, $p: [ID!]!) {{ boughtTogether(first: $n, products: $p) {LIST} }}",
        lambda world, n: {"n": n, "p": world.ids(n)},
    ),
    "buyAgain": Row(12, f"query($n: Int!) {{ buyAgain(first: $n) {LIST} }}", page),
    "trending": Row(10, f"query($n: Int!) {{ trending(first: $n) {LIST} }}", page),
    "history": Row(
        6,
        f"query($n: Int!) {{ history(first: $n) {{ edges {{ node {{ type occurredAt product {PRODUCT} }} }} }} }}",
        page,
    ),
    "feedback": Row(5, f"query($n: Int!) {{ feedback(first: $n) {{ kind givenAt product {PRODUCT} }} }}", page),
    "explain": Row(
        18,
        f"""query($s: ID!, $p: ID!) {{ explain(slateId: $s, product: $p) {{
            score terms {REASONS} without {PRODUCT} instead {PRODUCT} }} }}""",
        lambda world, n: world.slate(n),
    ),
    "node": Row(
        3,
        f"query($p: ID!) {{ node(id: $p) {{ id ... on Product {PRODUCT} }} }}",
        lambda world, n: {"p": world.ids(n)[-1]},
    ),
    "trackEvents": Row(
        7,
        "mutation($e: [EventInput!]!) { trackEvents(events: $e) { accepted rejected { code } } }",
        lambda world, n: {"e": world.events(n)},
        locks=1,
    ),
    "giveFeedback": Row(
        10,
        f"""mutation($s: ID!, $p: ID!) {{ giveFeedback(input: {{product: $p, slateId: $s, kind: DISLIKE}})
            {{ ok {ERRORS} }} }}""",
        lambda world, n: world.slate(n),
    ),
    "withdrawFeedback": Row(
        5,
        f"mutation($p: ID!) {{ withdrawFeedback(input: {{product: $p, kind: LIKE}}) {{ ok {ERRORS} }} }}",
        lambda world, n: {"p": world.ids(n)[-1]},
    ),
    "updateConsent": Row(
        9, f"mutation {{ updateConsent(input: {{analytics: false}}) {{ consents {CONSENTS} {ERRORS} }} }}"
    ),
    "undoLink": Row(
        9,
        f"mutation($l: ID!) {{ undoLink(link: $l) {{ links {{ id linkedAt }} {ERRORS} }} }}",
        lambda world, n: {
            "l": global_id("VisitorLink", world.person.links_as_account.filter(undone_at=None)[0].visitor.public_id)
        },
    ),
    "editInterests": Row(
        9,
        f"mutation($k: [InterestKey!]) {{ editInterests(input: {{pin: $k}}) {{ portrait {PORTRAIT} {ERRORS} }} }}",
        lambda world, n: {"k": [{"kind": "brand", "key": f"B{k}"} for k in range(n)]},
    ),
    "exportMyData": Row(59, f"mutation {{ exportMyData {{ url ready {ERRORS} }} }}"),
    "upsertProducts": Row(
        24,
        "mutation($p: [ProductInput!]!) { upsertProducts(products: $p) { stored rejected { code } } }",
        lambda world, n: {"p": world.rows(n)},
    ),
    "deleteProducts": Row(
        9,
        "mutation($s: [String!]!) { deleteProducts(skus: $s) { stored rejected { code } } }",
        lambda world, n: {"s": [*itertools.islice(world.products, n), *(f"unknown-{k}" for k in range(n))]},
    ),
    "eraseMe": Row(57, f"mutation {{ eraseMe(confirm: true) {{ receipt {ERRORS} }} }}"),
}
"""Asked by a server for a shopper: two queries are for its key and for the shopper's name."""

OF_STAFF = {
    "recommenders": Row(6, f"{{ recommenders {{ kind enabled live {VERSION} running {RUN} }} }}"),
    "placements": Row(4, "{ placements { key title strategy switchedOff } }"),
    "trainingRun": Row(4, f"query($r: ID!) {{ trainingRun(id: $r) {RUN} }}", lambda world, n: {"r": world.run("done")}),
    "compare": Row(
        6,
        f"""query($a: ID!, $b: ID!) {{ compare(version: $a, other: $b) {{ version {VERSION} other {VERSION}
            sameRecipe figures {{ section metric version other }} }} }}""",
        lambda world, n: {"a": world.version("live"), "b": world.version("retired")},
    ),
    "setRecommenderEnabled": Row(
        12,
        f"""mutation {{ setRecommenderEnabled(kind: CONTENT, enabled: false) {{
            recommender {{ kind enabled live {VERSION} running {RUN} }} {ERRORS} }} }}""",
    ),
    "setPlacement": Row(
        14, f'mutation {{ setPlacement(input: {{key: "home", size: 3}}) {{ placement {{ key size }} {ERRORS} }} }}'
    ),
    "startTraining": Row(7, f"mutation {{ startTraining(kind: BUY_AGAIN) {{ run {RUN} {ERRORS} }} }}"),
    "cancelTraining": Row(
        9,
        f"mutation($r: ID!) {{ cancelTraining(run: $r) {{ run {RUN} {ERRORS} }} }}",
        lambda world, n: {"r": world.run("queued")},
    ),
    "promote": Row(
        15,
        f'mutation($v: ID!) {{ promote(version: $v, why: "it was better") {{ version {VERSION} {ERRORS} }} }}',
        lambda world, n: {"v": world.version("retired")},
    ),
    "rollback": Row(12, f"mutation {{ rollback(kind: POPULARITY) {{ version {VERSION} {ERRORS} }} }}"),
    "reviewFeedback": Row(
        11,
        f"mutation($f: [ID!]!) {{ reviewFeedback(feedback: $f, verdict: ACCEPTED) {{ reviewed {ERRORS} }} }}",
        lambda world, n: {"f": world.feedback(n)},
    ),
}
"""Asked by a superuser: three queries are for the session, the user and the shopper that the user may be."""


@pytest.fixture
def world(trained, person, settings):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "RECOMMENDERS": {"popularity": {"half_life": 7.0}}}
    request_training(kind="popularity")
    assert run_next().state == "done"
    newer = ModelVersion.objects.filter(recommender="popularity").latest("pk")
    if newer.state != ModelVersion.State.LIVE:
        promote_by_staff(version=newer, by=User.objects.create_superuser("owner"), why="so that there is one before it")
    return World(trained.products, person)


@pytest.fixture
def askers(world):
    """Ways to ask: as a server for the shopper, and as staff."""
    staff, key = Client(), issue_key(name="server", scopes=ApiKey.Scope.values)[1]
    staff.force_login(User.objects.create_superuser("boss"))
    headers = {"Authorization": f"Bearer {key}", "X_Shopper": "h0"}
    return {
        False: lambda document, values: ask(Client(), document, values, **headers),
        True: lambda document, values: ask(staff, document, values),
    }


def cost(asking, row, world, n):
    """Queries of the second time, and the answer; nothing of either time stays."""
    for _ in range(2):
        with transaction.atomic():
            values = row.values(world, n)
            with CaptureQueriesContext(connection) as asked:
                reply = asking(row.document, values)
            transaction.set_rollback(True)
        assert "errors" not in reply, reply
        assert not [each for each in reply["data"].values() if isinstance(each, dict) and each.get("errors")], reply
        assert not [each for each in reply["data"].values() if isinstance(each, dict) and each.get("rejected")], reply
    return sum(not each["sql"].startswith(BESIDE) for each in asked.captured_queries), reply


def test_every_field_of_the_schema_has_a_row():
    fields = schema._schema.query_type.fields.keys() | schema._schema.mutation_type.fields.keys()
    assert fields == OF_SHOPPERS.keys() | OF_STAFF.keys()


def test_a_big_answer_costs_as_many_queries_as_a_small_one(world, askers):
    table, found, sizes = OF_SHOPPERS | OF_STAFF, defaultdict(list), defaultdict(list)
    for n in (FEW, MANY):
        world.grow(n)
        for name, row in table.items():
            queries, reply = cost(askers[name in OF_STAFF], row, world, n)
            found[name].append(queries)
            sizes[name].append(len(json.dumps(reply["data"])))
    assert found == {name: [row.expected, row.expected] for name, row in table.items()}
    longer = [name for name, row in table.items() if row.values is page]
    assert [name for name in longer if sizes[name][1] < 2 * sizes[name][0]] == []
    listed = ["me", "portrait", "categories", "placements", "editInterests"]
    assert [name for name in listed if sizes[name][1] <= sizes[name][0]] == []
