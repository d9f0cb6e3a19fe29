"""What the rules say no with. There is no HTTP in here: the edge keeps the table of statuses."""

import math
from collections.abc import Sequence

from webapp.kit.content_checks.pages import Finding
from webapp.kit.lifecycle import Move, Progress, Standing
from webapp.kit.wall_times import Offer


class ServiceError(Exception):
    """The parent of every refusal; the message is written for the person who asked."""


class NotFoundError(ServiceError):
    """There is no such thing, or the actor may not know of it."""


class PrunedVersionError(NotFoundError):
    """There was such a version, and it has outlived its use."""

    def __init__(self, number: int) -> None:
        """Name the version."""
        super().__init__(
            f"Version {number} was pruned: it was kept for as long as the site keeps every version."
        )


class ForbiddenError(ServiceError):
    """The actor may know of it, and may not do this to it."""


class AuthenticationError(ServiceError):
    """Nobody is logged in with these credentials."""


class ConflictError(ServiceError):
    """The state of the thing, or another thing, stands against it."""


class MoveRefusal(ServiceError):  # noqa: N818 - the parent of two errors
    """An item is not to be changed as somebody wants; says what may be done to it instead."""

    def __init__(
        self, message: str, status: Standing, state: Progress, moves: Sequence[Move]
    ) -> None:
        """Say why, where the item stands, how far its draft is, and what the caller may do now."""
        super().__init__(message)
        self.status = status
        self.state = state
        self.moves = moves


class MoveRefusedError(MoveRefusal, ConflictError):
    """The state of an item stands against what somebody wants to do to it."""


class MoveForbiddenError(MoveRefusal, ForbiddenError):
    """Somebody else would have to do it, or to approve of it first."""


class HinderedError(ConflictError):
    """Some items stand against what shall be done to many of them at once."""

    def __init__(self, message: str, hindrances: Sequence[tuple[int, str]]) -> None:
        """Say what cannot be done, and of each item that is in the way why."""
        super().__init__(message)
        self.hindrances = list(hindrances)


class StaleRevisionError(ServiceError):
    """The thing has changed since the caller read it."""


class UnrenderableError(ServiceError):
    """A text cannot be rendered within the limits; trying again changes nothing."""


class QuotaError(ConflictError):
    """The account has as many as it may have; less of them makes room."""


class DailyQuotaError(ServiceError):
    """The account has made as much as it may in a day; the next day makes room."""

    def __init__(self, message: str, seconds: int) -> None:
        """Say so, and in how many seconds the next day begins."""
        super().__init__(message)
        self.seconds = seconds


class TooManyTriesError(ServiceError):
    """It was tried too often; it may be tried again after some time."""

    def __init__(self, message: str, seconds: float) -> None:
        """Say what, and in how many seconds it may be tried again; whole ones, at least one."""
        self.seconds = max(1, math.ceil(seconds))
        super().__init__(f"{message} Try again in {self.seconds} seconds.")


class UnavailableError(ServiceError):
    """It cannot be done now, and may be in a while."""


class DamagedVersionError(ServiceError):
    """The packed text of a version is not what was saved; an operator has to look at it."""

    def __init__(self, content_id: int, number: int) -> None:
        """Name the item and the version."""
        super().__init__(
            f"Version {number} of item {content_id} is damaged and cannot be read;"
            " it has been noted for the operators."
        )


class IncompleteError(ServiceError):
    """A version lacks what it has to have before it is submitted, scheduled or published."""

    def __init__(self, number: int, lacking: Sequence[tuple[str, str]]) -> None:
        """Name the version, and each field that it lacks with the reason."""
        fields = ", ".join(field for field, _ in lacking)
        super().__init__(f"Version {number} is not complete; it lacks: {fields}.")
        self.lacking = list(lacking)


class CheckedError(ServiceError):
    """The checks find errors in a version, and the settings let no such version out."""

    def __init__(self, number: int, findings: Sequence[Finding]) -> None:
        """Name the version, and what was found in it."""
        super().__init__(f"Version {number} has errors that keep it from going out: `findings`.")
        self.findings = list(findings)


class InvalidInputError(ServiceError):
    """One field of the input cannot be accepted, for a reason that only the database knows."""

    def __init__(self, field: str, reason: str, *, place: str = "body") -> None:
        """Name the field, as a dotted path, the reason, and the part of the request it is in."""
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.place = place
        self.reason = reason


class UnclearTimeError(InvalidInputError):
    """A wall time is no instant, or two; what may have been meant is offered."""

    def __init__(self, field: str, reason: str, offers: Sequence[Offer]) -> None:
        """Name the field and the reason, and offer what may have been meant."""
        super().__init__(field, reason)
        self.offers = list(offers)
