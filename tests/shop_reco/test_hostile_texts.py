"""Whatever shops and shoppers write is shown as they wrote it, and does nothing; what cannot be kept is refused."""

from __future__ import annotations

import csv
import io
import json
import re
import uuid

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.management import call_command
from django.template import Context, Template
from django.urls import reverse

from shop_reco.admin_site import admin_site
from shop_reco.events.models import Event
from shop_reco.events.services import Sender, record_events
from shop_reco.portraits.services import edit_interests
from shop_reco.products.models import Product
from shop_reco.products.services import ProductDraft, State, upsert_products
from tests import hostile
from tests.shop_reco.graphql import ask

pytestmark = pytest.mark.any_database

ROWS = 3
"""Rows of each table whose own page is opened; the lists have them all."""

QUOTING = (hostile.FIRING[7], hostile.FIRING[20], hostile.FIRING[23])
"""One that leaves an attribute and its tag, one that leaves an attribute alone, one that leaves a script's text."""

RUN = re.compile("['\"]*[=+@\t\r\n＝＋－＠-]")
"""What a spreadsheet runs, also behind a quote."""


@pytest.fixture
def everywhere(shop, client, settings):
    """A hostile shop; ``client`` is staff, and shops there."""
    settings.SHOP_RECO = {**settings.SHOP_RECO, "DEMO_SWITCHER": True}
    cache.clear()
    user = User.objects.create_superuser(hostile.FIRING[7], first_name=hostile.FIRING[0], last_name=hostile.FIRING[10])
    client.force_login(user)
    return hostile.fill(shop, client, user)


def shop_pages(filled):
    yield from ("/", "/cart/", "/portrait/")
    for product in filled.products[::6]:
        yield f"/product/{product.public_id}/"
        yield reverse("shop_reco_storefront:category", args=[product.category.slug])


