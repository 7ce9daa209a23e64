"""Every page of the admin and every field of staff in the API, by role: a new one without a row here fails."""

from __future__ import annotations

import pytest
from django.urls import NoReverseMatch

from shop_reco.admin_site import admin_site
from shop_reco.api.ids import global_id
from shop_reco.api.schema import schema
from shop_reco.recommendations.models import Feedback, TrainingRun
from tests.shop_reco.graphql import ask
from tests.shop_reco.test_admin_site import fill

from .conftest import address, own_pages

LETTERS = {"V": "viewer", "M": "merchandiser", "R": "reviewer", "A": "analyst", "X": "administrator"}

PAGES = {
    # model: who may look at its rows, add one, save one, delete one
    "reco_recommendations.recommender": ("V M A X", "", "", ""),
    "reco_recommendations.trainingrun": ("V M A X", "", "", ""),
    "reco_recommendations.modelversion": ("V M A X", "", "", ""),
    "reco_recommendations.placement": ("V M R A X", "M X", "M X", "M X"),
    "reco_recommendations.rule": ("V M A X", "M X", "M X", "M X"),
    "reco_recommendations.slate": ("V M R A X", "", "", ""),
    "reco_recommendations.feedback": ("R X", "", "", ""),
    "reco_users.shopper": ("R X", "", "", ""),
    "reco_users.shopperlink": ("X", "", "", ""),
    "reco_users.consent": ("X", "", "", ""),
    "reco_users.consentstatement": ("X", "X", "", ""),
    "reco_users.staffread": ("X", "", "", ""),
    "reco_users.apikey": ("X", "X", "", ""),
    "reco_staff.staffaction": ("X", "", "", ""),
    "reco_portraits.portrait": ("X", "", "", ""),
    "reco_portraits.portraitedit": ("X", "", "", ""),
    "reco_portraits.segmentation": ("V M A X", "", "", ""),
    "reco_events.event": ("X", "", "", ""),
    "reco_events.rejectedevent": ("X", "", "", ""),
    "reco_events.shopperflag": ("X", "", "", ""),
    "reco_events.dataimport": ("V M A X", "", "", ""),
    "reco_products.product": ("V M R A X", "X", "X", ""),
    "reco_products.category": ("V M R A X", "", "X", ""),
    "reco_products.brand": ("V M R A X", "", "", ""),
    "reco_webhooks.webhooksource": ("X", "X", "X", ""),
    "reco_webhooks.webhookdelivery": ("X", "", "", ""),
    "reco_privacy.erasurereceipt": ("X", "", "", ""),
    "django_celery_beat.periodictask": ("X", "X", "X", "X"),
    "django_celery_beat.crontabschedule": ("X", "X", "X", "X"),
    "django_celery_beat.intervalschedule": ("X", "X", "X", "X"),
    "auth.user": ("X", "X", "X", "X"),
    "auth.group": ("X", "", "", ""),
}
BUTTONS = {
    # what a model has beside these: who may post to it
    "reco_recommendations.recommender.train_all": "A X",
    "reco_recommendations.recommender.cancel": "A X",
    "reco_recommendations.recommender.compare": "V M A X",
    "reco_recommendations.recommender.progress": "V M A X",
    "reco_recommendations.recommender.switch": "X",
    "reco_recommendations.recommender.train": "A X",
    "reco_recommendations.recommender.go_back": "X",
    "reco_recommendations.trainingrun.cancel": "A X",
    "reco_recommendations.modelversion.promote": "X",
    "reco_recommendations.feedback.review": "R X",
    "reco_events.shopperflag.clear": "X",
    "reco_portraits.portrait.from": "X",
    "reco_portraits.segmentation.now": "V M A X",
    "auth.user.password_change": "X",
    "auth.user.remove_second_factor": "X",
    "reco_recommendations.feedback.queue": "R X",
    "reco_recommendations.feedback.piece": "R X",
    "reco_recommendations.feedback.themes": "R X",
    "reco_recommendations.feedback.decide": "R X",
    "reco_recommendations.feedback.undo": "R X",
    "reco_recommendations.rule.preview": "M X",
    "reco_recommendations.rule.preview_of": "M X",
    "reco_recommendations.slate.why": "V M R A X",
    "reco_recommendations.slate.again": "V M R A X",
    "reco_events.rejectedevent.health": "X",
    "reco_products.product.export": "V M R A X",
    "reco_products.product.import": "X",
    "reco_products.product.process_import": "X",
    "reco_users.apikey.rotate": "X",
    "reco_users.shopper.export": "X",
    "reco_users.shopper.erase": "X",
}
SHOWN = {"why", "again", "preview", "preview_of", "health", "queue", "piece", "themes", "progress", "compare", "now"}
"""Pages that change nothing."""
ACTIONS = {
    # what may be done to chosen rows of a model, and who is offered it
    "reco_recommendations.recommender.switch_on": "X",
    "reco_recommendations.recommender.switch_off": "X",
    "reco_recommendations.recommender.train": "A X",
    "reco_recommendations.recommender.go_back": "X",
    "reco_recommendations.trainingrun.cancel": "A X",
    "reco_recommendations.placement.delete_selected": "M X",
    "reco_recommendations.rule.delete_selected": "M X",
    "reco_recommendations.feedback.accept": "R X",
    "reco_recommendations.feedback.dismiss": "R X",
    "reco_users.shopperlink.undo": "X",
    "reco_users.apikey.rotate": "X",
    "reco_users.apikey.revoke": "X",
    "reco_events.rejectedevent.replay": "X",
    "reco_products.product.show": "X",
    "reco_products.product.hide": "X",
    "reco_products.category.mark_sensitive": "X",
    "reco_products.category.mark_ordinary": "X",
    "reco_webhooks.webhooksource.make_new_secret": "X",
    "reco_webhooks.webhooksource.end_previous": "X",
    "reco_webhooks.webhooksource.enable": "X",
    "reco_webhooks.webhooksource.disable": "X",
    "reco_webhooks.webhookdelivery.replay": "X",
    "django_celery_beat.periodictask.delete_selected": "X",
    "django_celery_beat.periodictask.enable_tasks": "X",
    "django_celery_beat.periodictask.disable_tasks": "X",
    "django_celery_beat.periodictask.toggle_tasks": "X",
    "django_celery_beat.periodictask.run_tasks": "X",
    "django_celery_beat.crontabschedule.delete_selected": "X",
    "django_celery_beat.intervalschedule.delete_selected": "X",
    "auth.user.delete_selected": "X",
}
OF_THE_SITE = {
    "index", "login", "logout", "password_change", "password_change_done", "autocomplete", "jsi18n", "view_on_site",
    "app_list", "search", "second_factor",
}  # fmt: skip
"""For each signed-in member of the staff; what they show goes by the pages above."""

