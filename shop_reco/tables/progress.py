"""How far an import is: one line that moves on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time

from django.core.management.base import OutputWrapper

EVERY = {True: 0.2, False: 10.0}  # seconds


class Progress:
    def __init__(self, out: OutputWrapper) -> None:
        self.out, self.moving = out, out.isatty()
        self.began = self.told = time.monotonic()
        self.first: int | None = None
        self.open = False

    def __call__(self, read: int, share: float) -> None:
        now = time.monotonic()
        if self.first is None:
            self.first = read
        if now - self.told < EVERY[self.moving]:
            return
        self.told = now
        speed = (read - self.first) / max(now - self.began, 1e-9)
        text = f"{read} rows read, {min(share, 1.0):.0%} of the file, {speed:.0f} rows/s"
        self.out.write(f"\r{text:<78}" if self.moving else f"{text}\n", ending="")
        self.out.flush()
        self.open = self.moving

    def end(self) -> None:
        if self.open:
            self.out.write("\n")
            self.open = False
