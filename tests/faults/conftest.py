import pytest

from .live_shop import LiveShop


@pytest.fixture
def live(tmp_path):
    """A shop of real processes on SQLite and the file-system broker, ended with the test."""
    shop = LiveShop(tmp_path)
    yield shop
    shop.end()
