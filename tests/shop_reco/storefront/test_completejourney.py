"""Which parts of the demo's catalogue nobody sees named."""

from __future__ import annotations

import pandas as pd

from shop_reco.storefront.demo.completejourney import sensitive_paths


def test_a_category_or_a_type_within_it_is_sensitive():
    rows = [
        ("DRUG GM", "CIGARETTES", "CIGARETTES"),
        ("GROCERY", "BEERS/ALES", "BEERALEMALT LIQUORS"),
        ("DRUG GM", "FIRST AID PRODUCTS", "HYDROCORTIZONE"),
        ("DRUG GM", "FIRST AID PRODUCTS", "BANDAGE/TAPE"),
        ("GROCERY", "TEAS", None),
    ]
    sold = pd.DataFrame(rows, columns=["department", "product_category", "product_type"])
    assert sensitive_paths(sold) == {
        ("Drug gm", "Cigarettes"),
        ("Grocery", "Beers / ales"),
        ("Drug gm", "First aid products", "Hydrocortizone"),
    }
