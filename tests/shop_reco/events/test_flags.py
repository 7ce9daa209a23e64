"""Flags are raised by training, cleared by staff, taken along in an export and erased with the shopper."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from django.contrib.auth.models import Permission, User
from django.db import IntegrityError, transaction

from shop_reco.events.cleaning import clean_events
from shop_reco.events.drafts import EventDraft
from shop_reco.events.flags import Suspicion, clear_flag, raise_flags
from shop_reco.events.imports import import_events
from shop_reco.events.models import ShopperFlag
from shop_reco.events.selectors import flags_by_rule, flags_in_force
from shop_reco.privacy.services import erase_shopper
from shop_reco.recommendations.models import ModelVersion, TrainingRun
from shop_reco.recommendations.services import request_training
from shop_reco.recommendations.training import run_next
from shop_reco.users.services import ShopperDraft, import_consents, import_shoppers

EVIDENCE = {"seconds": 60.0, "acts": 120, "most": 100, "ended": "2026-03-01T12:00:00+00:00"}


def suspicion(person, key="60/1", rule="bots"):
    return Suspicion(person.pk, rule, key, EVIDENCE)


def newcomers(shop, n, *, target, purpose="training"):
    """So many new shoppers who look at one product three times within an hour, yesterday."""
    people = import_shoppers(rows=[ShopperDraft(external_id=f"fake{k}") for k in range(n)])
    import_consents(shopper_ids=list(people.values()), purposes=[purpose], source="test", decided_at=shop.now)
    import_events(
        rows=[
            EventDraft(
                id=uuid.uuid4(),
                shopper_id=pk,
                product_id=shop.products[target].pk,
                type="add_to_cart",
                occurred_at=shop.now - dt.timedelta(days=1, minutes=20 * k),
            )
            for pk in people.values()
            for k in range(3)
        ]
    )
    return people


def trained(kind="popularity"):
    request_training(kind=kind)
    run = run_next()
    assert run.state == "done", run.why
    return run


def test_a_suspicion_is_one_flag_however_often_it_is_raised(shop, person):
    assert raise_flags(suspicions=[suspicion(person), suspicion(person)]) == {"bots": 1}
    assert raise_flags(suspicions=[suspicion(person), suspicion(person, "60/2")]) == {}
    assert flags_in_force() == {person.pk: 1}
    assert ShopperFlag.objects.get().evidence == EVIDENCE


def test_what_was_cleared_is_raised_again_for_new_evidence_only(shop, person):
    staff = User.objects.create_superuser("staff")
    raise_flags(suspicions=[suspicion(person)])
    flag = ShopperFlag.objects.get()
    assert clear_flag(flag=flag, by=staff)
    assert not clear_flag(flag=flag, by=None)
    flag.refresh_from_db()
    assert flag.cleared_by == staff
    assert flags_in_force() == {}
    assert raise_flags(suspicions=[suspicion(person)]) == {}
    assert raise_flags(suspicions=[suspicion(person, "60/2")]) == {"bots": 1}
    assert flags_by_rule() == [("bots", 1, 1)]


def test_the_database_itself_keeps_one_flag_in_force_of_a_rule(shop, person):
    raise_flags(suspicions=[suspicion(person)])
    with pytest.raises(IntegrityError), transaction.atomic():
        ShopperFlag.objects.create(shopper=person, rule="bots", evidence_key="another")


def test_whoever_was_erased_meanwhile_is_not_flagged(shop, person):
    erase_shopper(shopper=person)
    assert raise_flags(suspicions=[suspicion(person)]) == {}


def test_training_flags_a_group_on_one_product_and_learns_nothing_from_it(shop):
    before = trained().cleaning
    assert before["flags"] == {}
    assert before["kept_out"] == {"shoppers": 0, "events": 0}
    fakes = newcomers(shop, 25, target="Soap-11")
    run = trained()
    assert run.cleaning["flags"] == {"hammering": 25}
    assert run.cleaning["kept_out"] == {"shoppers": 25, "events": 75}
    assert set(flags_in_force()) == set(fakes.values())
    version = ModelVersion.objects.get(run=run)
    assert version.figures["shoppers"] == 30
    flag = ShopperFlag.objects.first()
    assert flag.evidence["product"] == shop.products["Soap-11"].pk
    assert (flag.evidence["events"], flag.evidence["shoppers"]) == (3, 25)


def test_with_the_guard_off_training_learns_from_the_group(shop, settings):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "CLEANING": {"hammering": False}}
    newcomers(shop, 25, target="Soap-11")
    assert ModelVersion.objects.get(run=trained()).figures["shoppers"] == 55
    assert flags_in_force() == {}


def test_a_cleared_group_is_learnt_from_at_the_next_training(shop):
    newcomers(shop, 25, target="Soap-11")
    trained()
    for flag in ShopperFlag.objects.all():
        clear_flag(flag=flag)
    run = trained()
    assert run.cleaning["flags"] == {}
    assert ModelVersion.objects.get(run=run).figures["shoppers"] == 55


def test_a_shopper_faster_than_a_person_is_flagged_with_numbers(shop, person):
    import_events(
        rows=[
            EventDraft(
                id=uuid.uuid4(),
                shopper_id=person.pk,
                product_id=product.pk,
                type="view_item",
                occurred_at=shop.now - dt.timedelta(hours=5, seconds=n * 0.3),
            )
            for n, product in enumerate([*shop.products.values()] * 4)
        ]
    )
    found = [each for each in clean_events(until=shop.now).suspicions if each.rule == "bots"]
    assert [(each.shopper_id, each.evidence["acts"], each.evidence["most"]) for each in found] == [
        (person.pk, 144, 100)
    ]
    run = trained()
    assert run.cleaning["flags"] == {"bots": 1}
    assert ModelVersion.objects.get(run=run).figures["shoppers"] == 29


def test_a_flag_is_in_the_export_without_keys_and_goes_with_the_shopper(shop, person, exported):
    product = shop.products["Tea-0"]
    raise_flags(suspicions=[Suspicion(person.pk, "hammering", f"{product.pk}/1", {"product": product.pk, "events": 3})])
    (row,) = exported(person)["shopperflag"]
    assert row["evidence"] == {"product": str(product.public_id), "events": 3}
    assert row.keys() == {"rule", "evidence", "raised_at", "cleared_at"}
    assert erase_shopper(shopper=person).counts["shopperflag"] == 1
    assert not ShopperFlag.objects.exists()


def test_staff_see_the_evidence_and_clear_a_flag(shop, person, staff):
    product = shop.products["Tea-0"]
    evidence = {"product": product.pk, "events": 3, "shoppers": 40}
    raise_flags(suspicions=[Suspicion(person.pk, "hammering", "1/1", evidence)])
    flag = ShopperFlag.objects.get()
    page = staff.get("/admin/reco_events/shopperflag/").content.decode()
    assert "Tea 0" in page
    assert "1 in force, 0 cleared" in page
    assert "such shoppers" in staff.get(f"/admin/reco_events/shopperflag/{flag.pk}/change/").content.decode()
    page = staff.post(f"/admin/reco_events/shopperflag/{flag.pk}/clear/", follow=True).content.decode()
    assert "The flag is cleared" in page
    assert flags_in_force() == {}


def test_nobody_flagged_is_told_so(shop, staff):
    assert "Nobody is flagged." in staff.get("/admin/reco_events/shopperflag/").content.decode()


def test_only_staff_with_the_permission_clear(shop, person, client):
    raise_flags(suspicions=[suspicion(person)])
    flag = ShopperFlag.objects.get()
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_shopperflag"))
    client.force_login(viewer)
    assert client.get("/admin/reco_events/shopperflag/").status_code == 200
    assert client.post(f"/admin/reco_events/shopperflag/{flag.pk}/clear/").status_code == 403
    assert client.get(f"/admin/reco_events/shopperflag/{flag.pk}/clear/").status_code == 405
    assert flags_in_force() == {person.pk: 1}


def test_a_run_that_was_cancelled_while_loading_keeps_no_report(shop, monkeypatch):
    from shop_reco.recommendations.training import material

    real = material.clean_events

    def cancelled_meanwhile(**given):
        TrainingRun.objects.update(state="cancelled")
        return real(**given)

    monkeypatch.setattr(material, "clean_events", cancelled_meanwhile)
    request_training(kind="popularity")
    assert run_next().cleaning == {}