READS = {
    "recommenders": ("V M A X", "{ recommenders { kind } }"),
    "placements": ("V M R A X", "{ placements { key } }"),
    "trainingRun": ("V M A X", '{ trainingRun(id: "%(run)s") { state } }'),
    "compare": ("V M A X", '{ compare(version: "%(version)s", other: "%(version)s") { sameRecipe } }'),
}
WRITES = {
    "setRecommenderEnabled": ("X", "(kind: ITEM_CF, enabled: false) { errors { code } }"),
    "setPlacement": ("M X", '(input: {key: "home", size: 3}) { errors { code } }'),
    "startTraining": ("A X", "(kind: POPULARITY) { errors { code } }"),
    "cancelTraining": ("A X", '(run: "%(run)s") { errors { code } }'),
    "promote": ("X", '(version: "%(version)s", why: "it was better") { errors { code } }'),
    "rollback": ("X", "(kind: POPULARITY) { errors { code } }"),
    "reviewFeedback": ("R X", "(feedback: [], verdict: ACCEPTED) { errors { code } }"),
}


def kinds(letters):
    return {LETTERS[letter] for letter in letters.split()}


def models():
    return {model._meta.label_lower: model for model in admin_site._registry}


def offered(model_admin, client):
    """The actions that a list offers to whoever asks for it."""
    request = client.get("/admin/").wsgi_request
    return set(model_admin.get_actions(request))


@pytest.fixture
def full_shop(trained, person, admin_user):
    admin_user.username = "staff"
    admin_user.save()
    fill(trained, person)


def test_every_page_and_button_of_the_admin_has_a_row():
    assert set(PAGES) == set(models())
    assert set(BUTTONS) == set(own_pages())
    site = {pattern.name for pattern in admin_site.get_urls() if getattr(pattern, "name", None)}
    assert site == OF_THE_SITE


