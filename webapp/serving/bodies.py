"""Request bodies, read whole before a thread is asked to do anything about them.

The server has no deadline for a body, and a thread that reads one that does not come waits as
long as its client likes. On the event loop such a request holds its connection and nothing else.
"""

import asyncio
from collections.abc import AsyncIterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from granian.rsgi import Scope

# All bodies that a process holds at once, in bytes: sixteen of the largest at the default limit.
BUDGET_BYTES = 64 * 1024 * 1024


class BodyError(Exception):
    """A body was not taken; the status and the sentence say why."""

    def __init__(self, status: int, detail: str) -> None:
        """Say the status and what to do."""
        super().__init__(detail)
        self.status = status
        self.detail = detail


class Bodies:
    """The bodies of one process, held within a budget.

    Only for the event loop's thread, so its figure needs no lock.
    """

    def __init__(self, seconds: float, max_bytes: int, budget_bytes: int = BUDGET_BYTES) -> None:
        """Give each body `seconds` to arrive, and take no more than `max_bytes` of it."""
        self._seconds = seconds
        self._max_bytes = max_bytes
        self._budget_bytes = max(budget_bytes, max_bytes)
        self.held_bytes = 0

    async def read(self, scope: "Scope", chunks: AsyncIterable[bytes]) -> bytes:
        """Return the body, which counts as held until it is released. Raises BodyError.

        One that says of itself that it is too long is left unread; the application refuses it.
        """
        length = scope.headers.get("content-length")
        if length is not None and int(length) > self._max_bytes:
            return b""
        try:
            async with asyncio.timeout(self._seconds):
                return await self._collect(None if length is None else int(length), chunks)
        except TimeoutError:
            raise BodyError(
                408, f"The body did not arrive within {self._seconds:g} seconds."
            ) from None

    def release(self, body: bytes) -> None:
        """Give back what a body took."""
        self.held_bytes -= len(body)

    async def _collect(self, length: int | None, chunks: AsyncIterable[bytes]) -> bytes:
        parts: list[bytes] = []
        size = 0
        try:
            async for chunk in chunks:
                # The server hands out an empty part at the end, and one more where it broke off.
                if parts and not parts[-1]:
                    raise BodyError(400, "The body broke off.")
                parts.append(chunk)
                size += len(chunk)
                self.held_bytes += len(chunk)
                if size > self._max_bytes:
                    raise BodyError(413, f"A body may have {self._max_bytes} bytes.")
                if self.held_bytes > self._budget_bytes:
                    raise BodyError(503, "Too much is arriving at once; try again soon.")
            if length not in (None, size):
                raise BodyError(400, "The body broke off.")
        except BaseException:
            self.held_bytes -= size
            raise
        return b"".join(parts)


def has_body(scope: "Scope") -> bool:
    """Say whether a body follows; HTTP/2 has no header for that."""
    headers = scope.headers
    return (
        headers.get("content-length", "0") != "0"
        or "transfer-encoding" in headers
        or scope.http_version == "2"
    )
