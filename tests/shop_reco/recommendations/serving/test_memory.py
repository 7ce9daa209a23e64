"""Only whole artifacts are read into memory."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from shop_reco.recommendations import serving
from shop_reco.recommendations.models import ModelVersion
from shop_reco.recommendations.serving.memory import memory, share_ids


def test_a_damaged_artifact_is_never_served(trained, person, settings):
    version = ModelVersion.objects.get(recommender="item_cf", state="live")
    file = settings.SHOP_RECO["ARTIFACTS_ROOT"] / version.public_id.hex / "targets_.npy"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(bytes(content))
    memory.forget()
    served = serving.recommend_for(shopper=person, first=5)
    assert served.rung == "LAST_GOOD"
    assert len(served.edges) == 5


def test_models_of_the_same_items_share_one_array_of_their_ids():
    one, two, other = (SimpleNamespace(item_ids_=np.asarray(ids)) for ids in ([1, 2, 3], [1, 2, 3], [1, 2, 4]))
    share_ids([one, other, two])
    assert two.item_ids_ is one.item_ids_
    assert other.item_ids_.tolist() == [1, 2, 4]
