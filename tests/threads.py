"""Work done at the same moment, each piece on a database connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from django.db import connections


def at_once(*works: Callable[[], Any], seconds: float = 60) -> list[Any]:
    """What each piece of work returned; an error of one is raised here."""
    found: list[Any] = [None] * len(works)
    failed: list[BaseException] = []
    ready = threading.Barrier(len(works))

    def run(place: int, work: Callable[[], Any]) -> None:
        try:
            ready.wait(seconds)
            found[place] = work()
        except BaseException as error:
            failed.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=each, daemon=True) for each in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds)
        assert not thread.is_alive(), "the work did not end"
    if failed:
        raise failed[0]
    return found
