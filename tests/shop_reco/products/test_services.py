"""What is done to a product is known to the next list."""

from __future__ import annotations

from shop_reco.products.services import set_visibility
from shop_reco.recommendations import serving
from tests.shop_reco.conftest import skus


def test_a_hidden_product_is_gone_from_the_next_list(trained, person):
    first = serving.recommend_for(shopper=person, first=5).edges[0].product
    set_visibility(products=[first], visible=False)
    served = serving.recommend_for(shopper=person, first=5)
    assert first.sku not in skus(served)
    assert len(served.edges) == 5
