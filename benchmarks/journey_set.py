"""Complete Journey as one more public split: ``python -m benchmarks.journey_set FOLDER``, then ``--data FOLDER``.

Who bought what, once a pair. A fifth of each household's pairs is asked for: drawn at random in ``journey_random``,
those bought last in ``journey_last``. The same arrays as the other sets, so that ``benchmarks.engine`` takes them.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.quality import lines, seconds
from reco_engine.seeds import generator

SHARE = 0.2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    bought, _ = lines()
    first = bought.sort_values("transaction_timestamp", kind="stable").drop_duplicates(["household_id", "product_id"])
    users = np.unique(first["household_id"].to_numpy(), return_inverse=True)[1]
    items = np.unique(first["product_id"].to_numpy(), return_inverse=True)[1]
    rng = generator(0, "journey set")
    for name, places in (
        ("journey_random", rng.random(users.size)),
        ("journey_last", np.asarray(seconds(first["transaction_timestamp"]), dtype=np.float64)),
    ):
        tested = later_share(users, places)
        np.savez_compressed(
            folder / f"{name}.npz",
            train_users=users[~tested], train_items=items[~tested],
            test_users=users[tested], test_items=items[tested],
            n_users=users.max() + 1, n_items=items.max() + 1,
        )  # fmt: skip


def later_share(users: npt.NDArray[np.int64], places: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Which pairs are in the last fifth of their user's, in the order of ``places``."""
    order = np.lexsort((places, users))
    counts = np.bincount(users)
    ranks = np.arange(users.size) - np.repeat(np.cumsum(counts) - counts, counts)
    tested = np.zeros(users.size, dtype=bool)
    tested[order] = ranks >= np.repeat(np.ceil(counts * (1 - SHARE)), counts)
    return tested


if __name__ == "__main__":
    main()
