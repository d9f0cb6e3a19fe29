"""The API as granian's own interface calls it, around the same WSGI application.

The event loop takes the bodies and keeps the deadlines; threads of each class run the application.
So what hangs, be it a client or the database, hangs in its own class.
"""

import asyncio
import multiprocessing
from collections.abc import Callable, Sequence
from time import monotonic
from typing import TYPE_CHECKING

from webapp.adapters.lifeline import end_with_parent
from webapp.api.answer_headers import AnswerHeaders
from webapp.serving.bodies import Bodies, BodyError, has_body
from webapp.serving.classes import CLASSES, RequestClass, class_of
from webapp.serving.exchanges import Exchange, Threads
from webapp.serving.refusals import FULL, Refusal, refuse

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from granian._granian import RSGIHTTPProtocol as HTTPProtocol
    from granian.rsgi import Scope

# How exactly the deadlines are kept, in seconds.
SWEEP_SECONDS = 0.25


class Server:
    """An RSGI application: `granian --interface rsgi`."""

    def __init__(
        self,
        application: "WSGIApplication",
        bodies: Bodies,
        answer_headers: AnswerHeaders,
        classes: Sequence[RequestClass] = CLASSES,
        choose_class: Callable[[str, str, str], RequestClass] = class_of,
    ) -> None:
        """Start nothing yet: the process that serves is another than the one that imports."""
        self._application = application
        self._bodies = bodies
        self._answer_headers = answer_headers
        self._classes = classes
        self._choose_class = choose_class
        self._threads: dict[str, Threads] = {}
        self._open: set[Exchange] = set()

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start the threads and the watch over the deadlines, in the process that serves."""
        parent = multiprocessing.parent_process()
        if parent is not None and parent.pid is not None:
            end_with_parent(parent.pid)
        self._threads = {each.name: Threads(each, self._application) for each in self._classes}
        loop.call_soon(self._sweep, loop)

    async def __rsgi__(self, scope: "Scope", protocol: "HTTPProtocol") -> None:
        """Answer one request; whatever becomes of it, it is answered once."""
        if scope.proto != "http":
            protocol.response_empty(400, [])
            return
        request_class = self._choose_class(scope.method, scope.path, scope.query_string)
        threads = self._threads[request_class.name]
        if threads.is_full():
            self._refuse(scope, protocol, FULL)
            return
        try:
            body = await self._bodies.read(scope, protocol) if has_body(scope) else b""
        except BodyError as error:
            retry = 2 if error.status == 503 else None
            self._refuse(scope, protocol, Refusal(error.status, error.detail, retry))
            return
        finished = asyncio.get_running_loop().create_future()
        exchange = Exchange(request_class, scope, protocol, body, finished)
        self._open.add(exchange)
        threads.run(exchange)
        self._settle(threads)
        try:
            await finished
        finally:
            self._open.discard(exchange)
            self._bodies.release(body)

    def _settle(self, threads: Threads) -> None:
        """Let the coroutines of answered requests end.

        The threads have answered already, so this is not urgent, and to wake the loop for each
        would cost more than the rest of the way through it.
        """
        answered = threads.answered
        while answered:
            exchange = answered.popleft()
            if not exchange.finished.done():
                exchange.finished.set_result(None)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        """Settle what was answered and refuse what is late, and come again, whatever happens."""
        loop.call_later(SWEEP_SECONDS, self._sweep, loop)
        for threads in self._threads.values():
            self._settle(threads)
        now = monotonic()
        for exchange in [each for each in self._open if not each.finished.done()]:
            refusal = exchange.refusal_if_late(now)
            if refusal is not None:
                exchange.finished.set_result(None)
                self._refuse(exchange.scope, exchange.protocol, refusal)

    def _refuse(self, scope: "Scope", protocol: "HTTPProtocol", refusal: Refusal) -> None:
        refuse(scope, protocol, refusal, self._answer_headers)
