"""The documents of the shop's pages: all of them fit the schema, and its scripts may ask theirs by name."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings
from graphql import parse, validate

from shop_reco.api.documents import OF_SCRIPTS, document, documents_of_scripts, hash_of
from shop_reco.api.schema import schema

FOLDER = Path(settings.BASE_DIR) / "templates" / "shop_reco" / "graphql"
NAMES = sorted(path.stem for path in FOLDER.glob("*.graphql"))


@pytest.mark.parametrize("name", NAMES)
def test_a_document_fits_the_schema(name):
    assert validate(schema._schema, parse(document(name))) == []


def test_every_document_of_the_scripts_is_there():
    assert set(OF_SCRIPTS) <= set(NAMES)
    assert len(documents_of_scripts()) == len(OF_SCRIPTS)


def test_where_only_known_documents_are_answered_the_scripts_still_are(db, client, settings):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "PERSISTED_ONLY": True}
    body = {"documentId": f"sha256:{hash_of('lists')}", "variables": {"requests": []}}
    assert client.post("/graphql/", body, content_type="application/json").json()["data"] == {"lists": []}
    own = client.post("/graphql/", {"query": "{ me { known } }"}, content_type="application/json").json()
    assert own["errors"][0]["extensions"]["code"] == "NOT_PERSISTED"
