"""Each fault of a deployment is found, with what to do about it; a sound one is left in peace."""

from __future__ import annotations

import datetime as dt
import json
import os
import socket
import sys
from types import SimpleNamespace

import pytest
from celery import current_app
from django.contrib.auth.models import Group
from django.core.cache import caches
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from kombu import Connection, Queue

from shop_reco.monitoring import health
from shop_reco.monitoring.doctor import CHECKS, artifacts, database, examine, machine, queues
from shop_reco.recommendations.models import ModelVersion, TrainingRun
from shop_reco.staff.models import Role

on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="needs PostgreSQL")
on_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="needs SQLite")


@pytest.fixture
def broker(monkeypatch):
    """A broker in this process, in place of the one of the settings."""
    url = {"url": "memory://"}
    monkeypatch.setattr(queues, "_connection", lambda: Connection(url["url"], connect_timeout=1))
    monkeypatch.setattr(queues, "SECONDS", 1.0)
    monkeypatch.setattr(current_app.amqp, "queues", {"here": Queue("here"), "there": Queue("there")})
    with Connection("memory://") as other:
        for name in ("here", "there"):
            other.SimpleQueue(name).clear()
    return url


@pytest.fixture
def workers(monkeypatch):
    """What the workers that answer say of the queues that they take from."""
    answers = {}
    inspect = SimpleNamespace(active_queues=lambda: answers or None)
    monkeypatch.setattr(current_app.control, "inspect", lambda **options: inspect)
    return answers


@pytest.fixture
def sound(trained, broker, workers, settings):
    """A deployment without a fault."""
    settings.SECRET_KEY = "abcdefghij" * 6
    workers["w1"] = [{"name": "here"}, {"name": "there"}]
    PeriodicTask.objects.update(last_run_at=timezone.now())
    return settings


def verdict(name: str) -> str:
    """What one check comes to, which says what to do unless all is well."""
    finding = CHECKS[name]()
    assert finding.found
    assert bool(finding.advice) is (finding.verdict in ("warning", "failing"))
    return finding.verdict


def test_a_sound_deployment_is_left_in_peace(sound, capsys):
    call_command("shop_reco_doctor", json=True)
    told = json.loads(capsys.readouterr().out)
    assert {each["check"] for each in told["checks"]} == set(CHECKS)
    assert [each for each in told["checks"] if each["verdict"] == "failing"] == []
    calm = {"settings", "limits", "vacuum", "disk"}  # the tests' settings, and this machine's own, have what to say
    assert [each for each in told["checks"] if each["verdict"] != "ok" and each["check"] not in calm] == []


def test_a_fault_is_told_in_a_table_with_what_to_do_and_the_exit_status(sound, broker, capsys):
    broker["url"] = f"redis://user:canary@127.0.0.1:{closed_port()}/0"
    with pytest.raises(SystemExit) as ended:
        call_command("shop_reco_doctor", no_color=True)
    lines = capsys.readouterr().out.splitlines()
    assert ended.value.code == 1
    (place,) = (number for number, line in enumerate(lines) if line.split()[:2] == ["broker", "FAILING"])
    assert "BROKER_URL" in lines[place + 1]
    assert [line.split()[1] for line in lines if line.startswith(("queues", "worker"))] == ["skipped", "skipped"]
    assert "canary" not in "".join(lines)


def test_machines_get_the_same_and_the_same_exit_status(sound, workers, capsys):
    workers.clear()
    with pytest.raises(SystemExit) as ended:
        call_command("shop_reco_doctor", json=True)
    told = json.loads(capsys.readouterr().out)
    (worker,) = (each for each in told["checks"] if each["check"] == "worker")
    assert (ended.value.code, told["status"], worker["verdict"]) == (1, "failing", "failing")
    assert "celery -A" in worker["advice"]


def test_a_check_that_breaks_is_a_finding_and_says_no_secret(sound, monkeypatch):
    def breaks():
        raise ValueError("canary")

    monkeypatch.setitem(CHECKS, "cache", breaks)
    found = dict(examine())
    assert found["cache"].verdict == "failing"
    assert "canary" not in found["cache"].found + found["cache"].advice
    assert list(found) == list(CHECKS)  # the others are made all the same


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_database_that_does_not_answer(sound, monkeypatch):
    def gone():
        raise OperationalError("canary")

    monkeypatch.setattr(health, "database", gone)
    found = dict(examine())
    assert found["database"].verdict == "failing"
    assert "canary" not in found["database"].found
    assert {name for name, each in found.items() if each.verdict == "skipped"} >= {"migrations", "models", "beat"}


def test_a_migration_that_is_missing(sound):
    assert verdict("migrations") == "ok"
    MigrationRecorder.Migration.objects.filter(app="reco_events").latest("pk").delete()
    assert verdict("migrations") == "failing"
    assert "shop_reco_migrate" in database.migrations_are_applied().advice