def admin_pages():
    yield "/admin/"
    for model in admin_site._registry:
        options = model._meta
        name = f"{admin_site.name}:{options.app_label}_{options.model_name}"
        yield reverse(f"{name}_changelist")
        keys = list(model._default_manager.order_by("pk").values_list("pk", flat=True))
        for key in keys[:: max(1, len(keys) // ROWS)][:ROWS]:
            yield reverse(f"{name}_change", args=[key])
        if keys:
            yield reverse(f"{name}_history", args=[keys[0]])


def test_the_probe_sees_every_payload_that_is_not_escaped():
    template = Template(hostile.UNESCAPED)
    blind = [text for text in hostile.MARKUP if not hostile.live(template.render(Context({"text": text})))]
    assert blind == []
    escaped = Template(hostile.UNESCAPED.replace("|safe", "").replace("<script>", "<p>").replace("</script>", "</p>"))
    assert [text for text in hostile.PAYLOADS if hostile.live(escaped.render(Context({"text": text})))] == []


def test_no_page_of_the_shop_or_of_its_admin_shows_a_payload_unescaped(everywhere, client):
    alive, seen = {}, ""

    def look(url, data=None):
        nonlocal seen
        reply = client.get(url, data)
        assert reply.status_code == 200, (url, data, reply.status_code)
        text = reply.content.decode()
        seen += text if "__fired" in text else ""
        if found := hostile.live(text):
            alive[url, json.dumps(data)] = found

    for language in ("en", "zh-hans"):
        client.cookies["django_language"] = language
        for url in shop_pages(everywhere):
            look(url)
    client.cookies["django_language"] = "en"
    for text in hostile.PAYLOADS[::3] + QUOTING:
        look("/search/", {"q": text})
    for key in hostile.MARKUP[::8] + QUOTING:
        look("/portrait/from/", {"kind": "category", "key": f"Shop > {key[:128]}"})
        look(f"/admin/reco_portraits/portrait/{everywhere.me.pk}/from/", {"kind": "brand", "key": key})
        look(f"/admin/reco_portraits/portrait/{everywhere.me.pk}/from/", {"kind": "category", "key": key})
    for url in admin_pages():
        look(url)
    for model, model_admin in admin_site._registry.items():
        if model_admin.search_fields:
            name = f"{admin_site.name}:{model._meta.app_label}_{model._meta.model_name}"
            for text in QUOTING:
                look(reverse(f"{name}_changelist"), {"q": text})
    assert alive == {}
    assert seen.count("__fired") > 5000  # they were there


def test_json_says_every_text_as_it_was_written(everywhere, shop, client):
    reply = ask(
        client,
        "{ products(first: 100) { edges { node { sku title category { name path } } } } "
        "portrait { interests { kind key } } "
        "recommendations(first: 20) { edges { node { title } reasons { text } } } }",
    )
    assert "errors" not in reply
    written = {each.sku: each for each in hostile.drafts(list(shop.products))}
    told = [edge["node"] for edge in reply["data"]["products"]["edges"]]
    assert len(told) == 100
    for product in told:
        draft = written[product["sku"]]
        assert product["title"] == draft.title.strip()
        assert product["category"]["name"] == draft.category[1].strip()
    reasons = [each["text"] for edge in reply["data"]["recommendations"]["edges"] for each in edge["reasons"]]
    assert any(text.strip() in reason for reason in reasons for text in hostile.MARKUP)
    assert not any("&lt;" in reason for reason in reasons if "fired=2" not in reason)
    keys = {each["key"] for each in reply["data"]["portrait"]["interests"]}
    assert keys >= set(hostile.turned(0)[:10])


def test_an_export_is_harmless_to_read_and_to_open_in_a_spreadsheet(everywhere, unpacked):
    files = unpacked(everywhere.me)
    assert hostile.live(files["index.html"].decode()) == []
    assert "__fired" in files["index.html"].decode()
    assert "<li><bdi>" in files["index.html"].decode()  # no title turns its reasons round
    data = json.loads(files["data.json"])
    queries = {row["query"] for row in data["event"] if row.get("query")}
    assert queries == set(Event.objects.filter(shopper=everywhere.me).exclude(query="").values_list("query", flat=True))
    assert len(queries) > 50
    cells = 0
    for name, content in files.items():
        if name.endswith(".csv"):
            for row in csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")):
                cells += sum(cell.startswith("'") for cell in row)
                alive = [cell for cell in row if RUN.match(cell) and not cell.startswith("'") and not number(cell)]
                assert alive == [], name
    assert cells > 2 * len(hostile.FORMULAS)


def number(cell):
    try:
        float(cell)
    except ValueError:
        return False
    return True


def marked(text):
    return f"'{text}" if RUN.match(text) else text


def test_formulas_in_an_error_file_are_harmless_and_come_back_as_they_were(db, tmp_path):
    path = tmp_path / "products.csv"
    texts = [*hostile.FORMULAS, *hostile.MARKUP]
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["sku", "title", "brand", "price"])
        table.writerows([f"s{n}", marked(text), marked(text), "dear"] for n, text in enumerate(texts))
    call_command("import_products", path, stdout=io.StringIO(), stderr=io.StringIO())
    assert not Product.objects.exists()
    wrong = tmp_path / "products.errors.csv"
    with wrong.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(texts)
    for row, text in zip(rows, texts, strict=True):
        assert row["title"] == row["brand"] == marked(text)
    wrong.write_text(wrong.read_text(encoding="utf-8").replace(",dear", ",1"), encoding="utf-8")
    call_command("import_products", wrong, stdout=io.StringIO(), stderr=io.StringIO())
    assert dict(Product.objects.values_list("sku", "title")) == {f"s{n}": text for n, text in enumerate(texts)}


def test_what_is_too_long_or_cannot_be_stored_is_refused_by_the_name_of_its_field(db):
    def refused(**fields):
        (outcome,) = upsert_products(rows=[ProductDraft(**{"sku": "a", "title": "Tea", **fields})])
        assert outcome.state is State.REJECTED, fields
        return outcome.field, outcome.code

    assert refused(description="x" * 2**20) == ("description", "TOO_LONG")
    for text in hostile.UNSTORABLE:
        for field in ("sku", "title", "description", "brand", "parent_sku"):
            assert refused(**{field: text}) == (field, "BAD_FIELD"), (field, text)
        assert refused(category=("Shop", text)) == ("category", "BAD_FIELD")
        assert refused(attributes={"x": [text]}) == ("attributes", "BAD_FIELD")
        assert refused(attributes={text: 1}) == ("attributes", "BAD_FIELD")
    assert not Product.objects.exists()


@pytest.mark.parametrize("text", hostile.UNSTORABLE, ids=ascii)
def test_an_event_with_what_cannot_be_stored_is_refused_and_its_neighbour_kept(shop, person, text):
    fields = {"query": "search", "text": "review", "order": "purchase", "currency": "purchase", "sku": "view_item"}
    for field, kind in fields.items():
        product = {} if field == "sku" else {"product": shop.products["Tea-1"].public_id}
        bad = {"id": uuid.uuid4(), "type": kind, "rating": 5, **product, field: text}
        good = {"id": uuid.uuid4(), "type": "search", "query": "tea"}
        outcome = record_events(events=[bad, good], shopper=person, sender=Sender.SERVER)
        assert outcome.accepted == 1, field
        assert [(each.index, each.message.startswith(field)) for each in outcome.rejected] == [(0, True)], outcome
        assert not Event.objects.filter(pk=bad["id"]).exists()
    with pytest.raises(ValueError, match="the key of an interest has characters that cannot be stored"):
        edit_interests(shopper=person, pin=[("category", text)])
