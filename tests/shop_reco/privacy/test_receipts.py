"""A receipt proves itself to whoever has the file: one changed byte is caught, with no shop and no network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from shop_reco.privacy.models import ErasureReceipt
from shop_reco.privacy.receipts import note_versions_gone, public_key, receipt_file
from shop_reco.privacy.services import erase_shopper
from shop_reco.privacy.verify import canonical, problems_of
from shop_reco.users.models import Shopper

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def receipt(trained, person):
    return erase_shopper(shopper=person)


def file_of(receipt):
    return receipt_file(public_id=receipt.public_id)


def test_a_receipt_is_valid_under_the_key_that_the_shop_publishes(receipt):
    assert problems_of(file_of(receipt), key=public_key()) == []


def test_one_changed_byte_is_caught_wherever_it_is(receipt):
    note_versions_gone(gone=receipt.versions[:1], clean={})
    content = file_of(receipt)
    for place in range(len(content)):
        for flipped in (content[place] ^ 1, content[place] ^ 32):
            changed = content[:place] + bytes([flipped]) + content[place + 1 :]
            assert problems_of(changed, key=public_key()) != [], (place, flipped)


def test_a_changed_count_is_caught_even_with_its_hash_made_anew(receipt):
    file = json.loads(file_of(receipt))
    file["receipt"]["document"]["rows"]["event"] = 0
    from shop_reco.privacy.verify import sha256_of

    file["receipt"]["sha256"] = sha256_of(canonical(file["receipt"]["document"]))
    assert problems_of((canonical(file) + "\n").encode()) == ["the receipt is not signed by this key"]


def test_the_key_of_somebody_else_is_told_apart(receipt, settings, tmp_path):
    content = file_of(receipt)
    settings.SHOP_RECO = {**settings.SHOP_RECO, "PRIVACY_ROOT": tmp_path / "elsewhere"}
    assert problems_of(content, key=public_key()) == ["it was signed with another key than the one given"]


def test_receipts_follow_each_other(receipt):
    second, third = (erase_shopper(shopper=Shopper.objects.get(external_id=name)) for name in ("h1", "h2"))
    assert problems_of(file_of(third), previous=file_of(second)) == []
    assert problems_of(file_of(third), previous=file_of(receipt)) == [
        "it does not follow the receipt given as the one before"
    ]
    call_command("verify_receipt", chain=True)
    ErasureReceipt.objects.filter(pk=second.pk).delete()
    with pytest.raises(CommandError, match=str(third.public_id)):
        call_command("verify_receipt", chain=True)


def test_a_receipt_is_followed_up_when_its_versions_are_gone(receipt):
    gone, left = receipt.versions[:2], sorted(receipt.versions[2:])
    (update,) = note_versions_gone(gone=[*gone, "unheard"], clean={"user_cf": "fresh"})
    assert note_versions_gone(gone=gone, clean={}) == []
    (last,) = note_versions_gone(gone=left, clean={})
    file = json.loads(file_of(receipt))
    told = [each["document"] for each in file["updates"]]
    assert [each["gone"] for each in told] == [sorted(gone), left]
    assert [each["left"] for each in told] == [left, []]
    assert told[0]["clean"] == {"user_cf": "fresh"}
    assert [each["document"]["previous_sha256"] for each in file["updates"]] == [receipt.sha256, update.sha256]
    assert file["updates"][1]["sha256"] == last.sha256
    assert problems_of(file_of(receipt), key=public_key()) == []
    file["updates"].reverse()
    assert problems_of((canonical(file) + "\n").encode()) != []


def test_it_is_checked_without_django_by_a_script(receipt, tmp_path):
    path = tmp_path / "receipt.json"
    path.write_bytes(file_of(receipt))
    environment = {name: value for name, value in os.environ.items() if "DJANGO" not in name and "DATABASE" not in name}

    def check(*arguments):
        command = [sys.executable, "-m", "shop_reco.privacy.verify", str(path), *arguments]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)

    done = check("--key", public_key())
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "valid")
    assert f"receipt {receipt.public_id}" in done.stdout
    path.write_bytes(path.read_bytes().replace(b'"event":8', b'"event":9'))
    done = check()
    assert (done.returncode, done.stdout.splitlines()[-1]) == (1, "NOT VALID")


def test_a_command_checks_it_against_the_shops_own_key(receipt, tmp_path, capsys):
    path = tmp_path / "receipt.json"
    path.write_bytes(file_of(receipt))
    call_command("verify_receipt", str(path))
    assert "valid" in capsys.readouterr().out
    path.write_bytes(file_of(receipt)[:-1])
    with pytest.raises(CommandError, match="not written as the shop wrote it"):
        call_command("verify_receipt", str(path))