@on_postgresql
def test_tables_that_nobody_tends(sound):
    with connection.cursor() as cursor:
        cursor.execute("SHOW autovacuum")
        assert verdict("vacuum") == ("ok" if cursor.fetchone() == ("on",) else "warning")
        cursor.execute("SET LOCAL track_counts = off")
    assert verdict("vacuum") == "warning"
    assert "track_counts" in database.tables_are_tended().found


@on_postgresql
def test_sessions_that_wait_for_ever(sound):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = 0")
        assert verdict("limits") == "warning"
        cursor.execute("SET LOCAL lock_timeout = '2s'")
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = '2s'")
        assert verdict("limits") == "ok"


@on_sqlite
@pytest.mark.django_db(transaction=True)
def test_a_sqlite_that_loses_what_was_acknowledged_or_makes_readers_wait():
    with connection.cursor() as cursor:
        assert verdict("limits") == "ok"
        cursor.execute("PRAGMA synchronous=NORMAL")
        assert verdict("limits") == "warning"
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA journal_mode=DELETE")
        try:
            assert verdict("limits") == "failing"
        finally:
            cursor.execute("PRAGMA journal_mode=WAL")


@pytest.mark.parametrize(("seconds", "told"), [(0, "ok"), (10, "warning"), (-60, "failing")])
def test_clocks_that_differ(sound, monkeypatch, seconds, told):
    real = timezone.now
    monkeypatch.setattr(database.timezone, "now", lambda: real() + dt.timedelta(seconds=seconds))
    assert verdict("clock") == told


def test_a_folder_of_models_that_went_away_or_takes_nothing(sound, tmp_path, monkeypatch):
    assert verdict("artifacts") == "ok"
    if os.geteuid() == 0:  # whom no mode keeps out

        def full(**options):
            raise PermissionError

        monkeypatch.setattr(artifacts.tempfile, "TemporaryFile", full)
        assert verdict("artifacts") == "failing"
    else:
        sound.SHOP_RECO["ARTIFACTS_ROOT"].chmod(0o500)
        assert verdict("artifacts") == "failing"
        sound.SHOP_RECO["ARTIFACTS_ROOT"].chmod(0o700)
    sound.SHOP_RECO = {**sound.SHOP_RECO, "ARTIFACTS_ROOT": tmp_path / "elsewhere"}
    assert verdict("artifacts") == "failing"


@pytest.mark.parametrize(("free", "told"), [(50 * 2**30, "ok"), (2**30, "warning"), (2**20, "failing")])
def test_a_disk_that_is_full(sound, monkeypatch, free, told):
    monkeypatch.setattr(artifacts.shutil, "disk_usage", lambda path: SimpleNamespace(free=free))
    assert verdict("disk") == told


def test_a_model_of_which_one_bit_changed(sound):
    assert verdict("models") == "ok"
    version = ModelVersion.objects.get(recommender="item_cf", state="live")
    folder = sound.SHOP_RECO["ARTIFACTS_ROOT"] / version.public_id.hex
    path = max(folder.glob("*.npy"), key=lambda each: each.stat().st_size)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.chmod(0o600)
    path.write_bytes(content)
    assert verdict("models") == "failing"
    assert "item_cf" in artifacts.models_are_whole().found


def test_a_shop_where_nothing_was_trained(shop):
    assert verdict("models") == "warning"
    assert verdict("trainings") == "warning"
    assert verdict("artifacts") == "ok"


def test_a_role_that_was_not_given_its_rights_and_one_whose_group_is_gone(sound):
    assert verdict("roles") == "ok"
    Group.objects.get(name="reco_viewer").permissions.clear()  # by the shop, and so it stays
    assert verdict("roles") == "ok"
    Group.objects.get(name="reco_viewer").delete()
    assert verdict("roles") == "warning"
    Role.objects.filter(kind="analyst").update(given=[])
    assert verdict("roles") == "failing"


def test_a_training_that_nobody_scheduled(sound):
    assert verdict("schedule") == "ok"
    PeriodicTask.objects.filter(name="Train all recommenders").update(enabled=False)
    assert verdict("schedule") == "failing"


def test_trainings_that_fail_or_are_long_ago(sound):
    assert verdict("trainings") == "ok"
    TrainingRun.objects.update(finished_at=timezone.now() - dt.timedelta(days=4))
    assert verdict("trainings") == "warning"
    TrainingRun.objects.filter(recommender="item_cf").update(state="failed")
    assert verdict("trainings") == "failing"


@pytest.mark.parametrize("ago", [None, dt.timedelta(hours=1)])
def test_a_beat_that_has_stopped_or_never_began(sound, ago):
    assert verdict("beat") == "ok"
    PeriodicTask.objects.update(last_run_at=None if ago is None else timezone.now() - ago)
    assert verdict("beat") == "failing"


