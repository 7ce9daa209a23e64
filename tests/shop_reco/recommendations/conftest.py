"""Feedback of several shoppers on their own lists, for tests of its review."""

from __future__ import annotations

import pytest

from shop_reco.recommendations.models import Feedback
from shop_reco.recommendations.services import give_feedback
from shop_reco.recommendations.serving import recommend_for
from shop_reco.users.models import Shopper


@pytest.fixture
def complain(trained):
    """Has ``n`` shoppers complain, each of a product of their own list or of the one that is given."""

    def complain(n, kind="not_interested", product=None):
        told = []
        for shopper in Shopper.objects.order_by("pk")[:n]:
            served = recommend_for(shopper=shopper, first=5)
            told.append(
                give_feedback(
                    shopper=shopper,
                    product=product or served.edges[0].product,
                    kind=kind,
                    slate_id=served.slate_id,
                )
            )
        return Feedback.objects.filter(pk__in=[each.pk for each in told]).order_by("pk")

    return complain
