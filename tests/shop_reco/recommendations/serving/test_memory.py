"""Only whole artifacts are read into memory."""

from __future__ import annotations

from shop_reco.recommendations import serving
from shop_reco.recommendations.models import ModelVersion
from shop_reco.recommendations.serving.memory import memory


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
