"""Wall times: what a clock in a zone shows, and which instants that is: one, none or two.

Where a zone puts its clocks forward, times are left out, and where it puts them back some come
twice. Neither is guessed at: the error offers what may have been meant.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from webapp.kit.zones import UnknownZoneError, rules_of, zone_named

Fold = Literal["earlier", "later"]


@dataclass(frozen=True)
class WallTime:
    """A time that a clock in a zone shows; `fold` says which, where it comes twice.

    `rules` are those of the zone by which its instant was reckoned.
    """

    time: datetime
    zone: str
    fold: Fold | None = None
    rules: str | None = None


@dataclass(frozen=True)
class Offer:
    """An instant that may have been meant, and how a clock in the zone shows it."""

    at: datetime
    time: datetime
    fold: Fold | None = None


class UnclearWallTimeError(ValueError):
    """A wall time is no instant, or two; `offers` are those that may have been meant."""

    def __init__(self, reason: str, offers: list[Offer]) -> None:
        """Say why, and what may have been meant."""
        super().__init__(reason)
        self.offers = offers


def reckon(wall: WallTime) -> tuple[datetime, WallTime]:
    """Return the instant of a wall time, in UTC, and the wall time with the rules it was found by.

    Its `fold` is kept only where the time comes twice. Raises UnknownZoneError, and
    UnclearWallTimeError for a time that is left out, or comes twice while it is not said which.
    """
    earlier, later = _both(wall)
    rules = rules_of(wall.zone)
    shown = [one for one in (earlier, later) if one.time == wall.time]
    if not shown:
        offers = sorted({earlier, later}, key=lambda offer: offer.at)
        raise UnclearWallTimeError(
            f"is left out in {wall.zone}, where clocks go forward; take"
            f" {_spell(offers[0])} or {_spell(offers[1])}",
            offers,
        )
    if earlier.at == later.at:
        return earlier.at, WallTime(wall.time, wall.zone, None, rules)
    twice = [Offer(earlier.at, earlier.time, "earlier"), Offer(later.at, later.time, "later")]
    if wall.fold is None:
        raise UnclearWallTimeError(
            f"comes twice in {wall.zone}, where clocks go back; say by `fold` which: earlier is"
            f" {_instant(earlier.at)}, later {_instant(later.at)}",
            twice,
        )
    chosen = twice[0] if wall.fold == "earlier" else twice[1]
    return chosen.at, WallTime(wall.time, wall.zone, wall.fold, rules)


def shown_in(instant: datetime, zone: str) -> WallTime:
    """Return what a clock in a zone shows at an instant. Raises UnknownZoneError."""
    local = instant.astimezone(zone_named(zone))
    wall = WallTime(local.replace(tzinfo=None, fold=0), zone, None, rules_of(zone))
    earlier, later = _both(wall)
    if earlier.at == later.at:
        return wall
    fold: Fold = "earlier" if instant == earlier.at else "later"
    return WallTime(wall.time, zone, fold, wall.rules)


def shown_by_now(instant: datetime, zone: str) -> WallTime | None:
    """Return the same of a zone that was known once; None where there is no such zone any more."""
    try:
        return shown_in(instant, zone)
    except UnknownZoneError:
        return None


def _both(wall: WallTime) -> tuple[Offer, Offer]:
    """Return the instants by the offset before a change of clocks, and by the one after it."""
    zone = zone_named(wall.zone)
    found = []
    for fold in (0, 1):
        at = wall.time.replace(tzinfo=zone, fold=fold).astimezone(UTC)
        found.append(Offer(at, at.astimezone(zone).replace(tzinfo=None, fold=0)))
    return found[0], found[1]


def _spell(offer: Offer) -> str:
    return f"{offer.time.isoformat(timespec=_parts(offer.time))} ({_instant(offer.at)})"


def _instant(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def _parts(time: datetime) -> str:
    return "minutes" if time == time.replace(second=0, microsecond=0) else "auto"
