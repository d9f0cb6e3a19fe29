"""The answers to requests that the application never sees, or not in time."""

from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

import structlog
from structlog.contextvars import bound_contextvars

from webapp.api.answer_headers import AnswerHeaders
from webapp.api.metrics import count_answer
from webapp.api.problems import problem
from webapp.api.request_ids import choose_request_id
from webapp.api.told_paths import told_path

if TYPE_CHECKING:
    from granian._granian import RSGIHTTPProtocol as HTTPProtocol
    from granian.rsgi import Scope

log = structlog.get_logger()


@dataclass(frozen=True)
class Refusal:
    """A status, what to say, and when to try again."""

    status: int
    detail: str
    retry_after_seconds: int | None = None


FULL = Refusal(503, "Too many of these requests wait already; try again soon.", 2)
WAITED_IN_VAIN = Refusal(503, "No turn came in time and nothing was done; try again soon.", 2)
TOO_SLOW = Refusal(503, "The answer took too long. What was asked may have happened all the same.")


def refuse(
    scope: "Scope", protocol: "HTTPProtocol", refusal: Refusal, answer_headers: AnswerHeaders
) -> None:
    """Answer with a problem document, as the application would, and close the connection."""
    request_id = choose_request_id(scope.headers.get("x-request-id", ""))
    with bound_contextvars(request_id=request_id):
        answer = problem(refusal.status, refusal.detail)
        log.warning(
            "request.refused",
            method=scope.method,
            path=told_path(scope.path),
            status=refusal.status,
            reason=refusal.detail,
        )
    answer.headers["X-Request-ID"] = request_id
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Connection"] = "close"
    if refusal.retry_after_seconds is not None:
        answer.headers["Retry-After"] = str(refusal.retry_after_seconds)
    count_answer(scope.method, "refused", refusal.status, perf_counter())
    headers = answer.headers.to_wsgi_list()
    answer_headers.add(headers, scope.path, scope.headers.get("origin", ""))
    protocol.response_bytes(refusal.status, headers, answer.get_data())
