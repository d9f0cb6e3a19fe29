"""Promises about classes of requests: which one a request is in, and that it keeps its threads."""

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from tests.patience import HANG_SECONDS
from webapp.serving.classes import CONTENTS, HEALTH, PASSWORDS, READY, RequestClass, class_of
from webapp.serving.exchanges import Exchange, Threads


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("POST", "/api/v1/auth/token", PASSWORDS),
        ("PATCH", "/api/v1/content/1", CONTENTS),
        ("GET", "/api/v1/content/1/versions/2/comparison", CONTENTS),
        ("GET", "/api/v1/content/1/versions/2/checks", CONTENTS),
        ("GET", "/ready", READY),
    ],
)
def test_no_other_spelling_leads_to_the_same_view_in_another_class(
    method: str, path: str, expected: RequestClass
) -> None:
    for spelt, way in ((method, path), (method.lower(), path), (method, f"//{path}")):
        assert class_of(spelt, way, "") is expected, (spelt, way)


class Answered:
    """What the server would be told."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.statuses: list[int] = []
        self.came = threading.Event()

    def response_empty(self, status: int, _headers: Any) -> None:
        """Take an answer without a body."""
        self.statuses.append(status)
        self.came.set()


def test_whatever_an_application_raises_costs_its_class_no_thread() -> None:
    def fail(_environ: Any, _start: Any) -> Any:
        raise SystemExit("the end")

    threads = Threads(HEALTH, fail)
    for _ in range(HEALTH.threads + 1):
        answered: Any = Answered()
        scope: Any = SimpleNamespace(
            scheme="http", method="GET", path="/", query_string="", http_version="1.1",
            authority="", server="127.0.0.1:1", client="127.0.0.1:2", headers={},
        )  # fmt: skip
        finished: Any = None
        threads.run(Exchange(HEALTH, scope, answered, b"", finished))
        assert answered.came.wait(HANG_SECONDS)
        assert answered.statuses == [500]
