"""The five words in which a handler ends, and the errors that say the same."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Done:
    """The duty is fulfilled."""


@dataclass(frozen=True)
class Retry:
    """It did not work this time. What the handler wrote is rolled back, and the start counts."""

    reason: str
    after_seconds: float | None = None


@dataclass(frozen=True)
class GiveUp:
    """No retry can cure this. What the handler wrote is rolled back; the job stays as failed."""

    reason: str


@dataclass(frozen=True)
class Snooze:
    """There was progress and there is more to do. What was written stays; starts count afresh."""

    seconds: float = 0.0


@dataclass(frozen=True)
class Decline:
    """This release cannot do it, and another may. What was written is rolled back; no start counts.

    For what a job names and a worker does not know, while releases run side by side. Nothing ends
    such a job but a worker that knows it, or an operator.
    """

    reason: str


Outcome = Done | Retry | GiveUp | Snooze | Decline


class LeaseLostError(Exception):
    """Another worker holds the job now, so this one may commit nothing more."""


class PermanentError(Exception):
    """Raised in a handler: the job gives up at once, with this message as the reason."""
