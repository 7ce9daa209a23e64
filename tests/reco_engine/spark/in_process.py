"""The passes of a cluster in this process, over parts and batches cut anywhere: what Spark does, without Spark."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from reco_engine.spark.blocks import Multiplying, Spreading, block_starts, similar
from reco_engine.spark.folding import Folding
from reco_engine.spark.tables import COLUMNS, ids_of, read_parts
from reco_engine.spark.user_rows import UserRows, batches


class InProcess:
    def __init__(self, seed=0, n_parts=3, n_blocks=4):
        self._rng, self._n_parts, self._n_blocks = np.random.default_rng(seed), n_parts, n_blocks

    def item_ids(self, table):
        parts = list(read_parts(table))
        return np.unique(np.concatenate([part.items for part in parts])), max(p.timestamps.max() for p in parts)

    def user_rows(self, table, fold, work, tell):
        from pyarrow import parquet

        whole = pa.concat_tables(parquet.read_table(path) for path in sorted(table.glob("*.parquet")))
        whole = whole.select(COLUMNS).sort_by("user")
        users = ids_of(whole.column("user"))
        cuts = np.searchsorted(users, np.sort(self._rng.choice(users, self._n_parts - 1)))
        (work / "rows").mkdir()
        for number, (start, stop) in enumerate(zip([0, *cuts], [*cuts, users.size], strict=True)):
            told = list(Folding(fold)(self._batches(whole.slice(start, stop - start))))
            if told:
                parquet.write_table(pa.Table.from_batches(told), work / "rows" / f"part-{number}.parquet")
        return UserRows.read(work / "rows", work)

    def similar(self, rows, similarity, n_best, work, tell):
        n_items = similarity.popularity.size
        starts = block_starts(rows.meetings(n_items), self._n_blocks)
        spread = pa.Table.from_batches(Spreading(starts)(batches(work / "rows")))
        gathered = spread.sort_by([("block", "ascending"), ("user", "ascending")])
        return similar(n_items, Multiplying(starts, similarity, n_best)(self._batches(gathered)))

    def _batches(self, table):
        for size in iter(lambda: int(self._rng.integers(1, 40)), None):
            if not table.num_rows:
                return
            yield from table.slice(0, size).combine_chunks().to_batches()
            table = table.slice(size)