def test_a_broker_whose_port_is_dead(broker):
    assert verdict("broker") == "ok"
    broker["url"] = f"amqp://user:canary@127.0.0.1:{closed_port()}//"
    assert verdict("broker") == "failing"
    assert "canary" not in queues.broker_answers().found


@pytest.mark.parametrize("variable", ["TEST_REDIS_URL", "TEST_AMQP_URL"])
def test_real_brokers_tell_how_many_messages_wait(broker, monkeypatch, variable):
    if variable not in os.environ:
        pytest.skip(f"{variable} names no broker")
    broker["url"] = os.environ[variable]
    name = f"doctor-{os.getpid()}"
    monkeypatch.setattr(current_app.amqp, "queues", {name: Queue(name), "doctor-none": Queue("doctor-none")})
    with Connection(broker["url"]) as other:
        queue = other.SimpleQueue(name, queue_opts={"durable": False, "auto_delete": False})
        try:
            queue.put({})
            assert verdict("broker") == "ok"
            told = queues.queues_are_short().found
            assert (f"{name} 1" in told, "doctor-none 0" in told) == (True, True)
        finally:
            queue.queue.delete()
            queue.close()


def test_a_queue_that_nobody_works_off(broker, monkeypatch):
    assert verdict("queues") == "ok"
    monkeypatch.setattr(queues, "MANY", 2)
    with Connection("memory://") as other:
        for _ in range(3):
            other.SimpleQueue("there").put({})
        assert verdict("queues") == "warning"
        assert "there 3" in queues.queues_are_short().found


def test_a_queue_from_which_no_worker_takes(broker, workers):
    assert verdict("worker") == "failing"
    workers["w1"] = [{"name": "here"}]
    assert verdict("worker") == "failing"
    assert "--queues there" in queues.worker_answers().advice
    workers["w2"] = [{"name": "there"}]
    assert verdict("worker") == "ok"


@pytest.mark.parametrize("secret", ["short", "a" * 60, "django-insecure-" + "abcdefghij" * 5])
def test_a_secret_that_can_be_guessed(settings, secret):
    settings.SECRET_KEY = secret
    assert verdict("secrets") == "failing"
    assert secret not in machine.secrets_are_long().found
    settings.DEBUG = True
    assert verdict("secrets") == "warning"


def test_settings_that_are_wrong(settings):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "CURRENCY": "euro"}
    assert verdict("settings") == "failing"
    assert "CURRENCY" in machine.settings_are_sound().found
    settings.SHOP_RECO = {**settings.SHOP_RECO, "CURRENCY": "EUR"}
    settings.DEBUG = True
    assert verdict("settings") == "warning"


def test_packages_that_are_not_there(monkeypatch):
    assert verdict("packages") == "ok"
    monkeypatch.setitem(sys.modules, "torch", None)
    assert verdict("packages") == "warning"


@pytest.mark.parametrize(("pyspark", "java"), [(False, True), (True, False), (True, True)])
def test_spark_needs_its_package_and_java(monkeypatch, pyspark, java):
    monkeypatch.setattr(machine, "reco_settings", lambda: SimpleNamespace(TRAINING_BACKEND="spark"))
    monkeypatch.setattr(machine, "_installed", lambda module: module != "pyspark" or pyspark)
    monkeypatch.setattr(machine.shutil, "which", lambda name: "/usr/bin/java" if java else None)
    assert verdict("packages") == ("ok" if pyspark and java else "failing")


def test_a_cache_that_is_away_or_keeps_nothing(settings, monkeypatch):
    assert verdict("cache") == "ok"
    monkeypatch.setattr(machine.cache, "get", lambda name: None)
    assert verdict("cache") == "warning"

    def gone(*args):
        raise ConnectionError("canary")

    monkeypatch.setattr(machine.cache, "set", gone)
    assert verdict("cache") == "failing"
    assert "canary" not in machine.cache_answers().found
    caches["default"].clear()


def test_exports_that_everybody_can_read_and_models_that_everybody_can_change(settings, tmp_path):
    root = tmp_path / "models"
    settings.SHOP_RECO = {**settings.SHOP_RECO, "ARTIFACTS_ROOT": root}
    settings.BASE_DIR = tmp_path
    (root / "privacy").mkdir(parents=True, mode=0o700)
    (root / "privacy").chmod(0o700)
    assert verdict("files") == "ok"
    export = root / "privacy" / "export.zip"
    export.touch()
    export.chmod(0o644)
    assert verdict("files") == "failing"
    export.chmod(0o600)
    (tmp_path / ".env").touch()
    (tmp_path / ".env").chmod(0o644)
    assert verdict("files") == "failing"
    (tmp_path / ".env").chmod(0o600)
    root.chmod(0o777)
    assert verdict("files") == "failing"
