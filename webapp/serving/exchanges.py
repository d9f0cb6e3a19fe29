"""A request that waits for a thread, runs on one, and is answered once."""

import asyncio
import math
import threading
from collections import deque
from queue import SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING

import structlog

from webapp.serving.classes import RequestClass
from webapp.serving.refusals import TOO_SLOW, WAITED_IN_VAIN, Refusal
from webapp.serving.wsgi_call import call

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from granian._granian import RSGIHTTPProtocol as HTTPProtocol
    from granian.rsgi import Scope

log = structlog.get_logger()


class Exchange:
    """One request with its whole body, and the future that its coroutine waits for.

    Whoever answers first has answered: the server takes one answer of each request and drops the
    rest, so a deadline and a thread cannot both be heard.
    """

    __slots__ = (
        "_answer_by",
        "_ticket",
        "_wait_until",
        "body",
        "finished",
        "protocol",
        "request_class",
        "scope",
    )

    def __init__(
        self,
        request_class: RequestClass,
        scope: "Scope",
        protocol: "HTTPProtocol",
        body: bytes,
        finished: "asyncio.Future[None]",
    ) -> None:
        """Begin to wait for a thread."""
        self.request_class = request_class
        self.scope = scope
        self.protocol = protocol
        self.body = body
        self.finished = finished
        # Taken by the thread that runs this or by the deadline that gives it up, never by both:
        # taking the last thing out of a list is one step.
        self._ticket = [None]
        self._wait_until = monotonic() + request_class.wait_seconds
        self._answer_by = math.inf

    def take(self) -> bool:
        """Say whether this is still to be run; from then on the answer's deadline counts."""
        if not self._take_ticket():
            return False
        self._answer_by = monotonic() + self.request_class.answer_seconds
        return True

    def run(self, application: "WSGIApplication") -> None:
        """Answer by the application, in a thread of the class."""
        try:
            answer = call(application, self.scope, self.body)
        except BaseException as error:
            log.error("request.crashed", exc_info=error)
            self.protocol.response_empty(500, [])
        else:
            self.protocol.response_bytes(answer.status, answer.headers, answer.body)

    def refusal_if_late(self, now: float) -> Refusal | None:
        """Return how to refuse this where a deadline has passed; it then runs no more.

        One that a thread takes at this very moment has only just begun, and is not late.
        """
        if self._ticket:
            is_late = now >= self._wait_until and self._take_ticket()
            return WAITED_IN_VAIN if is_late else None
        return TOO_SLOW if now >= self._answer_by else None

    def _take_ticket(self) -> bool:
        try:
            self._ticket.pop()
        except IndexError:
            return False
        return True


class Threads:
    """The threads of one class, and the requests that wait for them."""

    def __init__(self, request_class: RequestClass, application: "WSGIApplication") -> None:
        """Start the threads."""
        self._class = request_class
        self._application = application
        self._waiting: SimpleQueue[Exchange] = SimpleQueue()
        self.answered: deque[Exchange] = deque()
        for number in range(request_class.threads):
            name = f"{request_class.name} {number + 1}"
            threading.Thread(target=self._work, name=name, daemon=True).start()

    def is_full(self) -> bool:
        """Say whether no place is left to wait in."""
        return self._waiting.qsize() >= self._class.places

    def run(self, exchange: Exchange) -> None:
        """Let an exchange wait for its turn."""
        self._waiting.put(exchange)

    def _work(self) -> None:
        while True:
            exchange = self._waiting.get()
            if exchange.take():
                exchange.run(self._application)
                self.answered.append(exchange)
