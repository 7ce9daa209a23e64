"""What is done to a product is known to the next list."""

from __future__ import annotations

from shop_reco.products.models import Category
from shop_reco.products.selectors import catalogue_revision
from shop_reco.products.services import (
    ProductDraft,
    ensure_category,
    import_products,
    set_sensitive,
    set_visibility,
    upsert_products,
)
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


def test_categories_of_one_name_have_addresses_of_their_own_whenever_they_come(db):
    def come(*floors):
        import_products(
            drafts=[ProductDraft(sku=f"p{n}", title="A", category=(f"Floor {n}", "Sale", "Sale")) for n in floors]
        )

    come(*range(12))
    come(12)
    come(*range(13, 20))
    slugs = list(Category.objects.filter(name="Sale").order_by("pk").values_list("slug", flat=True))
    assert sorted(slugs) == sorted(["sale", *(f"sale-{n}" for n in range(2, 41))])
    assert ensure_category(path=("Floor 3", "Sale")).parent.name == "Floor 3"
    assert ensure_category(path=()) is None


def test_a_product_whose_variants_left_it_in_the_same_call_may_be_a_variant_itself(db):
    def outcomes(*rows):
        drafts = [ProductDraft(sku=sku, title=sku, parent_sku=parent) for sku, parent in rows]
        return [each.state for each in upsert_products(rows=drafts)]

    assert outcomes(("shirt", ""), ("shirt-red", "shirt"), ("clothes", "")) == ["stored"] * 3
    assert outcomes(("shirt", "clothes")) == ["rejected"]
    assert outcomes(("shirt", "clothes"), ("shirt-red", "")) == ["stored"] * 2
