"""A second factor of staff: no way in without it where the shop asks for one, and no owner kept out for long."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from urllib.parse import parse_qs, urlsplit

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django_otp.oath import TOTP
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from shop_reco.checks import check_settings
from shop_reco.staff import second_factor
from shop_reco.staff.attempts import FREE
from shop_reco.staff.models import Role, StaffAction
from shop_reco.staff.second_factor import new_secret, remove_second_factor
from tests.shop_reco.graphql import ask

PASSWORD = "Analytical-Engine-1843"
PAGE = "/admin/second-factor/"
WHO = "{ recommenders { kind } }"


@pytest.fixture
def mode(settings):
    def set_to(mode):
        settings.SHOP_RECO = {**settings.SHOP_RECO, "STAFF_SECOND_FACTOR": mode}

    set_to("offered")
    return set_to


@pytest.fixture
def ada(db, mode):
    user = User.objects.create_user("ada", password=PASSWORD, is_staff=True)
    user.groups.add(Role.objects.get(pk="administrator").group)
    return user


def sign_in(client, name="ada", wish="", address="192.0.2.1"):
    query = f"?next={wish}" if wish else ""
    given = {"username": name, "password": PASSWORD, **({"next": wish} if wish else {})}
    return client.post(f"/admin/login/{query}", given, REMOTE_ADDR=address)


def code_of(device_or_key, clock):
    key = device_or_key if isinstance(device_or_key, str) else device_or_key.key
    totp = TOTP(bytes.fromhex(key))
    totp.time = clock.time()
    return f"{totp.token():06d}"


def show(client, code, path=PAGE, address="192.0.2.1", **more):
    return client.post(path, {"do": "prove", "code": code, **more}, REMOTE_ADDR=address)


def set_up(client, clock):
    """Sign in, set up, and return the recovery codes."""
    sign_in(client)
    client.get(PAGE)
    key = client.session["reco_new_second_factor"][0]
    page = client.post(PAGE, {"do": "confirm", "code": code_of(key, clock)})
    clock.go(seconds=30)  # a code counts once
    return re.findall(r"<li>(\d{4} \d{4} \d{4})</li>", page.content.decode())


def shown(client):
    return client.session["reco_new_second_factor"][0]


def is_in(client):
    return client.get("/admin/").status_code == 200


def test_off_asks_for_nothing(ada, client, mode, clock):
    mode("off")
    TOTPDevice.objects.create(user=ada, name="app")
    sign_in(client)
    assert is_in(client)
    assert client.get(PAGE).status_code == 302


def test_where_it_is_offered_who_set_none_up_comes_in_by_the_password(ada, client):
    assert sign_in(client)["Location"] == "/admin/"
    assert is_in(client)
    assert "Second factor" in client.get("/admin/").content.decode()


def test_setting_up_shows_a_secret_takes_its_code_and_tells_ten_codes_once(ada, client, clock):
    codes = set_up(client, clock)
    assert len(set(codes)) == 10
    assert is_in(client)
    assert not set(codes) & set(re.findall(r"\d{4} \d{4} \d{4}", client.get(PAGE).content.decode()))
    action = StaffAction.objects.get(what="enrol")
    assert (action.who, action.model, action.object_id) == ("ada", "auth.user", str(ada.pk))


def test_the_address_of_a_secret_is_what_apps_read():
    """The key of RFC 6238, appendix B; its code for 59 s is 94287082, of which apps show the last six digits."""
    secret = new_secret(account="ada", issuer="shop.test:8000", key=b"12345678901234567890".hex())
    read = urlsplit(secret.address)
    assert (read.scheme, read.netloc, read.path) == ("otpauth", "totp", "/shop.test%208000:ada")
    assert parse_qs(read.query) == {"secret": ["GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"], "issuer": ["shop.test 8000"]}
    assert secret.typed.replace(" ", "") == "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    assert secret.picture.startswith("<svg")
    totp = TOTP(bytes.fromhex(secret.key))
    totp.time = 59
    assert totp.token() == 287082


def test_a_code_that_is_not_of_the_secret_sets_nothing_up(ada, client, clock):
    sign_in(client)
    key = client.get(PAGE) and client.session["reco_new_second_factor"][0]
    wrong = f"{(int(code_of(key, clock)) + 1) % 10**6:06d}"
    for code in (wrong, "", "abcdef", "١٢٣٤٥٦", "12345", "1" * 33):
        assert client.post(PAGE, {"do": "confirm", "code": code}).status_code == 200
        assert not TOTPDevice.objects.exists()
    assert shown(client) == key  # the app that holds it need not scan again


def test_nobody_else_sees_the_secret_that_will_count(ada, client, clock):
    """Somebody with the password looks first; what the owner sets up later is another secret."""
    thief = Client()
    sign_in(thief)
    seen = thief.get(PAGE) and thief.session["reco_new_second_factor"][0]
    set_up(client, clock)
    assert TOTPDevice.objects.get().key != seen
    assert thief.post(PAGE, {"do": "confirm", "code": code_of(seen, clock)}).status_code == 200
    assert TOTPDevice.objects.get().key != seen
    assert not is_in(thief)


def test_a_browser_that_was_in_by_the_password_alone_is_asked_once_a_factor_is_there(ada, client, clock):
    other = Client()
    sign_in(other)
    assert is_in(other)
    set_up(client, clock)
    assert not is_in(other)


def test_the_password_alone_opens_no_page_and_the_wish_is_kept(ada, client, clock):
    set_up(Client(), clock)
    wish = "/admin/reco_products/product/?q=x"
    reply = sign_in(client, wish=wish)
    assert reply["Location"].startswith(PAGE)
    for path in (
        "/admin/",
        wish,
        "/admin/password_change/",
        "/admin/search/?s=a",
        "/admin/autocomplete/",
        "/admin/jsi18n/",
    ):
        away = client.get(path)
        assert away.status_code == 302, path
        assert client.get(away["Location"])["Location"].startswith(PAGE), path
    assert show(client, code_of(TOTPDevice.objects.get(), clock), reply["Location"])["Location"] == wish
    assert client.get(wish).status_code == 200


def test_a_wish_leads_nowhere_else(ada, client, clock):
    set_up(Client(), clock)
    sign_in(client)
    reply = show(client, code_of(TOTPDevice.objects.get(), clock), f"{PAGE}?next=//evil.example/")
    assert reply["Location"] == "/admin/"


def test_a_sign_in_of_the_hosts_own_opens_neither_admin_nor_api(ada, client, clock):
    set_up(Client(), clock)
    client.force_login(ada)
    assert not is_in(client)
    reply = ask(client, WHO)
    assert reply["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    show(client, code_of(TOTPDevice.objects.get(), clock))
    assert is_in(client)
    assert "errors" not in ask(client, WHO)


def test_required_lets_nobody_in_who_set_none_up(ada, client, mode, clock):
    mode("required")
    assert sign_in(client)["Location"] == PAGE
    assert not is_in(client)
    assert ask(client, WHO)["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert "asks its staff" in client.get(PAGE).content.decode()
    set_up(client, clock)
    assert is_in(client)


def test_required_superusers_too(db, client, mode, clock):
    mode("required")
    User.objects.create_superuser("ada", password=PASSWORD)
    sign_in(client)
    assert not is_in(client)


def test_a_setting_that_is_misspelt_lets_nobody_in(ada, client, mode):
    mode("Required")
    sign_in(client)
    assert not is_in(client)


def test_shoppers_and_visitors_have_no_such_page(db, client, mode):
    mode("required")
    assert client.get(PAGE)["Location"] == "/admin/login/"
    client.force_login(User.objects.create_user("shopper"))
    assert client.get(PAGE)["Location"] == "/admin/login/"


def test_a_code_counts_once(ada, client, clock):
    set_up(Client(), clock)
    code = code_of(TOTPDevice.objects.get(), clock)
    sign_in(client)
    assert show(client, code).status_code == 302
    again = Client()
    sign_in(again)
    assert "was used before" in show(again, code).content.decode()
    assert not is_in(again)


def test_a_recovery_code_counts_once_is_told_and_typed_as_people_do(ada, client, clock):
    first, second, *_rest = set_up(Client(), clock)
    sign_in(client)
    assert show(client, f" {first.replace(' ', '-')} ").status_code == 302
    assert is_in(client)
    assert "9 recovery codes are left" in client.get(PAGE).content.decode()
    assert StaffAction.objects.filter(what="recovery_code", who="ada").count() == 1
    again = Client()
    sign_in(again)
    assert show(again, first).status_code == 200
    assert show(again, second).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_of_two_browsers_with_the_same_recovery_code_one_comes_in(mode, clock):
    user = User.objects.create_user("ada", password=PASSWORD, is_staff=True)
    user.groups.add(Role.objects.get(pk="administrator").group)
    code = set_up(Client(), clock)[0]
    browsers = [Client(), Client()]
    for each in browsers:
        sign_in(each)

    def at_once(browser):
        try:
            return show(browser, code).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(at_once, browsers)) == [200, 302]


def guess(client, n):
    return show(client, "000000", address=f"192.0.2.{n}").status_code == 302


def test_guessing_codes_slows_down_and_the_password_does_not_begin_it_anew(ada, client, clock):
    set_up(Client(), clock)
    for n in range(FREE):
        sign_in(client, address=f"192.0.2.{n}")
        assert not guess(client, n)
    sign_in(client, address="198.51.100.1")
    right = code_of(TOTPDevice.objects.get(), clock)
    assert show(client, right, address="198.51.100.2").status_code == 200
    clock.go(minutes=15)
    right = code_of(TOTPDevice.objects.get(), clock)
    assert show(client, right, address="198.51.100.2").status_code == 302


def test_guessing_codes_is_in_the_record(ada, client, clock):
    set_up(Client(), clock)
    sign_in(client)
    for n in range(FREE):
        guess(client, n)
    action = StaffAction.objects.get(what="code_failed")
    assert (action.staff, action.object_id, action.changes) == (None, str(ada.pk), {"failures": [4, 5]})
    assert "000000" not in str(list(StaffAction.objects.values()))


@pytest.mark.any_database
def test_a_hundred_wrong_codes_from_anywhere_are_the_last_from_browsers_that_never_showed_one(ada, client, clock):
    owner = Client()
    codes = set_up(owner, clock)
    owner.post(PAGE, {"do": "leave"})
    for n in range(120):
        thief = Client()
        thief.force_login(ada)
        clock.go(minutes=16)
        show(thief, "000000", address=f"2001:db8:{n:x}::1")
    assert TOTPDevice.objects.get().throttling_failure_count == 100
    thief.force_login(ada)
    clock.go(hours=2)
    right = code_of(TOTPDevice.objects.get(), clock)
    assert show(thief, right, address="2001:db8:ffff::1").status_code == 200
    assert show(thief, codes[0], address="2001:db8:ffff::2").status_code == 302
    sign_in(owner, address="198.51.100.1")
    assert show(owner, right, address="198.51.100.1").status_code == 302
    assert TOTPDevice.objects.get().throttling_failure_count == 0


def test_a_recovery_code_lets_the_owner_in_from_anywhere_whoever_guesses_meanwhile(ada, clock):
    codes = set_up(Client(), clock)
    for n in range(20):
        thief = Client()
        thief.force_login(ada)
        show(thief, "000000", address=f"192.0.2.{n}")
    owner = Client()
    sign_in(owner, address="198.51.100.1")
    assert show(owner, code_of(TOTPDevice.objects.get(), clock), address="198.51.100.1").status_code == 200
    assert show(owner, codes[0], address="198.51.100.1").status_code == 302


@pytest.mark.parametrize("before", ["off", "offered"])
def test_cookies_gathered_by_the_password_alone_are_no_free_guesses_later(ada, mode, clock, before):
    mode(before)
    gathered = []
    for _ in range(4):
        thief = Client()
        sign_in(thief)
        assert is_in(thief)
        gathered.append(thief)
    mode("required")
    set_up(Client(), clock)
    for thief in gathered:
        for _ in range(FREE):
            show(thief, "000000", address="192.0.2.66")
    assert TOTPDevice.objects.get().throttling_failure_count <= FREE


def test_a_browser_that_showed_an_earlier_device_is_as_unknown_as_any(ada, client, clock):
    set_up(client, clock)
    old = client.cookies["reco_staff_second_factor"].value
    assert remove_second_factor(user=ada, by=ada)
    set_up(Client(), clock)
    again = Client()
    again.cookies["reco_staff_second_factor"] = old
    sign_in(again)
    for n in range(FREE):
        thief = Client()
        thief.force_login(ada)
        guess(thief, n)
    assert show(again, code_of(TOTPDevice.objects.get(), clock), address="192.0.2.77").status_code == 200


def test_the_owners_browser_is_not_kept_out_by_who_guesses_elsewhere(ada, clock):
    owner, thief = Client(), Client()
    set_up(owner, clock)
    owner.post(PAGE, {"do": "leave"})
    for n in range(30):
        sign_in(thief, address=f"192.0.2.{n}")
        show(thief, "000000", address=f"192.0.2.{n}")
        clock.go(minutes=1)
    sign_in(owner, address="198.51.100.1")
    assert show(owner, code_of(TOTPDevice.objects.get(), clock), address="198.51.100.1").status_code == 302


def test_the_password_alone_makes_no_browser_known(ada, client, clock):
    set_up(Client(), clock)
    sign_in(client)
    assert "reco_staff_browser" not in client.cookies
    show(client, code_of(TOTPDevice.objects.get(), clock))
    assert "reco_staff_browser" in client.cookies


def test_a_secret_that_was_seen_on_a_screen_is_another_at_the_next_look(ada, client, clock):
    sign_in(client)
    first = client.get(PAGE) and shown(client)
    second = client.get(PAGE) and shown(client)
    assert first != second
    sign_in(client)
    assert "reco_new_second_factor" not in client.session
    client.get(PAGE)
    clock.go(minutes=11)
    late = shown(client)
    client.post(PAGE, {"do": "confirm", "code": code_of(late, clock), "password": PASSWORD})
    assert not TOTPDevice.objects.exists()
    assert shown(client) != late


def test_what_one_person_showed_is_nothing_to_the_next_in_the_same_browser(ada, client, clock):
    set_up(client, clock)
    bob = User.objects.create_user("bob", password=PASSWORD, is_staff=True)
    TOTPDevice.objects.create(user=bob, name="app")
    assert sign_in(client, "bob")["Location"] == PAGE
    assert not is_in(client)
    session = client.session
    session["otp_device_id"] = TOTPDevice.objects.get(user=ada).persistent_id
    session.save()
    assert not is_in(client)


def test_the_session_has_another_key_once_the_code_was_shown(ada, client, clock):
    set_up(Client(), clock)
    sign_in(client)
    before = client.session.session_key
    show(client, code_of(TOTPDevice.objects.get(), clock))
    assert client.session.session_key != before


def test_who_left_is_out(ada, client, clock):
    set_up(Client(), clock)
    sign_in(client)
    assert client.post(PAGE, {"do": "leave"})["Location"] == "/admin/login/"
    assert client.get(PAGE)["Location"] == "/admin/login/"


def test_new_codes_end_the_old_and_another_device_ends_the_first(ada, client, clock):
    old = set_up(client, clock)
    page = client.post(PAGE, {"do": "codes"}).content.decode()
    assert is_in(client)
    new = re.findall(r"<li>(\d{4} \d{4} \d{4})</li>", page)
    assert len(new) == StaticToken.objects.count() == 10
    assert not set(old) & set(new)
    first = TOTPDevice.objects.get().key
    client.post(PAGE, {"do": "set_up"})
    second = client.session["reco_new_second_factor"][0]
    client.post(PAGE, {"do": "confirm", "code": code_of(second, clock)})
    assert [each.key for each in TOTPDevice.objects.all()] == [second] != [first]
    assert is_in(client)


def test_a_password_given_long_ago_is_asked_for_again(ada, client, clock):
    set_up(client, clock)
    clock.go(minutes=11)
    for do in ("codes", "remove", "set_up"):
        assert "Your password" in client.post(PAGE, {"do": do, "password": "wrong"}).content.decode()
    assert StaticToken.objects.count() == 10
    assert TOTPDevice.objects.exists()
    client.post(PAGE, {"do": "remove", "password": PASSWORD})
    assert not TOTPDevice.objects.exists()


def test_who_came_in_by_a_recovery_code_stays_in_with_new_ones(ada, client, clock):
    code = set_up(Client(), clock)[0]
    sign_in(client)
    show(client, code)
    client.post(PAGE, {"do": "codes"})
    assert is_in(client)


def test_where_it_is_required_it_can_be_replaced_but_not_removed(ada, client, mode, clock):
    mode("required")
    set_up(client, clock)
    assert "Remove" not in client.get(PAGE).content.decode()
    client.post(PAGE, {"do": "remove"})
    assert TOTPDevice.objects.exists()


def removal(user):
    return f"/admin/auth/user/{user.pk}/remove-second-factor/"


def test_an_administrator_removes_it_from_who_lost_both_and_says_why(team, ada, client, clock):
    set_up(client, clock)
    boss = team["administrator"].client
    assert removal(ada) in boss.get(f"/admin/auth/user/{ada.pk}/change/").content.decode()
    assert "password will do" in boss.get(removal(ada)).content.decode()
    boss.post(removal(ada), {"why": ""})
    assert TOTPDevice.objects.exists()
    assert boss.post(removal(ada), {"why": "lost phone"}).status_code == 302
    assert not TOTPDevice.objects.exists()
    assert not StaticToken.objects.exists()
    action = StaffAction.objects.get(what="remove_second_factor")
    assert (action.object_id, action.why) == (str(ada.pk), "lost phone")


def test_a_browser_left_open_removes_it_from_nobody(team, ada, client, clock):
    set_up(client, clock)
    boss = team["administrator"]
    assert client.post(removal(ada), {"why": "mine"}).status_code == 403
    clock.go(minutes=11)
    assert "Your password" in boss.client.post(removal(ada), {"why": "so"}).content.decode()
    assert TOTPDevice.objects.exists()


def test_nobody_removes_it_from_who_may_do_more(team, mode, clock):
    root = User.objects.create_superuser("root")
    TOTPDevice.objects.create(user=root, name="app")
    assert team["administrator"].client.post(removal(root), {"why": "so"}).status_code == 403
    assert TOTPDevice.objects.exists()


def test_the_command_lets_the_last_administrator_in_again(ada, client, clock):
    set_up(client, clock)
    told = StringIO()
    call_command("remove_second_factor", "ada", stdout=told)
    assert "ada" in told.getvalue()
    assert not is_in(client) or not TOTPDevice.objects.exists()
    with pytest.raises(CommandError, match="has none"):
        call_command("remove_second_factor", "ada")
    with pytest.raises(CommandError, match="no account"):
        call_command("remove_second_factor", "nobody")


def test_removing_says_whether_there_was_one(ada):
    assert remove_second_factor(user=ada, by=ada) is False
    assert not StaffAction.objects.filter(what="remove_second_factor").exists()


def test_the_check_names_what_is_wrong(settings, mode, monkeypatch):
    mode("Required")
    assert [each.id for each in check_settings()] == ["shop_reco.E023"]
    mode("required")
    assert check_settings() == []
    there = apps.is_installed
    monkeypatch.setattr(apps, "is_installed", lambda name: name != "django_otp.plugins.otp_static" and there(name))
    (found,) = check_settings()
    assert found.id == "shop_reco.E024"
    assert "django_otp.plugins.otp_static" in found.hint


def test_the_check_warns_of_a_host_whose_own_admin_gives_it_away(mode, monkeypatch):
    mode("required")
    monkeypatch.setitem(admin.site._registry, TOTPDevice, object())
    assert [each.id for each in check_settings()] == ["shop_reco.W020"]
    mode("off")
    assert check_settings() == []


def test_what_was_shown_costs_one_query_a_request(ada, client, clock, django_assert_num_queries, rf):
    set_up(client, clock)
    request = rf.get("/admin/")
    request.session, request.user = client.session, ada
    request.session.get("warm")
    with django_assert_num_queries(1):
        assert second_factor.works_as_staff(request)
        assert second_factor.works_as_staff(request)
