"""Clients of a running API that read, write and edit without a pause while something is done."""

import http.client
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from dev.ports import LOOPBACK
from tests.patience import HANG_SECONDS


@dataclass
class Tally:
    """What the clients saw: how many answers of each status, and those that were refusals."""

    statuses: dict[int, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, request: str, status: int, answer: str) -> None:
        """Count one answer."""
        with self._lock:
            self.statuses[status] = self.statuses.get(status, 0) + 1
            if status >= 400:
                self.failures.append(f"{request}: {status} {answer[:200]}")

    @property
    def requests(self) -> int:
        """How many requests were answered."""
        return sum(self.statuses.values())


class Client:
    """One connection of one account, kept open as a browser keeps it."""

    def __init__(self, port: int, token: str, tally: Tally) -> None:
        self._connection = http.client.HTTPConnection(LOOPBACK, port, timeout=HANG_SECONDS)
        self._token = token
        self._tally = tally

    def call(self, method: str, path: str, body: Any = None, etag: str = "") -> tuple[Any, str]:
        """Send a request and count its answer; returns the answer's JSON and its ETag."""
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        headers |= {"If-Match": etag} if etag else {}
        encoded = None if body is None else json.dumps(body)
        self._connection.request(method, f"/api/v1{path}", encoded, headers)
        response = self._connection.getresponse()
        text = response.read().decode()
        self._tally.note(f"{method} {path}", response.status, text)
        is_good = response.status < 400 and text
        return (json.loads(text) if is_good else None), response.headers.get("ETag", "")

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


@contextmanager
def load(port: int, token: str, slugs: Sequence[str]) -> Iterator[Tally]:
    """Read, write and edit inside the block, each in threads of its own; yields the tally."""
    tally, is_over = Tally(), threading.Event()
    errors: list[BaseException] = []

    def repeat(work: Any, number: int) -> None:
        client = Client(port, token, tally)
        round_number = 0
        try:
            while not is_over.is_set():
                work(client, number, round_number)
                round_number += 1
        except BaseException as error:  # noqa: BLE001 - told at the end of the block
            errors.append(error)
        finally:
            client.close()

    def read(client: Client, number: int, round_number: int) -> None:
        client.call("GET", f"/published/{slugs[(number + round_number) % len(slugs)]}")
        client.call("GET", "/content?limit=5")

    def write(client: Client, number: int, round_number: int) -> None:
        title = f"Written under load {number} {round_number}"
        made, etag = client.call("POST", "/content", {"title": title, "excerpt": title})
        if made is not None:
            edited = {"body": "Edited.", "excerpt": f"{title}, edited"}
            client.call("PATCH", f"/content/{made['id']}", edited, etag)
            client.call("GET", f"/content/{made['id']}")

    jobs = [(read, 1), (read, 2), (write, 3), (write, 4)]
    threads = [threading.Thread(target=repeat, args=job) for job in jobs]
    for thread in threads:
        thread.start()
    try:
        yield tally
    finally:
        is_over.set()
        for thread in threads:
            thread.join()
    if errors:
        raise errors[0]
