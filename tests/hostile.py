"""Texts that do harm where they are not escaped, a shop that has them everywhere, and the probe that reads a page."""

from __future__ import annotations

import datetime as dt
import uuid
from html.parser import HTMLParser
from types import SimpleNamespace
from urllib.parse import urlsplit

FIRE = "window.__fired=1"
ELSEWHERE = "hostile.example"

FIRING = (
    f"<script>{FIRE}</script>",
    f"</script><script>{FIRE}</script>",
    f"</title><script>{FIRE}</script>",
    f"</textarea><script>{FIRE}</script>",
    f"</style></select><script>{FIRE}</script>",
    f"--><script>{FIRE}</script><!--",
    f"]]><script>{FIRE}</script>",
    f'"><script>{FIRE}</script>',
    f"'><script>{FIRE}</script>",
    f"<ScRiPt/x>{FIRE}</ScRiPt>",
    f"<img src=x onerror={FIRE}>",
    f"<image src=x onerror={FIRE}>",
    f"<svg onload={FIRE}>",
    f"<svg><script>{FIRE}</script></svg>",
    f"<svg><animate onbegin={FIRE} attributeName=x dur=1s>",
    f"<details open ontoggle={FIRE}>",
    f"<input autofocus onfocus={FIRE}>",
    f"<video><source onerror={FIRE}></video>",
    '<iframe srcdoc="<script>parent.__fired=1</script>"></iframe>',
    '<iframe src="javascript:parent.__fired=1"></iframe>',
    f'" autofocus onfocus="{FIRE}',
    f"' autofocus onfocus='{FIRE}",
    f"';{FIRE};//",
    f"'+({FIRE})+'",
)
"""Fires without a click where ``UNESCAPED`` shows it."""

LOADING = (
    f"<img src=//{ELSEWHERE}/x.png>",
    f"<link rel=stylesheet href=//{ELSEWHERE}/x.css>",
    f"<style>@import 'http://{ELSEWHERE}/x.css';</style>",
    f'<meta http-equiv=refresh content="0;url=http://{ELSEWHERE}/">',
)
"""Asks another host for something there."""

LEADING = (
    f'<a href="javascript:{FIRE}">tea</a>',
    f"<base href=//{ELSEWHERE}/>",
    f"<form action=//{ELSEWHERE}/><button>tea</button></form>",
    f'" x-data x-init="{FIRE}',
)
"""Leads away, or waits for a click or a framework."""

WORDS = (
    f"javascript:{FIRE}",
    "&lt;script&gt;window.__fired=2&lt;/script&gt;",
    f"&#60;img src=x onerror={FIRE}&#62;",
    f"%3Cscript%3E{FIRE}%3C/script%3E",
    f'\\";{FIRE};//',
    f"${{{FIRE}}}",
    f"{{{{constructor.constructor('{FIRE}')()}}}}",
    "{{ request.user.password }}{% debug %}{% include 'admin/base.html' %}",
    "%(stored)s %s {0} {name.__class__}",
)
FORMULAS = (
    f'=HYPERLINK("http://{ELSEWHERE}","tea")', "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(1)", "＝1+1", "＋1+1", "－1+1",
    "＠SUM(1)", '"=2+2', "'=3+3", "''=4+4",
)  # fmt: skip
BLANK_FORMULAS = ("\t=5+5", "\r=6+6", "\n=7+7")
"""Those that lose their blank where a text is stored without blanks around it."""

STRANGE = (
    "\u202eaet\u202c", "\u202etea 5 €", "\u2067שלום\u2069", "شاي 5 + tea", "te\u200ba\ufeff\u200d",
    "👩🏽\u200d🚒👨\u200d👩\u200d👧\u200d👦",
    "t" + "\u0301\u0321" * 60, "W" * 250, "\u2028tea\u2029", "\x0btea\x85\x7f",
)  # fmt: skip
MARKUP = FIRING + LOADING + LEADING
PAYLOADS = MARKUP + WORDS + FORMULAS + BLANK_FORMULAS + STRANGE
UNSTORABLE = ("te\x00a", "te\ud800a", "te\udfffa")

UNESCAPED = """<!doctype html><p>{{ text|safe }}</p><input value="{{ text|safe }}"><input value='{{ text|safe }}'>
<script>const text = '{{ text|safe }}';</script>"""
"""What no template of ours does."""


