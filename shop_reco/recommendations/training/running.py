"""Who works on a run: this process, or a child whose death takes nothing with it."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from django.db import DatabaseError, InterfaceError, connection
from django.utils.translation import gettext_noop as _
from structlog.contextvars import bound_contextvars

from reco_engine.errors import EngineError
from shop_reco.child_process import started
from shop_reco.conf import reco_settings

from .. import services
from ..errors import RunCancelledError
from ..models import TrainingRun
from .fitting import fit
from .leftovers import sweep_leftovers
from .news import nothing_new
from .telling import Teller

logger = structlog.get_logger(__name__)
LOOK = 0.5
"""Seconds between two looks at a child."""
START = 60.0
"""Seconds in which a child must have begun: until then its lease is renewed for it."""
GRACE = 5.0
"""Seconds that a cancelled child has to end by itself."""
NO_MEMORY = ("Cannot allocate memory", "can't start new thread", "Unable to allocate", "out of memory")
CANCELLED = 3
"""How a child ends that is not wanted any more."""


def run_next(*, owner: uuid.UUID | None = None) -> TrainingRun | None:
    """Work off the next run; None when there is none, or another worker is at one."""
    run = services.claim_next_run(owner=owner or uuid.uuid4())
    if run is None:
        return None
    sweep_leftovers()
    if why := nothing_new(run):
        services.skip_run(run=run, why=why)
    elif reco_settings().TRAINING_PROCESS:
        _fit_in_child(run)
    else:
        fit_claimed(run)
    run.refresh_from_db()
    return run


def work_off() -> int:
    """Work off all that waits; returns how many runs ended here."""
    done = 0
    while run_next() is not None:
        done += 1
    return done


def fit_claimed(run: TrainingRun, *, memory_mb: int | None = None) -> None:
    """Do the work of a run that this owner has claimed; what goes wrong ends the run with why."""
    with bound_contextvars(run=str(run.public_id), kind=run.recommender_id):
        _fit_and_tell(run, Teller(run), memory_mb)


def _fit_and_tell(run: TrainingRun, teller: Teller, memory_mb: int | None) -> None:
    try:
        with _limited(memory_mb):
            fit(run, teller)
        logger.info("training_done")
    except RunCancelledError:
        logger.info("training_cancelled")
    except EngineError as error:
        teller.fail(str(error))
        logger.warning("training_failed", why=str(error))
    except Exception as error:
        if _lacks_memory(error):
            teller.fail(_out_of_memory())
            logger.error("training_failed", why="out of memory")
            return
        teller.fail(f"{type(error).__name__}: {error}")
        logger.exception("training_broke")


def fit_as_child(*, public_id: uuid.UUID, owner: uuid.UUID) -> int:
    """What the child process does; returns its exit status.

    It keeps the lease alive by itself: a fit that says nothing for a while is not taken for dead, and it goes on
    when the worker that started it dies.
    """
    run = TrainingRun.objects.filter(public_id=public_id, owner=owner, state=TrainingRun.State.RUNNING).first()
    if run is None:
        return CANCELLED
    os.nice(reco_settings().TRAINING_NICENESS)
    threading.Thread(target=_keep_lease, args=(run,), name="reco-lease", daemon=True).start()
    fit_claimed(run, memory_mb=reco_settings().TRAINING_MEMORY_MB)
    return 0


def _keep_lease(run: TrainingRun) -> None:
    """Renew the lease until the process ends; end the process when the run is not its own any more."""
    reco = reco_settings()
    last = time.monotonic() + 3600.0 * reco.TRAINING_HOURS
    while True:
        time.sleep(min(1.0, reco.LEASE / 6))
        try:
            services.renew_lease(run=run)
            if time.monotonic() > last:
                services.fail_run(run=run, why=f"it took longer than {reco.TRAINING_HOURS:g} hours")
                os._exit(CANCELLED)
        except RunCancelledError:
            # ended in this moment by ourselves, or cancelled; artifacts are written beside and renamed
            time.sleep(GRACE)
            os._exit(CANCELLED)
        except DatabaseError as error:
            logger.warning("lease_not_renewed", error=type(error).__name__)
        finally:
            connection.close()


def _fit_in_child(run: TrainingRun) -> None:
    child, latest = started("fit_run", str(run.public_id), str(run.owner)), time.monotonic() + START
    try:
        while child.poll() is None:
            time.sleep(LOOK)
            if time.monotonic() < latest:
                _keep_until_begun(run)
    except BaseException:
        _stop(child)
        raise
    if child.returncode == CANCELLED:
        return
    if child.returncode < 0:
        name = signal.Signals(-child.returncode).name
        text = "out of memory, or by hand" if name == "SIGKILL" else "see its log"
        services.give_back(run=run, why=f"its process was ended by {name}: {text}")
    elif child.returncode > 0:
        services.fail_run(run=run, why=f"its process ended with status {child.returncode}; see its log")
    else:
        services.fail_run(run=run, why=_("its process ended without a word"))  # nothing where it ended the run itself


def _keep_until_begun(run: TrainingRun) -> None:
    """Renew the lease of a child that has not said a word: on a busy machine starting takes longer than a lease."""
    try:
        if TrainingRun.objects.filter(pk=run.pk, phase="").exists():
            services.renew_lease(run=run)
    except RunCancelledError:
        pass  # the child notices by itself
    except (DatabaseError, InterfaceError) as error:
        logger.warning("lease_not_renewed", error=type(error).__name__)
        connection.close()


def _stop(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(GRACE)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


@contextmanager
def _limited(memory_mb: int | None) -> Iterator[None]:
    """Let the process have so much memory and no more; what has to be told after it may need some again."""
    before = resource.getrlimit(resource.RLIMIT_DATA)
    if memory_mb:
        resource.setrlimit(resource.RLIMIT_DATA, (memory_mb * 2**20, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


def _lacks_memory(error: Exception) -> bool:
    """Threads and libraries that find no memory say so in words of their own."""
    return isinstance(error, MemoryError) or any(words in str(error) for words in NO_MEMORY)


def _out_of_memory() -> str:
    limit = reco_settings().TRAINING_MEMORY_MB
    return f"out of memory: it may have {limit} MB" if limit else "out of memory"
