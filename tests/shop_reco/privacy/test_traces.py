"""After an erasure the bytes of the database, its files, caches and logs hold nothing of the shopper."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from django.core.cache import cache
from django.db import connection
from django_celery_results.models import TaskResult

from shop_reco.conf import reco_settings
from shop_reco.privacy.exports import request_export
from shop_reco.privacy.services import erase_shopper
from shop_reco.recommendations.serving.memory import memory
from shop_reco.recommendations.serving.slates import buffer


def bytes_of_database():
    """Each table as text; with SQLite the bytes of its files too, after what was deleted has been let go."""
    texts = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            texts.append(str(cursor.fetchall()))
        if connection.vendor == "sqlite":
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            assert cursor.fetchone()[0] == 0
    content = "\n".join(texts).encode()
    if connection.vendor == "sqlite":
        path = Path(connection.settings_dict["NAME"])
        content += b"".join(each.read_bytes() for each in path.parent.glob(f"{path.name}*"))
    return content


def bytes_of_files():
    return b"".join(path.read_bytes() for path in reco_settings().ARTIFACTS_ROOT.rglob("*") if path.is_file())


def bytes_in_memory():
    """What this process keeps between requests: Django's cache, the lists on their way to their rows."""
    return pickle.dumps(getattr(cache, "_cache", {})) + str(buffer._recent).encode() + str(memory._loaded).encode()


@pytest.mark.django_db(transaction=True)
def test_nothing_of_an_erased_shopper_is_left_anywhere(known, admin_client, caplog):
    traceback = f"IntegrityError: ({known.name})"
    TaskResult.objects.create(
        task_id="1", task_name="shop_reco.events.tasks.some", status="FAILURE", traceback=traceback, result="{}"
    )
    request_export(shopper=known.shopper)
    assert admin_client.get("/admin/").status_code == 200

    def found(content):
        return [name for name in known.canaries if name.encode() in content]

    before = bytes_of_database()
    assert known.trace.encode() in before
    assert len(found(before)) >= 3
    erase_shopper(shopper=known.shopper)
    assert found(bytes_of_database()) == []
    assert found(bytes_of_files()) == []
    assert found(bytes_in_memory()) == []
    assert found(caplog.text.encode()) == []
