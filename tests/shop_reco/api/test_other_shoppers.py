"""Nobody reaches another shopper: by no id of theirs, and along no path of the schema."""

from __future__ import annotations

import base64
import json
import re
import uuid

import pytest
from django.db import connection, reset_queries
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from graphql import (
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    get_named_type,
    is_required_argument,
)

from shop_reco.api.ids import global_id
from shop_reco.api.schema import schema
from shop_reco.events.services import track
from shop_reco.portraits.services import refresh_dirty
from shop_reco.recommendations.models import Slate
from shop_reco.recommendations.services import give_feedback
from shop_reco.recommendations.serving import recommend_for
from shop_reco.recommendations.serving.slates import buffer
from shop_reco.users.models import Shopper
from shop_reco.users.services import create_visitor, decide_consent, issue_key, link_visitor
from tests.shop_reco.graphql import ask

TYPES = schema._schema
QUERIES = TYPES.query_type.fields
OF_ONE_SHOPPER = {"Shopper", "ConsentState", "VisitorLink", "Portrait", "Interest"}
"""Types that tell something of whoever asks; none is reached but from ``me`` and ``portrait``."""
RANDOM = ("slateId", "cursor", "startCursor", "endCursor", "drawnAt")


@pytest.fixture
def two(trained):
    """Two shoppers with histories, lists, portraits and links; the second one's are what the first must not see."""
    people = [Shopper.objects.get(external_id=name) for name in ("h0", "h1")]
    for person in people:
        visitor = create_visitor()
        decide_consent(shopper=visitor, decisions={"personalisation": True}, source="test")
        track(shopper=visitor, type="view_item", product=trained.products["Soap-1"])
        link_visitor(visitor=visitor, account=person)
    refresh_dirty()
    plain = issue_key(name="server", scopes=["lists:read", "events:write", "privacy:admin"])[1]
    return people, {"Authorization": f"Bearer {plain}", "X_Shopper": "h0"}


def selection(type_, depth=4):
    """Every field of a type that needs no argument, as deep as ``depth``."""
    named = get_named_type(type_)
    if isinstance(named, GraphQLInterfaceType):
        return f"{{ __typename id ... on Product {selection(TYPES.type_map['Product'], 0)} }}"
    if not isinstance(named, GraphQLObjectType):
        return ""
    parts = []
    for name, field in named.fields.items():
        inner = selection(field.type, depth - 1)
        is_leaf = not isinstance(get_named_type(field.type), GraphQLObjectType)
        if is_leaf or (depth > 0 and inner):
            parts.append(name + inner)
    return "{ " + " ".join(parts) + " }" if parts else ""


def forms_of(person, slate_id):
    """Whatever may be tried as an id of a person or of something of theirs."""
    kinds = ("Shopper", "Product", "VisitorLink", "Portrait", "Export", "ErasureReceipt")
    numbers = (person.pk, person.pk + 1, person.pk - 1)
    return [
        *(global_id(kind, person.public_id) for kind in kinds),
        *(base64.urlsafe_b64encode(f"{kind}:{pk}".encode()).decode() for kind in kinds[:3] for pk in numbers),
        *map(str, numbers),
        str(person.public_id),
        person.public_id.hex,
        person.external_id,
        str(slate_id),
        f"{slate_id}:1",
    ]


NEVER_LOOKED_UP = {"page", "device"}
NUMBER = {"kind": '"type"', "key": '"view_item"', "requests": "[{first: 2}]", "slateId": f'"{uuid.uuid4()}"'}
"""A number of a portrait, and what else a field needs."""


