"""From where a change comes: what the edge knows of a request, for the activity log alone."""

from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

LONGEST_USER_AGENT = 200


@dataclass(frozen=True)
class Origin:
    """The client's address and program, and by which session or key it came in.

    `agent_session` is the client's own name for a series of requests by a key. `operator` names who
    ran a command, where a change came by one, and `bulk_action_id` which bulk action changes it.
    """

    address: str | None = None
    user_agent: str | None = None
    session_id: int | None = None
    api_key_id: int | None = None
    agent_session: str | None = None
    operator: str | None = None
    bulk_action_id: int | None = None


_NOWHERE = Origin()
_origin: ContextVar[Origin] = ContextVar("origin", default=_NOWHERE)


def enter(origin: Origin) -> None:
    """Let all that this thread records from now on come from here."""
    _origin.set(origin)


def add(**known: Any) -> None:  # noqa: ANN401 - the fields of Origin
    """Add to the present origin what has been found out since."""
    _origin.set(replace(_origin.get(), **known))


def leave() -> None:
    """Forget the origin, because what comes next in this thread comes from elsewhere."""
    _origin.set(_NOWHERE)


def current() -> Origin:
    """Return the present origin; one without any field outside of requests and commands."""
    return _origin.get()