@pytest.mark.any_database
def test_every_action_on_chosen_rows_has_a_row_and_is_offered_to_these_roles_alone(team):
    found = {}
    for kind, member in team.items():
        for label, model in models().items():
            for name in offered(admin_site._registry[model], member.client):
                found.setdefault(f"{label}.{name}", set()).add(kind)
    assert found == {name: kinds(letters) for name, letters in ACTIONS.items()}


@pytest.mark.any_database
def test_each_role_opens_its_pages_and_is_refused_all_others(full_shop, team):
    for label, model in models().items():
        look, add, save, delete = map(kinds, PAGES[label])
        row = team["viewer"].user if label == "auth.user" else model._default_manager.first()
        for kind, member in team.items():
            for page, args in (("changelist", ()), ("change", (row.pk,)), ("history", (row.pk,))):
                status = member.client.get(address(model, page, *args)).status_code
                assert status == (200 if kind in look else 403), (label, page, kind)
            status = member.client.get(address(model, "add")).status_code
            assert status == (200 if kind in add else 403), (label, "add", kind)
            if label != "reco_portraits.portrait":  # a post there answers why
                status = member.client.post(address(model, "change", row.pk), {}).status_code
                assert (status != 403) == (kind in save), (label, "save", kind, status)
            status = member.client.get(address(model, "delete", row.pk)).status_code
            assert status == (200 if kind in delete else 403), (label, "delete", kind)


def of_one(model, page, row):
    """The address of a page about one row, or about all of them."""
    try:
        return address(model, page, row.pk)
    except NoReverseMatch:
        return address(model, page)


def test_each_role_presses_its_buttons_and_is_refused_all_others(full_shop, team):
    for name, model in own_pages().items():
        page = name.removeprefix(f"{model._meta.label_lower}.")
        row = team["viewer"].user if name.startswith("auth.user.") else model._default_manager.first()
        url = f"/admin/auth/user/{row.pk}/password/" if page == "password_change" else of_one(model, page, row)
        for kind, member in team.items():
            if page in ("from", "password_change", "export", "erase"):
                status = member.client.get(url, {"kind": "total"}).status_code
            else:
                status = member.client.post(url, {"verdict": "accepted", "enabled": "1", "why": "so"}).status_code
            assert (status != 403) == (kind in kinds(BUTTONS[name])), (name, kind, status)


def test_every_field_of_staff_in_the_api_has_a_row():
    told = {
        name
        for kind in (schema._schema.query_type, schema._schema.mutation_type)
        for name, field in kind.fields.items()
        if (field.description or "").startswith("Of staff")
    }
    assert told == READS.keys() | WRITES.keys()


def test_each_role_asks_its_fields_of_the_api_and_is_refused_all_others(trained, team):
    run = TrainingRun.objects.filter(recommender="popularity").latest("pk")
    ids = {"run": global_id("TrainingRun", run.public_id), "version": global_id("ModelVersion", run.version.public_id)}
    documents = {name: (letters, text) for name, (letters, text) in READS.items()}
    documents |= {name: (letters, f"mutation {{ {name}{text} }}") for name, (letters, text) in WRITES.items()}
    for name, (letters, text) in documents.items():
        for kind, member in team.items():
            reply = ask(member.client, text % ids if "%" in text else text)
            code = reply["errors"][0]["extensions"]["code"] if "errors" in reply else "OK"
            assert code == ("OK" if kind in kinds(letters) else "FORBIDDEN"), (name, kind, reply)


def test_a_reviewers_verdict_counts_and_a_viewers_does_not(full_shop, team):
    row = Feedback.objects.get()
    url = address(Feedback, "review", row.pk)
    team["viewer"].client.post(url, {"verdict": "accepted"})
    assert Feedback.objects.get().review == "open"
    team["reviewer"].client.post(url, {"verdict": "accepted"})
    assert (Feedback.objects.get().review, Feedback.objects.get().reviewed_by) == ("accepted", team["reviewer"].user)


def test_versions_and_runs_come_back_by_their_id_to_the_roles_that_may_see_them(trained, team):
    run = TrainingRun.objects.filter(recommender="popularity").latest("pk")
    for id in (global_id("TrainingRun", run.public_id), global_id("ModelVersion", run.version.public_id)):
        seen = {
            kind
            for kind, member in team.items()
            if ask(member.client, "query($id: ID!) { node(id: $id) { id } }", {"id": id})["data"]["node"]
        }
        assert seen == kinds("V M A X")
