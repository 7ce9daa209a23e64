"""What is done to a product is known to the next list."""

from __future__ import annotations

from shop_reco.products.models import Category
from shop_reco.products.selectors import catalogue_revision
from shop_reco.products.services import ensure_category, set_sensitive, set_visibility
from shop_reco.recommendations import serving
from tests.shop_reco.conftest import skus


def test_a_hidden_product_is_gone_from_the_next_list(trained, person):
    first = serving.recommend_for(shopper=person, first=5).edges[0].product
    set_visibility(products=[first], visible=False)
    served = serving.recommend_for(shopper=person, first=5)
    assert first.sku not in skus(served)
    assert len(served.edges) == 5


def test_a_sensitive_category_takes_all_below_it_along(shop):
    root, before = Category.objects.get(path="Shop"), catalogue_revision()
    assert set_sensitive(categories=[root], sensitive=True) == 4
    assert not Category.objects.filter(sensitive=False).exists()
    assert catalogue_revision() == before + 1
    assert set_sensitive(categories=[root], sensitive=True) == 0
    assert catalogue_revision() == before + 1


def test_a_new_category_below_a_sensitive_one_is_sensitive(shop):
    set_sensitive(categories=[Category.objects.get(path="Shop > Tea")], sensitive=True)
    assert ensure_category(path=("Shop", "Tea", "Green")).sensitive
    assert not ensure_category(path=("Shop", "Milk")).sensitive
