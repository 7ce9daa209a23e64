"""The catalogue in pages by title."""

from __future__ import annotations

import pytest
from django.db import connection

from shop_reco.products.models import Product
from shop_reco.products.selectors import after_product, showable


def by_title():
    return showable().order_by("title", "public_id")


@pytest.mark.parametrize("size", [1, 5])
def test_pages_tell_every_product_once_in_order_whoever_shares_a_title(shop, size):
    Product.objects.filter(title__startswith="Tea").update(title="Same")
    told, page = [], list(by_title()[:size])
    while page:
        told += [product.pk for product in page]
        page = list(after_product(queryset=by_title(), last=page[-1])[:size])
    assert told == [product.pk for product in by_title()]
    assert len(told) == 36


def test_a_page_far_down_is_begun_where_the_last_one_ended(shop):
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":  # of 36 rows it would rather read all
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_bitmapscan = off")
    everything = Product.objects.order_by("title", "public_id")
    plan = after_product(queryset=everything, last=shop.products["Soap-3"])[:5].explain()
    if connection.vendor == "postgresql":
        assert "Index Cond: ((title)::text >= 'Soap 3'::text)" in plan
    else:
        assert "USING INDEX reco_product_by_title (title>?)" in plan
        assert "USE TEMP B-TREE FOR ORDER BY" not in plan
