"""The rows of one of many values are those that ``__in`` finds, by one parameter where the database has arrays."""

from __future__ import annotations

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shop_reco.among import Among, one_of
from shop_reco.products.models import Product
from shop_reco.users.models import Shopper

pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    return [Shopper.objects.create(external_id=name) for name in ("ada", "o'hara", "{x,y}", 'a"b\\', "张伟")]


@pytest.mark.parametrize("column", ["pk", "external_id", "public_id"])
@pytest.mark.parametrize("kind", [list, set, tuple])
def test_it_finds_whom_the_values_name_and_nobody_else(people, column, kind):
    wanted = people[1:]
    values = kind(getattr(each, column) for each in wanted)
    assert set(Shopper.objects.filter(Among(column, values))) == set(wanted)
    assert set(Shopper.objects.exclude(Among(column, values))) == {people[0]}


def test_it_goes_with_other_conditions_and_over_relations(people):
    product = Product.objects.create(sku="kettle", title="Kettle")
    assert not Shopper.objects.filter(Among("pk", [people[0].pk]), external_id="o'hara").exists()
    assert list(Product.objects.filter(Among("public_id", [product.public_id, uuid.uuid4()]))) == [product]


def test_none_of_no_values_and_no_question_either(people):
    with CaptureQueriesContext(connection) as asked:
        assert list(Shopper.objects.filter(Among("pk", []))) == []
    assert len(asked) == 0


def test_thousands_of_values_are_one_parameter_where_there_are_arrays(people):
    names = [f"h{n}" for n in range(5000)] + ["ada"]
    assert list(Shopper.objects.filter(Among("external_id", names))) == [people[0]]
    _, parameters = one_of(names, connection)
    assert len(parameters) == (1 if connection.vendor == "postgresql" else len(names))
