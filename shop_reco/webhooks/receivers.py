"""The schedule after each migration, and the news of a django-oscar in the same project.

What goes wrong with oscar's news is logged, and never stops a checkout.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import partial, wraps
from importlib import import_module
from typing import Any

import structlog
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.utils import timezone

from shop_reco.api.identity import identity_of
from shop_reco.conf import reco_settings
from shop_reco.events.services import Sender, record_events
from shop_reco.products.services import delete_products, upsert_products
from shop_reco.users.models import Shopper
from shop_reco.users.selectors import account_of

from . import following, oscar, selectors
from .forgetting import forget_shopper

logger = structlog.get_logger(__name__)


def ensure_schedule(**kwargs: Any) -> None:
    """Have the nightly cleaning in the schedule, where staff edit it; what they changed stays."""
    if not apps.is_installed("django_celery_beat"):
        return
    from django_celery_beat.models import CrontabSchedule, PeriodicTask

    nightly, _ = CrontabSchedule.objects.get_or_create(minute="30", hour="3", timezone="UTC")
    task = {"task": "shop_reco.webhooks.tasks.forget_old_deliveries", "crontab": nightly}
    PeriodicTask.objects.get_or_create(name="Forget old webhook deliveries", defaults=task)


def on_shopper_deleted(*, instance: Shopper, **kwargs: Any) -> None:
    """Who is erased is erased from what waits to be mended, too."""
    if instance.external_id:
        forget_shopper(external_id=instance.external_id)


def connect() -> None:
    """Follow oscar's signals, if the setting says so and oscar is there."""
    try:
        wanted = reco_settings().OSCAR_SIGNALS and apps.is_installed("oscar")
    except ImproperlyConfigured:  # told by the checks, with all else that is wrong
        return
    if not wanted:
        return
    orders, views = import_module("oscar.apps.order.signals"), import_module("oscar.apps.catalogue.signals")
    models: Any = apps  # a forked oscar has models of its own under the same labels
    product, record = models.get_model("catalogue", "Product"), models.get_model("partner", "StockRecord")
    orders.order_placed.connect(on_order_placed, dispatch_uid="reco_oscar_order")
    orders.order_status_changed.connect(on_order_status_changed, dispatch_uid="reco_oscar_status")
    views.product_viewed.connect(on_product_viewed, dispatch_uid="reco_oscar_view")
    post_save.connect(on_product_saved, sender=product, dispatch_uid="reco_oscar_product")
    post_delete.connect(on_product_deleted, sender=product, dispatch_uid="reco_oscar_gone")
    post_save.connect(on_stock_saved, sender=record, dispatch_uid="reco_oscar_stock")


def harmless(receiver: Callable[..., None]) -> Callable[..., None]:
    """A receiver whose failure is logged by its kind, and leaves the shop's own transaction whole."""

    @wraps(receiver)
    def safe(**kwargs: Any) -> None:
        try:
            with transaction.atomic():
                receiver(**kwargs)
        except Exception as error:
            logger.error("oscar_news_lost", receiver=receiver.__name__, error=type(error).__name__)

    return safe


@harmless
def on_order_placed(*, order: Any, user: Any, **kwargs: Any) -> None:
    """Sent within the checkout's transaction: what it rolls back, this does too."""
    _record(user, oscar.order_events(order))


@harmless
def on_order_status_changed(*, order: Any, new_status: str, **kwargs: Any) -> None:
    if str(new_status).lower() in oscar.GONE:
        _record(order.user, oscar.refund_events(order, at=timezone.now()))


def _record(user: Any, events: list[dict[str, Any]]) -> None:
    """Record what is new, of a user who has a shopper here; a guest and one who never consented have none."""
    shopper = account_of(user_id=user.pk) if user is not None and user.is_authenticated else None
    known = selectors.reported(ids=[each["id"] for each in events])
    fresh = [each for each in events if each["id"] not in known]
    if shopper is not None and fresh:
        record_events(events=fresh, shopper=shopper, sender=Sender.SERVER)


@harmless
def on_product_viewed(*, product: Any, request: Any, **kwargs: Any) -> None:
    shopper = identity_of(request).shopper
    if shopper is not None:
        event = {"id": uuid.uuid4(), "type": "view_item", "sku": oscar.sku_of(product)}
        record_events(events=[event], shopper=shopper, sender=Sender.SERVER)


def on_product_saved(*, instance: Any, raw: bool = False, **kwargs: Any) -> None:
    """Its categories are saved after it, so it is read when all of that is done."""
    if not raw:
        transaction.on_commit(partial(_follow_product, instance=instance))


@harmless
def _follow_product(*, instance: Any) -> None:
    for outcome in upsert_products(rows=[oscar.draft_of(instance)]):
        if outcome.code:
            logger.warning("oscar_product_refused", sku=outcome.sku, code=outcome.code, field=outcome.field)


@harmless
def on_product_deleted(*, instance: Any, **kwargs: Any) -> None:
    delete_products(skus=[oscar.sku_of(instance)])


def on_stock_saved(*, instance: Any, raw: bool = False, **kwargs: Any) -> None:
    if not raw:
        transaction.on_commit(partial(_follow_stock, instance=instance))


@harmless
def _follow_stock(*, instance: Any) -> None:
    following.follow_offer(instance)
