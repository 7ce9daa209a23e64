"""Run as a script: asks a shop for lists and sends it bad events, until a line comes; prints what it heard.

It takes as little of the machine as it can: others must feel what the shop does about it, and not what it does itself.
"""

from __future__ import annotations

import http.client
import json
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
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        due = time.monotonic() + number / pace
        while not ended.wait(max(0.0, due - time.monotonic())):
            due += THREADS / pace
            word = sent(connection, port, bad=number % 2 == 0)
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


def sent(connection: http.client.HTTPConnection, port: int, *, bad: bool) -> str:
    """A word for what came back."""
    event = {"id": str(uuid.uuid4()), "type": "VIEW_ITEM", "sku": "unheard of"}
    body = {"query": TRACK, "variables": {"e": [event]}} if bad else {"query": LISTS}
    headers = {"Content-Type": "application/json", "Origin": f"http://127.0.0.1:{port}"}
    try:
        connection.request("POST", "/graphql/", json.dumps(body), headers)
        reply = connection.getresponse()
        errors = json.loads(reply.read()).get("errors")
    except (OSError, http.client.HTTPException, ValueError) as error:
        connection.close()
        return type(error).__name__
    return f"{reply.status} {errors[0]['extensions']['code']}" if errors else "answered"


main()
