"""What django-oscar tells by its signals, whose arguments are the real ones' (oscar 4.2)."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.core.management import CommandError, call_command
from django.db.models.signals import post_delete, post_save
from django.dispatch import Signal
from django.test import RequestFactory
from django.utils import timezone

from shop_reco.events.models import Event
from shop_reco.products.models import Product
from shop_reco.products.services import ProductDraft, import_products
from shop_reco.users.services import decide_consent, ensure_account
from shop_reco.webhooks import receivers

order_placed, order_status_changed, product_viewed = Signal(), Signal(), Signal()


class Goods:
    """A product as oscar's model shows it, and the sender of its signals."""

    class Category:
        full_name, _full_name_separator = "Books > Fiction", " > "

    class Class:
        name, track_stock = "Book", True

    def __init__(self, pk=1, **values):
        self.pk, self.upc, self.title, self.parent, self.is_child, self.is_public = pk, "", "A book", None, False, True
        self.description, self.date_updated = "<p>Long &amp; thrilling</p>", timezone.now()
        vars(self).update(values)

    def get_title(self):
        return self.title

    def get_product_class(self):
        return self.Class

    def get_categories(self):
        return SimpleNamespace(all=lambda: [self.Category])


class Record:
    """A stock record as oscar's model shows it."""

    def __init__(self, product, **values):
        self.product, self.price, self.price_currency = product, Decimal("9.99"), "GBP"
        self.date_updated = timezone.now()
        self.num_in_stock, self.net_stock_level = 5, 4
        vars(self).update(values)


@pytest.fixture(autouse=True)
def connected():
    pairs = [
        (order_placed, receivers.on_order_placed, None),
        (order_status_changed, receivers.on_order_status_changed, None),
        (product_viewed, receivers.on_product_viewed, None),
        (post_save, receivers.on_product_saved, Goods),
        (post_delete, receivers.on_product_deleted, Goods),
        (post_save, receivers.on_stock_saved, Record),
    ]
    for signal, receiver, sender in pairs:
        signal.connect(receiver, sender=sender)
    yield
    for signal, receiver, sender in pairs:
        signal.disconnect(receiver, sender=sender)


@pytest.fixture
def user(db):
    user = User.objects.create_user("reader", email="canary@example.com")
    decide_consent(shopper=ensure_account(user=user), decisions={"personalisation": True}, source="shop")
    return user


class Order:
    """An order of one line as oscar's model shows it, and the sender of its signals."""

    def __init__(self, product, **values):
        line = SimpleNamespace(pk=11, product=product, quantity=3, line_price_incl_tax=Decimal("29.97"))
        self.lines = SimpleNamespace(all=lambda: [line])
        self.number, self.currency, self.date_placed = "10001", "GBP", timezone.now()
        vars(self).update(values)


def save(instance, commits):
    with commits(execute=True):
        post_save.send(sender=type(instance), instance=instance, created=True, raw=False, using="default")


def test_a_saved_product_is_in_the_catalogue_with_price_and_stock(db, django_capture_on_commit_callbacks):
    book = Goods()
    save(book, django_capture_on_commit_callbacks)
    save(Record(book), django_capture_on_commit_callbacks)
    product = Product.objects.get()
    assert (product.sku, product.title, product.description) == ("oscar-1", "A book", "Long & thrilling")
    assert (product.category.path, product.price, product.currency, product.stock) == (
        "Books > Fiction", Decimal("9.99"), "GBP", 4,
    )  # fmt: skip
    child = Goods(pk=2, upc="978-3", is_child=True, parent=book)
    save(child, django_capture_on_commit_callbacks)
    assert Product.objects.get(sku="978-3").parent == product
    post_delete.send(sender=Goods, instance=book, using="default")
    assert not Product.objects.get(sku="oscar-1").open


def test_an_order_is_recorded_once_and_undone_once(user):
    import_products(drafts=[ProductDraft(sku="oscar-1", title="A book")])
    order = Order(Goods(), user=user)
    for _ in range(2):
        order_placed.send(sender=object(), order=order, user=user)
    for status in ("Being processed", "Cancelled", "Cancelled"):
        order_status_changed.send(sender=order, order=order, old_status="Pending", new_status=status)
    found = Event.objects.order_by("type").values_list("type", "product__sku", "quantity", "price", "currency", "order")
    line = ("oscar-1", 3, Decimal("9.99"), "GBP", "10001")
    assert list(found) == [("purchase", *line), ("refund", *line)]


def test_a_view_is_recorded_for_who_consented(user, db):
    import_products(drafts=[ProductDraft(sku="oscar-1", title="A book")])
    for viewer in (user, AnonymousUser(), User.objects.create_user("silent")):
        request = RequestFactory().get("/")
        request.user, request.session = viewer, {}
        product_viewed.send(sender=object(), product=Goods(), user=viewer, request=request, response=None)
    event = Event.objects.get()
    assert (event.type, event.product.sku, event.shopper.user) == ("view_item", "oscar-1", user)


def test_what_goes_wrong_here_stops_no_checkout(user, caplog):
    order_placed.send(sender=object(), order=SimpleNamespace(number="canary"), user=user)
    assert not Event.objects.exists()
    assert User.objects.filter(username="reader").exists()
    assert "canary" not in caplog.text


def test_guests_leave_nothing(db):
    import_products(drafts=[ProductDraft(sku="oscar-1", title="A book")])
    order_placed.send(sender=object(), order=Order(Goods(), user=None), user=None)
    assert not Event.objects.exists()


def test_nothing_is_followed_without_the_setting_or_without_oscar(settings, monkeypatch):
    def refuse(name):
        raise AssertionError(f"{name} was imported")

    monkeypatch.setattr(receivers, "import_module", refuse)
    receivers.connect()
    settings.SHOP_RECO = {**settings.SHOP_RECO, "OSCAR_SIGNALS": True}
    receivers.connect()
    monkeypatch.setattr(receivers.apps, "is_installed", lambda name: True)
    with pytest.raises(AssertionError, match=r"oscar\.apps"):
        receivers.connect()


def test_the_import_says_that_there_is_no_oscar(db):
    with pytest.raises(CommandError, match="django-oscar is not among INSTALLED_APPS"):
        call_command("import_oscar")