def attempts(names):
    """Each query field with each way to put an id into it; a hole for the id, and what else it needs."""
    for name, field in QUERIES.items():
        holes = []
        for argument, of in field.args.items():
            named = get_named_type(of.type)
            if isinstance(named, GraphQLInputObjectType):
                inner = [
                    key
                    for key, each in named.fields.items()
                    if get_named_type(each.type).name in ("ID", "String") and key not in NEVER_LOOKED_UP
                ]
                holes += [(argument, f"{{{key}: %s}}") for key in inner]
            elif named.name in ("ID", "String"):
                holes.append((argument, "%s"))
        for argument, shape in holes:
            others = {
                other: names[other]
                for other, of in field.args.items()
                if other != argument and is_required_argument(of)
            }
            yield name, field, argument, shape, others


def named(told, value):
    """The answer with ID for the value that was tried, where it stands alone."""
    return re.sub(rf"(?<![\w-]){re.escape(value)}(?![\w=-])", "ID", told)


def answer(client, headers, document):
    reset_queries()  # only so many are kept, and these are counted
    with CaptureQueriesContext(
        connection,
    ) as queries:
        reply = ask(client, document, **headers)
    for error in reply.get("errors", ()):
        error.pop("locations", None)  # a longer id moves what comes after it
    reply.pop("extensions", None)  # what it cost holds numbers like the ids that are tried
    told = json.dumps(reply, sort_keys=True)
    told = re.sub(rf'"({"|".join(RANDOM)})": "[^"]*"', "", told)
    return told, len(queries)


@pytest.mark.any_database
def test_another_shoppers_ids_say_no_more_than_ids_that_do_not_exist(two, client, monkeypatch, settings):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "QUERY_SECONDS": 60.0}  # a busy machine gives one of the two no answer
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now)  # what was done fades, and scores with it
    (_mine, other), headers = two
    some = global_id("Product", uuid.uuid4())
    needed = {"product": json.dumps(some), "products": json.dumps([some]), **NUMBER}
    needed |= dict.fromkeys(("id", "version", "other"), json.dumps(some))
    theirs = recommend_for(shopper=other, first=3).slate_id
    nobody = Shopper(pk=987_654, public_id=uuid.uuid4(), external_id="nobody")
    tried = 0
    for name, field, argument, shape, others in attempts(needed):
        for real, unreal in zip(forms_of(other, theirs), forms_of(nobody, uuid.uuid4()), strict=True):
            if argument == "search" and real.isdecimal():
                continue  # words of titles are numbers, too
            answers = []
            for value in (real, unreal):
                given = {**others, argument: shape % json.dumps(value)}
                arguments = ", ".join(f"{key}: {each}" for key, each in given.items())
                answers.append(answer(client, headers, f"{{ {name}({arguments}) {selection(field.type, 2)} }}"))
                assert "INTERNAL" not in answers[-1][0]
            found, expected = answers
            assert named(found[0], real) == named(expected[0], unreal), (name, argument, real)
            assert found[1] == expected[1], (name, argument, real)
            tried += 1
    assert tried > 200


@pytest.mark.parametrize("written", [True, False], ids=["written", "on its way to its row"])
def test_anothers_list_is_looked_for_as_long_as_one_that_does_not_exist(two, client, monkeypatch, written):
    (_mine, other), headers = two
    served = recommend_for(shopper=other, first=3)
    product = global_id("Product", served.edges[0].product.public_id)
    if not written:
        slate = Slate.objects.get(pk=served.slate_id)
        slate.delete()
        monkeypatch.setitem(buffer._recent, served.slate_id, slate)
    explained = f'{{ explain(slateId: "%s", product: "{product}") {{ score }} }}'
    paged = '{ recommendations(first: 2, after: "%s:1") { edges { rank } } }'
    feedback = f"""mutation {{ giveFeedback(input: {{product: "{product}", slateId: "%s", kind: LIKE}})
        {{ ok errors {{ code }} }} }}"""
    for document in (explained, paged, feedback):
        answers = [answer(client, headers, document % name) for name in (uuid.uuid4(), served.slate_id, uuid.uuid4())]
        assert answers[1] == answers[2], document  # the first one has made what the later ones find


