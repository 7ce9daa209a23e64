"""Below every field of every form of the admin stands what it does, in the language of whoever fills it in."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import RequestFactory
from django.utils import translation

from shop_reco.admin_site import admin_site

CHINESE = re.compile("[\u4e00-\u9fff]")
WORDS = re.compile(r"\w+")


def fields_of(model_admin):
    """The fields that somebody who may do everything fills in, to add a row and to change one."""
    request = RequestFactory().get("/")
    request.user = User(username="boss", is_staff=True, is_superuser=True, is_active=True)
    forms = []
    if model_admin.has_add_permission(request):
        forms.append(model_admin.get_form(request, None, change=False))
    row = model_admin.model()
    if model_admin.has_change_permission(request, row):
        forms.append(model_admin.get_form(request, row, change=True))
    return {name: field for form in forms for name, field in form.base_fields.items()}


FIELDS = [
    pytest.param(field, id=f"{model._meta.label}.{name}")
    for model, model_admin in admin_site._registry.items()
    for name, field in fields_of(model_admin).items()
]


def words(text):
    return {word.lower() for word in WORDS.findall(str(text))}


@pytest.mark.parametrize("field", FIELDS)
def test_a_field_says_more_than_its_label(field):
    assert len(words(field.help_text) - words(field.label)) >= 3, f"{field.label}: {field.help_text}"


@pytest.mark.parametrize("field", FIELDS)
def test_it_says_so_in_chinese_too(field):
    with translation.override("zh-hans"):
        assert CHINESE.search(str(field.help_text)), f"{field.label}: {field.help_text}"


def test_the_table_has_the_forms_that_staff_fill_in():
    told = {param.id.rpartition(".")[0] for param in FIELDS}
    assert {"reco_products.Product", "reco_recommendations.Placement", "reco_recommendations.Rule"} <= told
    assert {"reco_users.ApiKey", "reco_webhooks.WebhookSource", "auth.User"} <= told
    assert len(FIELDS) > 60
