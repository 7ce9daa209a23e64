"""Whatever has an id can be asked for again by it, by whoever may see it."""

from __future__ import annotations

import uuid

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from shop_reco.api.ids import global_id
from shop_reco.recommendations.models import ModelVersion, TrainingRun
from shop_reco.users.models import Shopper
from tests.shop_reco.graphql import ask

NODE = "query($id: ID!) { node(id: $id) { id __typename ... on Product { sku } ... on ModelVersion { kind } } }"


def node(client, id):
    reply = ask(client, NODE, {"id": id})
    assert "errors" not in reply, reply
    return reply["data"]["node"]


def test_a_product_comes_back_by_its_id(shop, client):
    tea = shop.products["Tea-1"]
    name = global_id("Product", tea.public_id)
    assert node(client, name) == {"id": name, "__typename": "Product", "sku": "Tea-1"}
    tea.deleted_at = timezone.now()
    tea.save()
    assert node(client, name) is None


def test_versions_and_runs_are_for_staff(trained, client):
    names = {
        "ModelVersion": global_id("ModelVersion", ModelVersion.objects.first().public_id),
        "TrainingRun": global_id("TrainingRun", TrainingRun.objects.first().public_id),
    }
    assert [node(client, name) for name in names.values()] == [None, None]
    client.force_login(User.objects.create_superuser("boss"))
    assert [node(client, name)["__typename"] for name in names.values()] == list(names)


@pytest.mark.parametrize("id", ["", "nonsense", "UHJvZHVjdDo=", "é", "Product:1"])
def test_what_is_no_id_is_nothing_or_a_typed_error(shop, client, id):
    reply = ask(client, NODE, {"id": id})
    assert reply["data"]["node"] is None
    assert reply.get("errors", [{"extensions": {"code": "BAD_ID"}}])[0]["extensions"]["code"] == "BAD_ID"


def test_no_shopper_is_a_node(shop, client):
    assert node(client, global_id("Shopper", Shopper.objects.first().public_id)) is None
    assert node(client, global_id("Product", uuid.uuid4())) is None
