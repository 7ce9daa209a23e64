"""A database that does not answer is waited for as long as the process may, and no longer."""

from __future__ import annotations

import time

import pytest
from django.db import DEFAULT_DB_ALIAS, OperationalError, connection

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite is a file, and answers or fails"),
]


@pytest.fixture
def patient():
    from shop_reco.patient.base import DatabaseWrapper

    wrapper = DatabaseWrapper(
        {**connection.settings_dict, "OPTIONS": {**connection.settings_dict["OPTIONS"], "patience": 0.5}},
        alias=DEFAULT_DB_ALIAS,
    )
    yield wrapper
    wrapper.close()


def asked(wrapper, sql):
    with wrapper.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


def test_whoever_waits_too_long_is_told_and_the_next_question_gets_a_connection_of_its_own(patient):
    assert asked(patient, "select 1") == 1
    began = time.monotonic()
    with pytest.raises(OperationalError, match=r"did not answer within 0\.5 s"):
        asked(patient, "select pg_sleep(5)")
    assert time.monotonic() - began < 4
    patient.close_if_unusable_or_obsolete()
    assert asked(patient, "select 2") == 2


def test_an_answer_in_time_is_taken_as_ever(patient):
    assert asked(patient, "select 1 from pg_sleep(0.3)") == 1


def test_a_commit_is_waited_for_no_longer_either(patient):
    patient.set_autocommit(False)
    asked(patient, "select 1")
    with patient.cursor() as cursor:
        cursor.execute("create temp table slow (id int)")
        cursor.execute(
            "create function pg_temp.sleeps() returns trigger language plpgsql as "
            "$$ begin perform pg_sleep(5); return null; end $$"
        )
        cursor.execute(
            "create constraint trigger slow after insert on slow deferrable initially deferred "
            "for each row execute function pg_temp.sleeps()"
        )
        cursor.execute("insert into slow values (1)")
    began = time.monotonic()
    with pytest.raises(OperationalError, match="did not answer"):
        patient.commit()
    assert time.monotonic() - began < 4
