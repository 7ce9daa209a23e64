"""Every table that leads to a shopper is exported and erased, or says here why it is not."""

from __future__ import annotations

import inspect
import re
from importlib import import_module

import pytest
from celery import current_app
from django.apps import apps
from django.db.models import AutoField, Field, ForeignKey, GenericIPAddressField, JSONField

from shop_reco.conf import APPS
from shop_reco.privacy.personal import personal_tables
from shop_reco.users.models import Shopper

MODELS = [model for config in apps.get_app_configs() if config.name in APPS for model in config.get_models()]
TABLES = {table.model: table for table in personal_tables()}

UNLISTED = {
    "reco_users.Shopper": "the shopper itself: the profile of an export, and the last row of an erasure",
}
"""Models with a path to a shopper that no app lists in ``personal``, with the reason."""

NO_FOREIGN_KEY = {
    "reco_portraits.Segmentation.n_shoppers": "a count",
    "reco_recommendations.AnswerCount.shoppers": "a count",
    "reco_recommendations.CountedDay.shoppers": "a count, which an erasure takes the shopper out of",
    "reco_recommendations.ListCount.shoppers": "a count",
    "reco_recommendations.ErasedRow.shopper_id": "the number of a shopper who is gone, until no model holds their row",
}
"""Columns that lead to a shopper without a foreign key, with what becomes of them."""

JSON_COLUMNS = {
    "reco_events.RejectedEvent.payload": "of the shopper of its row, and goes with it",
    "reco_events.ShopperFlag.evidence": "numbers; of the shopper of its row, and goes with it",
    "reco_events.DataImport.report": "counts",
    "reco_products.Product.attributes": "of the product",
    "reco_portraits.Portrait.counts": "of the shopper of its row, and goes with it",
    "reco_portraits.Portrait.summary": "of the shopper of its row, and goes with it",
    "reco_portraits.FoldedDay.counts": "of the shopper of its row, and goes with it",
    "reco_portraits.SilenceChange.category_ids": "categories",
    "reco_portraits.Segmentation.content": "centres of groups of MIN_SUPPORT shoppers or more",
    "reco_recommendations.TrainingRun.cleaning": "counts, and ids of a few events, which an erasure takes out",
    "reco_recommendations.TrainingRun.resources": "seconds and megabytes",
    "reco_recommendations.ModelVersion.figures": "counts and settings",
    "reco_recommendations.ModelVersion.recipe": "settings",
    "reco_recommendations.ModelVersion.gate": "means and intervals over shoppers",
    "reco_recommendations.Placement.switched_off": "names of recommenders",
    "reco_recommendations.Slate.items": "of the shopper of its row, and goes with it",
    "reco_recommendations.Slate.earlier": "of the shopper of its row, and goes with it",
    "reco_recommendations.Feedback.disputed": "of the shopper of its row, and goes with it",
    "reco_recommendations.ShopperAnswers.counts": "of the shopper of its row, and goes with it",
    "reco_recommendations.AnswerCount.groups": "counts, which an erasure takes the shopper's out of; few are not shown",
    "reco_recommendations.Slate.versions": "names of model versions",
    "reco_recommendations.Slate.context": "of the shopper of its row, and goes with it",
    "reco_recommendations.Slate.basis": "of the shopper of its row, and goes with it",
    "reco_privacy.ErasureReceipt.counts": "counts",
    "reco_privacy.ErasureReceipt.versions": "names of model versions",
    "reco_privacy.ReceiptUpdate.gone": "names of model versions",
    "reco_privacy.SessionSweep.marks": "keyed hashes, until the sessions are cleared",
    "reco_users.ApiKey.scopes": "what a server may do",
    "reco_staff.Role.given": "names of permissions",
    "reco_staff.StaffAction.changes": "what staff changed; of what is personal only that it did",
    "reco_webhooks.WebhookSource.purposes": "what a source may claim",
    "reco_webhooks.WebhookDelivery.report": "counts",
    "reco_webhooks.WebhookDelivery.payload": "of a failure alone; an erasure deletes those that name the shopper",
    "reco_webhooks.SourceItem.levels": "stock by location",
}
"""Every JSON column, with what it may hold of a shopper."""


def label(model):
    return f"{model._meta.app_label}.{model.__name__}"


def paths_to_shopper(model, depth=4):
    """Lookups from a model to Shopper over foreign keys, through other tables too."""
    if depth == 0:
        return []
    found = []
    for field in model._meta.get_fields():
        if not isinstance(field, ForeignKey):
            continue
        if field.related_model is Shopper:
            found.append(field.name)
        elif field.related_model in MODELS and field.related_model is not model:
            found += [f"{field.name}__{rest}" for rest in paths_to_shopper(field.related_model, depth - 1)]
    return found


def missing(listed):
    return [label(model) for model in MODELS if paths_to_shopper(model) and model not in listed]


def test_every_table_that_leads_to_a_shopper_is_listed_by_its_app():
    assert [name for name in missing(TABLES) if name not in UNLISTED] == []


@pytest.mark.parametrize("model", TABLES, ids=label)
def test_a_table_that_its_app_forgot_would_be_found(model):
    assert label(model) in missing(set(TABLES) - {model})


@pytest.mark.parametrize("model", TABLES, ids=label)
def test_the_lookups_of_a_table_are_all_its_ways_to_a_shopper(model):
    assert set(TABLES[model].paths) == set(paths_to_shopper(model))


def test_columns_that_lead_to_a_shopper_without_a_foreign_key_are_known():
    telling = re.compile(r"shopper|visitor|external|customer")
    found = {
        f"{label(model)}.{field.attname}"
        for model in MODELS
        for field in model._meta.concrete_fields
        if telling.search(field.name) and not isinstance(field, ForeignKey) and model is not Shopper
    }
    assert found == set(NO_FOREIGN_KEY)


def test_every_json_column_is_known():
    found = {
        f"{label(model)}.{field.name}"
        for model in MODELS
        for field in model._meta.concrete_fields
        if isinstance(field, JSONField)
    }
    assert found == set(JSON_COLUMNS)


PERSON = re.compile(r"(^|_)(name|e_?mail|phone|mobile|address|street|city|postcode|zip|birth\w*|surname)($|_)")
ABOUT_BEHAVIOUR = ("reco_events", "reco_portraits", "reco_recommendations")


def columns():
    for model in MODELS:
        for field in model._meta.get_fields():
            if isinstance(field, Field) and not isinstance(field, AutoField):
                yield model, field


def test_events_portraits_and_models_have_no_column_for_a_name_or_an_address():
    told = [
        f"{label(model)}.{field.name}"
        for model, field in columns()
        if model._meta.app_label in ABOUT_BEHAVIOUR and PERSON.search(field.name)
    ]
    assert told == []
    assert PERSON.search("e_mail")
    assert PERSON.search("home_address")
    assert not PERSON.search("placement")


def test_no_column_anywhere_is_for_an_ip_address():
    telling = re.compile(r"(^|_)(ip|remote_addr|user_agent)($|_)")
    assert [
        f"{label(model)}.{field.name}"
        for model, field in columns()
        if isinstance(field, GenericIPAddressField) or telling.search(field.name)
    ] == []


def test_no_task_takes_what_a_person_is_called_or_typed():
    for name in ("portraits", "recommendations", "privacy", "webhooks"):
        import_module(f"shop_reco.{name}.tasks")
    ours = [task for name, task in current_app.tasks.items() if name.startswith("shop_reco.")]
    taken = {name for task in ours for name in inspect.signature(task.run).parameters}
    assert len(ours) >= 6
    assert taken <= {"kind"}
