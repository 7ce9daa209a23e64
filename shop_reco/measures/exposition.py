"""What a scrape gets: the figures of all processes of this server, and those that whoever asks adds."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import metrics


@dataclass(frozen=True, slots=True)
class Figure:
    """A gauge read at the moment of a scrape: values by the values of its labels."""

    name: str
    help: str
    labels: tuple[str, ...]
    values: Sequence[tuple[tuple[str, ...], float]]


def exposition(figures: Iterable[Figure]) -> tuple[bytes, str]:
    """The text of a scrape and its media type.

    Raises:
        ImportError: If prometheus-client is not installed.
    """
    from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

    return generate_latest(_Scrape(figures)), CONTENT_TYPE_LATEST


@dataclass(frozen=True, slots=True)
class _Scrape:
    figures: Iterable[Figure]

    def collect(self) -> Iterator[Any]:
        from prometheus_client.core import GaugeMetricFamily
        from prometheus_client.multiprocess import MultiProcessCollector

        if metrics.FOLDER:
            _forget_the_dead(Path(metrics.FOLDER))
            yield from MultiProcessCollector(None, path=metrics.FOLDER).collect()
        else:
            yield from metrics.registry.collect()
        for figure in self.figures:
            family = GaugeMetricFamily(figure.name, figure.help, labels=figure.labels)
            for labels, value in figure.values:
                family.add_metric(labels, value)
            yield family


def _forget_the_dead(folder: Path) -> None:
    """What a process has waiting ends with it; what it counted stays counted."""
    for path in folder.glob("gauge_live*_*.db"):
        number = path.stem.rpartition("_")[2]
        if number.isdecimal() and not _lives(int(number)):
            path.unlink(missing_ok=True)


def _lives(process: int) -> bool:
    with contextlib.suppress(PermissionError):
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return False
    return True
