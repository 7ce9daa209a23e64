"""A torn message in the broker's folder stops nobody."""

from __future__ import annotations

from queue import Empty

import pytest
from kombu import Connection

from shop_reco import celery  # noqa: F401  has filesystem:// mean the project's own
from shop_reco.settings.base import file_system_broker


@pytest.fixture
def channel(tmp_path):
    with Connection("filesystem://", transport_options=file_system_broker(tmp_path)) as connection:
        yield connection.default_channel


@pytest.mark.parametrize("torn", [b"", b'{"body": "', b"\xff", b"[]", b"{}"])
def test_a_torn_message_is_passed_over_and_the_next_one_comes(channel, tmp_path, torn):
    # A message's name begins with the clock of the machine, and the least name comes first.
    (tmp_path / "queue" / "0_one.shop.msg").write_bytes(torn)
    channel._put("shop", {"body": "good", "properties": {}})
    with pytest.raises(Empty):
        channel._get("shop")
    assert channel._get("shop")["body"] == "good"
    with pytest.raises(Empty):
        channel._get("shop")
