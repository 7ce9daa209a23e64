"""Children of the demo: started in one group, restarted when they die, stopped together."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from types import FrameType

PR_SET_PDEATHSIG = 1


def _die_with_parent() -> None:
    """On Linux a child ends when the supervisor is killed, however that happens."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Stopped(BaseException):
    """SIGTERM or Ctrl-C came."""


class Supervisor:
    """Keeps named commands running until told to stop."""

    def __init__(self) -> None:
        self._commands: dict[str, Sequence[str]] = {}
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)

    def start(self, name: str, command: Sequence[str]) -> None:
        self._commands[name] = command
        self._children[name] = subprocess.Popen(command, preexec_fn=_die_with_parent)  # noqa: S603

    def tend(self) -> list[str]:
        """Restart whatever ended; returns the names."""
        ended = [name for name, child in self._children.items() if child.poll() is not None]
        for name in ended:
            self.start(name, self._commands[name])
        return ended

    def stop(self) -> None:
        """End all children: politely, then not."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        for child in self._children.values():
            if child.poll() is None:
                child.terminate()
        deadline = time.monotonic() + 8
        for child in self._children.values():
            try:
                child.wait(max(deadline - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                child.kill()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        raise Stopped


def python_module(*arguments: str) -> list[str]:
    return [sys.executable, "-m", *arguments]


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def answers(port: int, *, within: float) -> bool:
    """Whether something accepts connections, waiting ``within`` seconds for it."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return True
    return False


def own_file(path: str, content: str) -> None:
    """Write a file that only its owner may read."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(content)
