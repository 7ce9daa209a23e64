"""Measure recommenders on a file of interactions: ``python -m reco_engine.evaluation DATA``.

DATA is a Parquet file with columns user and item and, where there are, timestamp (unix seconds or dates), weight
and rating; or an npz file with arrays users and items (timestamps, weights, ratings), or with a split made
elsewhere: train_users, train_items, test_users, test_items. Dated data is split by time, other data by hiding a
share of each shopper's items. The whole catalogue is ranked. Prints JSON and a Markdown table; with --json the
JSON goes to that file, and the table alone is printed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from reco_engine.errors import BadInputError, MissingDependencyError
from reco_engine.recommenders.registry import BUILT_IN

from .plot import need_matplotlib, plot
from .reading import read_catalogue, read_interactions
from .report import as_dict, as_markdown
from .running import HYBRID, compare, parse_settings
from .task import Task, task_from_arrays, task_of

COLUMNS = ("user", "item", "timestamp", "weight", "rating")


def main(argv: Sequence[str] | None = None) -> int:
    """Return the exit status: 0, or 2 where something given must be mended first."""
    options = _parser().parse_args(argv)
    try:
        _run(options)
    except (BadInputError, MissingDependencyError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    return 0


def _run(options: argparse.Namespace) -> None:
    settings = parse_settings(options.setting)
    if options.plot is not None:
        need_matplotlib()
    names = [name.strip() for name in options.recommenders.split(",") if name.strip()]
    task = _task(options)
    comparison = compare(
        names, task, settings=settings, k=options.at_k, seed=options.seed, baseline=options.baseline, tell=_tell
    )
    if not comparison.measured:
        why = "; ".join(f"{name}: {reason}" for name, reason in comparison.skipped.items())
        raise BadInputError(f"no recommender could be measured: {why or 'none was named'}")
    report = json.dumps(as_dict(comparison, task), indent=1, allow_nan=False, ensure_ascii=False)
    if options.json is None:
        sys.stdout.write(report + "\n\n")
    else:
        _write(options.json, report + "\n")
    sys.stdout.write(as_markdown(comparison) + "\n")
    if options.plot is not None:
        plot(comparison, options.plot)


def _task(options: argparse.Namespace) -> Task:
    columns = {name: getattr(options, f"{name}_column") for name in COLUMNS}
    given = read_interactions(options.data, columns)
    catalogue = None if options.catalogue is None else read_catalogue(options.catalogue)
    if given.test is not None:
        return task_from_arrays(
            given.interactions, *given.test,
            seed=options.seed, catalogue=catalogue, repeats=options.repeats, n_users=options.users,
        )  # fmt: skip
    return task_of(
        given.interactions, share=options.test_share,
        seed=options.seed, catalogue=catalogue, repeats=options.repeats, n_users=options.users,
    )  # fmt: skip


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m reco_engine.evaluation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("data", type=Path, metavar="DATA", help=".parquet or .npz")
    parser.add_argument(
        "--recommenders",
        default=",".join(BUILT_IN),
        help=f"comma separated; all on the shelf by default; {HYBRID}, too",
    )
    parser.add_argument("--at-k", type=_positive, default=20, metavar="K", help="length of the lists (default 20)")
    parser.add_argument("--setting", action="append", default=[], metavar="RECOMMENDER.SETTING=VALUE")
    parser.add_argument("--test-share", type=float, default=0.1, help="share to test on (default 0.1)")
    parser.add_argument("--repeats", action="store_true", help="ask for what shoppers take again, too")
    parser.add_argument("--users", type=_positive, help="measure so many shoppers only, drawn at random")
    parser.add_argument("--catalogue", type=Path, help="Parquet with item, and text, category, brand, price")
    parser.add_argument("--baseline", default="popularity", help="whose NDCG the others are held against")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the JSON there instead of printing it")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw quality against time (png, svg or pdf)")
    for name in COLUMNS:
        parser.add_argument(f"--{name}-column", metavar="NAME", help=f"Parquet column of the {name} (default {name})")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, not {text}")
    return number


def _tell(sentence: str) -> None:
    sys.stderr.write(sentence + "\n")


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInputError(f"the JSON cannot be written to {path}: {error}") from error


if __name__ == "__main__":
    sys.exit(main())
