"""After a restore whoever was erased since the backup is erased again; whoever came back since stays."""

from __future__ import annotations

import json

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from shop_reco.events.models import Event
from shop_reco.privacy import ledger
from shop_reco.privacy.ledger import entries, ledger_path
from shop_reco.privacy.models import ErasedKey, ErasureReceipt
from shop_reco.privacy.services import erase_shopper, replay_erasures
from shop_reco.users.models import Shopper
from shop_reco.users.services import create_visitor, ensure_shopper


def restored(*shoppers):
    """Put rows back as a backup would: older than the erasure, which the database knows nothing of."""
    ErasedKey.objects.all().delete()
    ErasureReceipt.objects.all().delete()
    for each in shoppers:
        made = each.created_at
        each.save(force_insert=True)
        Shopper.objects.filter(pk=each.pk).update(created_at=made)


def test_a_replay_erases_accounts_and_visitors_that_a_restore_brought_back(shop, person):
    visitor, other = create_visitor(), create_visitor()
    receipts = [erase_shopper(shopper=each).sha256 for each in (person, visitor)]
    restored(person, visitor)
    assert replay_erasures() == {"keys": 3, "receipts": 2, "erased": 2}
    assert not Shopper.objects.filter(pk__in=[person.pk, visitor.pk]).exists()
    assert Shopper.objects.filter(pk=other.pk).exists()
    chain = list(ErasureReceipt.objects.order_by("pk"))
    assert [each.sha256 for each in chain[:2]] == receipts
    assert [json.loads(each.document)["why"] for each in chain[2:]] == ["replayed after a restore"] * 2
    assert replay_erasures() == {"keys": 0, "receipts": 0, "erased": 0}


def test_whoever_came_back_by_themselves_is_not_erased_again(shop, person):
    erase_shopper(shopper=person)
    back = ensure_shopper(external_id="h0")
    assert replay_erasures()["erased"] == 0
    assert Shopper.objects.filter(pk=back.pk).exists()


def test_the_ledger_of_another_place_can_be_named_and_a_line_cut_short_is_passed_over(shop, person, tmp_path, capsys):
    erase_shopper(shopper=person)
    copy = tmp_path / "copy.jsonl"
    copy.write_bytes(ledger_path().read_bytes() + b'{"erased_at":"2026')
    ledger_path().unlink()
    restored(person)
    call_command("replay_erasures", str(copy))
    assert "2 keys and 1 receipts learnt, 1 shoppers erased again" in capsys.readouterr().out


def test_a_ledger_that_is_not_there_is_no_ledger_of_nobody(shop, person):
    erase_shopper(shopper=person)
    ledger_path().unlink()
    restored(person)
    with pytest.raises(CommandError, match="it lies elsewhere"):
        call_command("replay_erasures")


def test_the_ledger_names_nobody(shop, person):
    erase_shopper(shopper=person)
    (entry,) = entries(ledger_path())
    text = ledger_path().read_text()
    assert person.public_id.hex not in text
    assert str(person.public_id) not in text
    assert "h0" not in [entry["receipt"]["document"], *entry["digests"]]
    assert all(len(each) == 64 for each in entry["digests"])
    assert ledger_path().stat().st_mode & 0o777 == 0o600


def test_an_erasure_that_fails_at_the_end_is_completed_by_a_replay(shop, person, monkeypatch):
    """The ledger is written before the commit: what was asked for is not lost with the process."""

    real = ledger.enter

    def cut(**arguments):
        real(**arguments)
        raise SystemExit

    monkeypatch.setattr(ledger, "enter", cut)
    with pytest.raises(SystemExit):
        erase_shopper(shopper=person)
    monkeypatch.undo()
    assert Event.objects.filter(shopper=person).count() == 8
    assert replay_erasures()["erased"] == 1
    assert not Event.objects.filter(shopper_id=person.pk).exists()
