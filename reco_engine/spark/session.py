"""The one file that imports pyspark: a session, and the three passes over a table."""

from __future__ import annotations

import logging
import os
import re
import resource
import sys
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from reco_engine.errors import BadInputError, ClusterError, MissingDependencyError
from reco_engine.recommenders.similarity import Similarity
from reco_engine.types import Ids

from .blocks import Multiplying, Spreading, block_starts, similar
from .folding import Fold, Folding
from .needs import lacking
from .tables import COLUMNS, ids_of
from .user_rows import UserRows, batches

Tell = Callable[[float], None]
OPTIONS = {
    "spark.app.name": "shop_reco training",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.memory": "1g",
    "spark.log.level": "ERROR",
}
OURS = {
    "spark.sql.execution.arrow.maxRecordsPerBatch": "10000",
    "spark.sql.adaptive.enabled": "false",  # a part stays one, and in its place
    "spark.sql.session.timeZone": "UTC",
}
PART_ROWS = 1_000_000
"""Interactions that one task sorts."""
RAISED = re.compile(r"[\w.]*(Error|Exception|Killed)\b(?=: )", re.ASCII)
"""How a line of a traceback begins that says what was raised."""
LOOK = 0.2
"""Seconds between two looks at how far a pass has come."""


@contextmanager
def cluster(master: str = "local[*]", options: Mapping[str, str] | None = None) -> Iterator[Cluster]:
    """A session of Spark: the one that this process has already, else one of our own, ended at the end.

    Args:
        master: Where Spark runs, ``local[2]`` or the address of a cluster.
        options: Settings of Spark by name, ``{"spark.executor.memory": "8g"}``.
    Raises:
        MissingDependencyError: If pyspark or Java is missing.
        ClusterError: If the cluster cannot be reached.
    """
    if missing := lacking():
        raise MissingDependencyError(
            f"Training with Spark needs {', '.join(missing)}, which is missing here: "
            'pip install "shop-reco[spark]", and Java 17 or later'
        )
    from pyspark.sql import SparkSession

    logging.getLogger("py4j").setLevel(logging.WARNING)  # which tells of each connection that it closes
    running = SparkSession.getActiveSession()
    spark = running or _started(SparkSession.builder, master, {**OPTIONS, **(options or {})})
    own = spark.newSession()
    for name, value in OURS.items():
        own.conf.set(name, value)
    own.conf.set("spark.sql.shuffle.partitions", str(spark.sparkContext.defaultParallelism))
    try:
        yield Cluster(own)
    finally:
        if running is None:
            spark.stop()


def _started(builder: Any, master: str, options: Mapping[str, str]) -> Any:
    """A new session; Java's memory is Spark's to limit, not that of the process that starts it."""
    local = master.startswith("local")
    if local:  # tasks are children on this machine: the same interpreter, and what it can import
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        path = os.pathsep.join(each for each in sys.path if each)
        options = {"spark.driver.host": "127.0.0.1", "spark.executorEnv.PYTHONPATH": path, **options}
    builder = builder.master(master)
    for name, value in options.items():
        builder = builder.config(name, value)
    before = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (before[1], before[1]))
    try:
        return builder.getOrCreate()
    except Exception as error:
        raise ClusterError(f"Spark did not start at {master}: {_cause(error)}") from error
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