def test_the_probe_tells_ones_own_list_from_one_that_does_not_exist(two, client):
    (mine, _other), headers = two
    own = recommend_for(shopper=mine, first=3).slate_id
    document = '{ recommendations(first: 2, after: "%s:1") { edges { rank node { sku } } } }'
    assert "errors" not in answer(client, headers, document % own)[0]
    assert "BAD_CURSOR" in answer(client, headers, document % uuid.uuid4())[0]


def test_writes_do_not_reach_another_shoppers_things_either(two, client):
    (_mine, other), headers = two
    theirs = other.links_as_account.get()
    link = global_id("VisitorLink", theirs.visitor.public_id)
    undo = "mutation($l: ID!) { undoLink(link: $l) { errors { code } } }"
    nowhere = global_id("VisitorLink", uuid.uuid4())
    assert ask(client, undo, {"l": link}, **headers) == ask(client, undo, {"l": nowhere}, **headers)
    theirs.refresh_from_db()
    assert theirs.undone_at is None


def types_below(type_, found=None):
    found = set() if found is None else found
    named = get_named_type(type_)
    if isinstance(named, GraphQLObjectType) and named.name not in found:
        found.add(named.name)
        for field in named.fields.values():
            types_below(field.type, found)
    return found


def test_no_path_of_the_schema_leads_from_a_product_or_a_list_to_a_shopper():
    assert "Shopper" in types_below(QUERIES["me"].type)  # the walk finds what is there
    for name, field in QUERIES.items():
        if name not in ("me", "portrait"):
            assert not types_below(field.type) & OF_ONE_SHOPPER, name
    assert "Product" not in types_below(QUERIES["me"].type)


def test_no_query_takes_the_id_of_a_shopper():
    arguments = {(name, argument) for name, field in QUERIES.items() for argument in field.args}
    assert not {pair for pair in arguments if "shopper" in pair[1].lower() or "user" in pair[1].lower()}
    inputs = [each for each in TYPES.type_map.values() if isinstance(each, GraphQLInputObjectType)]
    assert {each.name for each in inputs if "shopper" in each.fields} == {"EventInput"}


def test_no_answer_to_one_shopper_holds_anything_of_the_other(two, trained, client):
    (_mine, other), headers = two
    refused = recommend_for(shopper=other, first=1).edges[0].product
    give_feedback(shopper=other, product=refused, kind="not_interested")
    Shopper.objects.filter(pk=other.pk).update(age_band="SECRET-AGE", region="SECRET-REGION")
    visitor = other.links_as_account.get().visitor
    secrets = ["SECRET", other.public_id.hex, str(other.public_id), visitor.public_id.hex]
    secrets += [global_id("Shopper", other.public_id), global_id("VisitorLink", visitor.public_id)]
    product = global_id("Product", trained.products["Tea-1"].public_id)
    needed = {"product": json.dumps(product), "products": json.dumps([product]), "id": json.dumps(product), **NUMBER}
    for shopper, sees in (("h0", False), ("h1", True)):
        seen = ""
        for name, field in QUERIES.items():
            if (field.description or "").startswith("Of staff"):
                continue  # refused to everyone here
            given = [key for key, of in field.args.items() if is_required_argument(of) or key == "id"]
            arguments = f"({', '.join(f'{key}: {needed[key]}' for key in given)})" if given else ""
            depth = 3 if "edges" in getattr(get_named_type(field.type), "fields", {}) else 4
            reply = ask(
                client, f"{{ {name}{arguments} {selection(field.type, depth)} }}", **{**headers, "X_Shopper": shopper}
            )
            assert "errors" not in reply, (name, reply)
            seen += json.dumps(reply)
        assert any(secret in seen for secret in secrets) == sees


def test_a_browser_without_a_cookie_gets_nothing_of_anyones(two):
    reply = ask(Client(), "{ me { id known links { id } } portrait { segment } buyAgain { edges { rank } } }")["data"]
    assert reply == {
        "me": {"id": None, "known": False, "links": []},
        "portrait": None,
        "buyAgain": {"edges": []},
    }
