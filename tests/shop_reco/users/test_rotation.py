"""A new SECRET_KEY ends nothing while the old one is among SECRET_KEY_FALLBACKS, and everything once it is not."""

from __future__ import annotations

import json

import pytest

from shop_reco.privacy.errors import NoExportError
from shop_reco.privacy.exports import export_of, request_export
from shop_reco.users.models import ApiKey
from shop_reco.users.selectors import digest_of, key_of, token_of
from shop_reco.users.services import create_visitor, issue_key
from shop_reco.users.visitors import issue_token


@pytest.fixture
def rotate(settings):
    """Puts a new secret in force; the old one is kept as a fallback, or not."""

    def rotated(*, keep):
        before = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = f"another-{len(before)}", before if keep else []

    return rotated


def ask(client, plain):
    return client.post(
        "/graphql/",
        json.dumps({"query": "{ __typename }"}),
        content_type="application/json",
        headers={"Authorization": f"Bearer {plain}"},
    )


def test_an_api_key_is_known_under_every_fallback_and_by_no_other_secret(db, rotate, django_assert_num_queries):
    key, plain = issue_key(name="server", scopes=["lists:read"])
    for _ in range(2):
        rotate(keep=True)
    with django_assert_num_queries(1):
        assert key_of(plain=plain) == key
    assert key_of(plain=f"{key.prefix}.wrong") is None
    assert key_of(plain=f"{key.prefix}.") is None
    rotate(keep=False)
    assert key_of(plain=plain) is None


def test_an_api_key_that_is_used_is_kept_under_todays_secret(db, client, rotate):
    key, plain = issue_key(name="server", scopes=["lists:read"])
    rotate(keep=True)
    assert ask(client, plain).status_code == 200
    assert ApiKey.objects.get(pk=key.pk).digest == digest_of(plain.partition(".")[2]) != key.digest


def test_a_visitor_stays_who_they_are(db, rotate, django_assert_num_queries):
    visitor = create_visitor()
    secret = issue_token(shopper=visitor)
    rotate(keep=True)
    with django_assert_num_queries(1):
        assert token_of(secret=secret).shopper == visitor
    rotate(keep=False)
    assert token_of(secret=secret) is None


def test_the_link_of_an_export_stays_good(db, rotate):
    visitor = create_visitor()
    asked = request_export(shopper=visitor)
    rotate(keep=True)
    assert export_of(token=asked.token, shopper=visitor) == asked.export
    rotate(keep=False)
    with pytest.raises(NoExportError):
        export_of(token=asked.token, shopper=visitor)
