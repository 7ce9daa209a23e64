"""The example of the page works as it is printed, against a server."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from shop_reco.products.models import Product

from .conftest import make
from .senders import SECRET

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "webhooks.md").read_text()


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("openssl")), reason="needs curl and openssl")
def test_the_example_with_curl_and_openssl_works_as_printed(transactional_db, live_server):
    source = make("generic")
    (script,) = re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL)
    script = script.replace(
        "https://shop.example.com/webhooks/0123456789abcdef/", f"{live_server.url}/webhooks/{source.key}/"
    )

    def answer(secret):
        signed = script.replace("the secret that the admin showed", secret)
        done = subprocess.run(["bash", "-euc", signed], capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    assert answer("not the secret at all")["code"] == "BAD_SIGNATURE"
    assert not Product.objects.exists()
    promised = json.loads(re.search(r"It answers `(.*?)`", PAGE).group(1))
    assert answer(SECRET) == promised
    product = Product.objects.get()
    assert (product.sku, product.title, str(product.price), product.stock) == ("tea-1", "Green tea", "3.20", 40)


def test_the_page_names_every_topic_and_every_setting():
    from shop_reco.conf import RecoSettings
    from shop_reco.webhooks.services import MAPPINGS

    named = set(re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL)))
    topics = {topic for mapping in MAPPINGS.values() for topic in mapping.SHAPES}
    settings = {name for name in RecoSettings.__dataclass_fields__ if name.startswith(("WEBHOOK", "OSCAR"))}
    assert topics <= named
    assert {name for name in settings if name not in PAGE} == {"WEBHOOK_BYTES"}
