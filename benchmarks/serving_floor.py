"""The floor beside a list: what a bare strawberry query of the same products takes behind the same server.

One query reads the products, a plain schema resolves the same fields; nobody recommends anything. Scores and reasons
are constants, as many as a list has. Also the addresses of a benchmark's shop: its own, and this one.
"""

from __future__ import annotations

import base64
import uuid

import strawberry
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from strawberry.django.views import GraphQLView

from shop_reco.products import models
from shop_reco.urls import urlpatterns as shop

REASONS = 4
"""Of each product; lists here have about so many."""


@strawberry.type
class Product:
    id: strawberry.ID
    title: str
    price: str | None
    currency: str


@strawberry.type
class Reason:
    kind: str
    points: float
    text: str


@strawberry.type
class Edge:
    score: float
    rank: int
    node: Product
    reasons: list[Reason]


@strawberry.type
class Products:
    rung: str
    edges: list[Edge]


@strawberry.type
class Query:
    @strawberry.field
    def products(self, ids: list[strawberry.ID]) -> Products:
        """One query; in the order of ``ids``."""
        wanted = {uuid.UUID(base64.urlsafe_b64decode(each).decode().partition(":")[2]): each for each in ids}
        rows = {row.public_id: row for row in models.Product.objects.filter(public_id__in=wanted)}
        edges = [_edge(rank, given, rows[key]) for rank, (key, given) in enumerate(wanted.items(), start=1)]
        return Products(rung="FLOOR", edges=edges)


def _edge(rank: int, given: strawberry.ID, row: models.Product) -> Edge:
    price = None if row.price is None else str(row.price)
    node = Product(id=given, title=row.title, price=price, currency=row.currency)
    reasons = [Reason(kind="POPULAR", points=0.25 / rank, text="Popular now") for _ in range(REASONS)]
    return Edge(score=1.0 / rank, rank=rank, node=node, reasons=reasons)


schema = strawberry.Schema(query=Query)
urlpatterns = [path("floor/", csrf_exempt(GraphQLView.as_view(schema=schema))), *shop]