class _Reader(HTMLParser):
    """Finds what would run, or lead elsewhere, in a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._inside = ""

    def handle_starttag(self, tag, attrs):
        self._inside = tag if tag in ("script", "style") else ""
        for name, value in attrs:
            value = (value or "").strip()
            code = name.startswith(("on", "x-", "@", ":", "hx-on")) or name == "srcdoc"
            if code and ("__fired" in value or ELSEWHERE in value):
                self.found.append(f"{tag} {name}={value}")
            if name in ("href", "src", "action", "formaction", "xlink:href", "data", "content"):
                leads = value.lower().startswith("javascript:") or ELSEWHERE in (_host(value), _host(value[6:]))
                if leads:
                    self.found.append(f"{tag} {name}={value}")

    def handle_endtag(self, tag):
        self._inside = ""

    def handle_data(self, data):
        if self._inside and ("__fired" in data or ELSEWHERE in data):
            self.found.append(f"{self._inside}: {data[:80]}")


def _host(address):
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


def live(html: str) -> list[str]:
    """What of the payloads is alive in a page, or stands in it as it was written."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.found + [each for each in PAYLOADS if ("<" in each or "&" in each) and each in html]


def turned(n: int, most: int = 256):
    """All payloads, cut to ``most`` characters, beginning with the ``n``-th."""
    return [each[:most] for each in PAYLOADS[n:] + PAYLOADS[:n]]


def drafts(skus):
    """A product a payload, each text of it another one; ``skus`` are taken first, then a payload is the sku."""
    from shop_reco.products.services import ProductDraft, TranslationDraft

    names = [*skus, *(text.strip()[:64] for text in PAYLOADS)][: len(PAYLOADS) + len(skus)]
    titles, brands, categories = turned(0), turned(1, 128), turned(2, 128)
    return [
        ProductDraft(
            sku=sku,
            title=titles[n % len(PAYLOADS)],
            description=titles[n % len(PAYLOADS)] * 5,
            category=("Shop", categories[n % len(PAYLOADS)]),
            brand=brands[n % len(PAYLOADS)],
            price=n + 1,
            attributes={titles[n % len(PAYLOADS)]: brands[n % len(PAYLOADS)]},
            translations={
                "zh-hans": TranslationDraft(
                    title=categories[n % len(PAYLOADS)], description=titles[n % len(PAYLOADS)], keywords="x"
                )
            },
        )
        for n, sku in enumerate(names)
    ]


