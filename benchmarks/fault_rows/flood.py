"""Run as a script: asks a shop for lists and sends it bad events, until a line comes; prints what it heard.

It takes as little of the machine as it can, and therefore speaks by bare sockets: others must feel what the shop does
about it, and not what it does itself.
"""

from __future__ import annotations

import json
import re
import socket
import sys
import threading
import time
import uuid

THREADS = 4
LISTS = "query { recommendations(first: 10) { rung edges { node { sku } } } }"
TRACK = "mutation($e: [EventInput!]!) { trackEvents(events: $e) { accepted rejected { code } } }"


def main() -> None:
    port, pace = int(sys.argv[1]), float(sys.argv[2])
    told: dict[str, int] = {}
    guard, ended = threading.Lock(), threading.Event()

    def ask(number: int) -> None:
        due = time.monotonic() + number / pace
        connection: socket.socket | None = None
        while not ended.wait(max(0.0, due - time.monotonic())):
            due += THREADS / pace
            try:
                connection = connection or socket.create_connection(("127.0.0.1", port), timeout=20)
                connection.sendall(request(port, bad=number % 2 == 0))
                word = word_of(reply(connection))
            except (OSError, ValueError) as error:
                word, connection = type(error).__name__, None
            with guard:
                told[word] = told.get(word, 0) + 1

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    sys.stdin.readline()
    ended.set()
    for thread in threads:
        thread.join()
    print(json.dumps(told))


def request(port: int, *, bad: bool) -> bytes:
    event = {"id": str(uuid.uuid4()), "type": "VIEW_ITEM", "sku": "unheard of"}
    body = json.dumps({"query": TRACK, "variables": {"e": [event]}} if bad else {"query": LISTS})
    head = (
        f"POST /graphql/ HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return (head + body).encode()


def reply(connection: socket.socket) -> bytes:
    """Head and body of one answer of known length.

    Raises:
        ValueError: If the connection ends before, or no length is told.
    """
    heard = b""
    while (end := heard.find(b"\r\n\r\n") + 4) < 4 or len(heard) < end + length_in(heard[:end]):
        more = connection.recv(65536)
        if not more:
            raise ValueError
        heard += more
    return heard


def length_in(head: bytes) -> int:
    found = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    if found is None:
        raise ValueError
    return int(found[1])


def word_of(heard: bytes) -> str:
    """The status and the code of an error, or that there was neither."""
    code = re.search(rb'"code": *"(\w+)"', heard) if b'"errors"' in heard else None
    status = heard[9:12].decode()
    return f"{status} {code[1].decode()}" if code else "answered" if status == "200" else status


main()