class Cluster:
    """What Spark is asked for: the items of a table, every user's row, every item's best targets."""

    def __init__(self, spark: Any) -> None:
        self._spark = spark

    def item_ids(self, table: Path) -> tuple[Ids, float]:
        """The items of a table, sorted, and its newest moment in unix seconds.

        Raises:
            BadInputError: If there is not a single interaction with a weight above zero.
            ClusterError: If a job fails.
        """
        from pyspark.sql.functions import max as highest

        if not any(table.glob("*.parquet")):
            raise BadInputError("interactions are empty; there is nothing to learn from")
        frame = self._spark.read.parquet(str(table)).select(*COLUMNS)
        grouped = frame.groupBy("item").agg(highest("timestamp").alias("newest"), highest("weight").alias("most"))
        found = self._run(grouped.toArrow, lambda _: None)
        if not found.num_rows or max(found.column("most").to_pylist()) <= 0:
            raise BadInputError("interactions are empty; there is nothing to learn from")
        return np.sort(ids_of(found.column("item"))), max(found.column("newest").to_pylist())

    def user_rows(self, table: Path, fold: Fold, work: Path, tell: Tell) -> UserRows:
        """Every user's row by ``fold``, in files below ``work``."""
        frame = self._spark.read.parquet(str(table)).select(*COLUMNS)
        ordered = frame.repartitionByRange(self._n_parts(table), "user").sortWithinPartitions("user")
        kind = frame.schema["user"].dataType.simpleString()
        rows = ordered.mapInArrow(Folding(fold).__call__, f"user {kind}, items array<int>, weights array<double>")
        self._run(lambda: rows.write.parquet(str(work / "rows")), tell)
        return UserRows.read(work / "rows", work)

    def similar(self, rows: UserRows, similarity: Similarity, n_best: int, work: Path, tell: Tell) -> sparse.csr_matrix:
        """The best targets of every item, shape (n_items, n_items), from the rows that lie below ``work``."""
        n_items = similarity.popularity.size
        starts = block_starts(rows.meetings(n_items), 2 * self._parallelism)
        frame = self._spark.read.parquet(str(work / "rows"))
        kind = frame.schema["user"].dataType.simpleString()
        spread = frame.mapInArrow(
            Spreading(starts).__call__, f"block int, user {kind}, items array<int>, weights array<double>"
        )
        gathered = spread.repartitionById(starts.size - 1, "block").sortWithinPartitions("block", "user")
        best = gathered.mapInArrow(
            Multiplying(starts, similarity, n_best).__call__,
            "source int, targets array<int>, similarities array<float>",
        )
        self._run(lambda: best.write.parquet(str(work / "similar")), tell)
        return similar(n_items, batches(work / "similar"))

    @property
    def _parallelism(self) -> int:
        return int(self._spark.sparkContext.defaultParallelism)

    def _n_parts(self, table: Path) -> int:
        from pyarrow import parquet

        n_rows: int = sum(parquet.read_metadata(path).num_rows for path in table.glob("*.parquet"))
        return max(self._parallelism, -(-n_rows // PART_ROWS))

    def _run(self, job: Callable[[], Any], tell: Tell) -> Any:
        """Do a job and tell how far it has come; whatever ``tell`` raises ends the job.

        Raises:
            ClusterError: If the job fails.
        """
        from pyspark import InheritableThread

        context, group, outcome = self._spark.sparkContext, uuid.uuid4().hex, _Outcome()

        def work() -> None:
            try:
                context.setJobGroup(group, "shop_reco", interruptOnCancel=True)
                outcome.value = job()
            except Exception as error:
                outcome.error = error

        thread: threading.Thread = InheritableThread(target=work, daemon=True)
        thread.start()
        try:
            while thread.is_alive():
                thread.join(LOOK)
                tell(_share(context.statusTracker(), group))
        except BaseException:
            context.cancelJobGroup(group)
            thread.join()
            raise
        if outcome.error is not None:
            raise ClusterError(f"A job of Spark failed: {_cause(outcome.error)}") from outcome.error
        return outcome.value


class _Outcome:
    value: Any = None
    error: Exception | None = None


def _share(tracker: Any, group: str) -> float:
    """Of the tasks of a group of jobs that are known so far, those that are done, 0 to 1."""
    done = known = 0
    for job in tracker.getJobIdsForGroup(group):
        info = tracker.getJobInfo(job)
        for number in info.stageIds if info is not None else ():
            stage = tracker.getStageInfo(number)
            if stage is not None:
                done, known = done + stage.numCompletedTasks, known + stage.numTasks
    return done / known if known else 0.0


def _cause(error: Exception) -> str:
    """The error that a task ended with, else the first line of what Spark says."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    raised = [line for line in lines if RAISED.match(line)]
    return (raised or lines or [type(error).__name__])[-1 if raised else 0]