def fill(shop, client, user):
    """Have every text of the shop, its shoppers, its staff and its partners be hostile; ``user`` shops as well."""
    from django.contrib.auth.models import Group
    from django.utils import timezone

    from shop_reco.events.flags import Suspicion, raise_flags
    from shop_reco.events.imports import finish_import, start_import
    from shop_reco.events.services import Sender, record_events
    from shop_reco.portraits.models import Segmentation
    from shop_reco.portraits.services import edit_interests, refresh_dirty
    from shop_reco.privacy.services import erase_shopper
    from shop_reco.products.models import Product
    from shop_reco.products.services import State, upsert_products
    from shop_reco.recommendations.models import Feedback, Placement, Rule
    from shop_reco.recommendations.services import give_feedback, request_training
    from shop_reco.recommendations.serving import recommend_for
    from shop_reco.recommendations.training import run_next
    from shop_reco.staff.audit import note
    from shop_reco.users.services import (
        ShopperDraft,
        create_visitor,
        decide_consent,
        ensure_account,
        ensure_shopper,
        import_consents,
        import_shoppers,
        issue_key,
        link_visitor,
        note_read,
    )
    from shop_reco.users.statements import publish_statement
    from shop_reco.webhooks.sources import create_source
    from tests.shop_reco.webhooks.senders import generic

    outcomes = upsert_products(rows=drafts(list(shop.products)))
    assert {each.state for each in outcomes} == {State.STORED}
    products = list(Product.objects.order_by("pk"))
    purposes = ["personalisation", "training", "analytics"]
    people = import_shoppers(
        rows=[
            ShopperDraft(external_id=text[:128], age_band=text[:16], region=text[:64])
            for text in dict.fromkeys(turned(0, 128))
        ]
    )
    import_consents(shopper_ids=list(people.values()), purposes=purposes, source=FIRING[0], decided_at=shop.now)
    me = ensure_account(user=user)
    decide_consent(shopper=me, decisions=dict.fromkeys(purposes, True), source=FIRING[0])
    me.external_id, me.region, me.age_band = f"{FIRING[7]}me", FIRING[10], FIRING[0][:16]
    me.save()
    visitor = create_visitor()
    decide_consent(shopper=visitor, decisions={"personalisation": True}, source="test")
    link_visitor(visitor=visitor, account=me)

    def told(n, text):
        product, at = products[n % len(products)], shop.now - dt.timedelta(hours=5 * n + 1)
        common = {"occurred_at": at.isoformat(), "product": product.public_id}
        return [
            {**common, "id": uuid.uuid4(), "type": "purchase", "order": text[:64], "price": "2.50"},
            {**common, "id": uuid.uuid4(), "type": "search", "query": text, "product": None},
            {**common, "id": uuid.uuid4(), "type": "review", "text": text * 3, "rating": 5},
            {"id": text, "type": text, "sku": text, "product": text, text: text},
        ]

    for n, text in enumerate(PAYLOADS):
        name = text[:128]
        outcome = record_events(
            events=[*told(n, text), *({**each, "shopper": name} for each in told(n + 1, text))],
            shopper=me,
            sender=Sender.SERVER,
        )
        assert (outcome.accepted, len(outcome.rejected)) == (6, 2), (text, outcome)
        note_read(shopper_id=me.pk, staff=user, what="portrait", why=text)
        Group.objects.get_or_create(name=text[:150])
    edit_interests(
        shopper=me,
        pin=[("category", text) for text in turned(0)[:20]] + [("brand", text) for text in turned(0)[:10]],
        block=[("brand", text) for text in turned(20)[:10]],
        hide=[("category", products[30].category.path)],
    )
    for kind in ("popularity", "trending", "item_cf", "user_cf", "content", "buy_again"):
        request_training(kind=kind)
    while (run := run_next()) is not None:
        assert run.state == "done", run.why
    refresh_dirty()
    served = recommend_for(shopper=me, first=10)
    give_feedback(
        shopper=me, product=served.edges[0].product, kind=Feedback.Kind.WRONG_REASON, slate_id=served.slate_id
    )
    source, secret = create_source(name=FIRING[7], kind="generic")
    create_source(name=FORMULAS[0], kind="shopify")
    for text in MARKUP:
        generic(client, source, text, [{"sku": text}], secret=secret)
    generic(client, source, "products/upsert", [{"sku": MARKUP[0], "title": [MARKUP[1]]}], secret=secret)
    generic(client, source, "events", [{"id": MARKUP[0], "type": MARKUP[1]}], secret=secret)
    for product, text in zip(products, PAYLOADS, strict=False):
        note(by=user, what="change", row=product, changes={"title": [text, text]}, why=text)
    for n, text in enumerate(MARKUP):
        start_import(source=text[:60] + str(n), shift_weeks=0)
        finish_import(source=text[:60] + str(n), report={text: text, "dropped": {text: 3}, "columns": {text: [text]}})
    Segmentation.objects.create(
        n_shoppers=9,
        live=True,
        content={
            "middle": [0.0] * 4, "spread": [1.0] * 4, "centres": [[0.0] * 4], "names": [["often"]], "sizes": [9],
            "silhouette": 0.5, "tastes": [[[f"Shop > {text}", 9] for text in MARKUP]],
        },
    )  # fmt: skip
    Rule.objects.create(action="boost", product=products[0], points=1.0)
    Rule.objects.create(action="boost", category=products[1].category, points=-1.0)
    Placement.objects.update(title=FIRING[7])
    raise_flags(suspicions=[Suspicion(me.pk, "bots", MARKUP[0][:60], {MARKUP[0]: MARKUP[1], "acts": 144, "most": 100})])
    issue_key(name=FIRING[0], scopes=["lists:read"])
    erase_shopper(shopper=ensure_shopper(external_id="gone"))
    publish_statement(
        purpose="personalisation", version=FIRING[0][:32], texts={"en": "".join(MARKUP)}, since=timezone.now()
    )
    return SimpleNamespace(me=me, served=served, products=products)
