"""What several tests of the shop's side share: staff at the admin, and a list as its SKUs."""

from __future__ import annotations

import json
import zipfile
from io import BytesIO

import pytest
from django.contrib.auth.models import User


def skus(served):
    return [edge.product.sku for edge in served.edges]


@pytest.fixture
def staff(db, client):
    client.force_login(User.objects.create_superuser("staff"))
    return client


@pytest.fixture
def unpacked():
    """Opens the file of a fresh export: names to bytes."""

    def open_(shopper) -> dict[str, bytes]:
        from shop_reco.privacy.exports import fetch_export, request_export

        with fetch_export(export=request_export(shopper=shopper).export) as file:
            archive = zipfile.ZipFile(BytesIO(file.read()))
        return {name: archive.read(name) for name in archive.namelist()}

    return open_


@pytest.fixture
def exported(unpacked):
    """The JSON document of a fresh export."""
    return lambda shopper: json.loads(unpacked(shopper)["data.json"])
