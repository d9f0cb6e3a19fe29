"""What the timelines of items come to, told without a database: the model for random tests.

Time is a number of seconds, and `tick` counts decisions, which come one after the other.
"""

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["publish", "unpublish", "archive"]
IfMissed = Literal["run", "skip"]
MISSED_AFTER = 3_600.0
OPEN = ("pending", "handed")


@dataclass(eq=False)
class Planned:
    """One action: `number` is the version to publish, `chosen` the tick at which it was pinned."""

    id: int
    kind: Kind
    due: float
    chosen: int
    number: int | None = None
    if_missed: IfMissed = "run"
    state: str = "pending"


@dataclass
class ModelItem:
    """An item, what is public of it and since which tick, and its actions."""

    id: int
    versions: int = 1
    public: int | None = None
    shown_at: int = 0
    is_shown_by_timeline: bool = False
    is_archived: bool = False
    actions: list[Planned] = field(default_factory=list)

    def open_actions(self) -> list[Planned]:
        """Return what shall still happen, in order."""
        return _in_order([one for one in self.actions if one.state in OPEN])

    def problems(self, actions: list[Planned]) -> list[Planned]:
        """Return those of some actions that would come to nothing at their place."""
        public, is_archived, found = self.public, self.is_archived, []
        for one in _in_order(actions):
            if one.kind == "publish" and not is_archived and one.number != public:
                public = one.number
            elif one.kind == "unpublish" and public is not None:
                public = None
            elif one.kind == "archive" and public is None and not is_archived:
                is_archived = True
            else:
                found.append(one)
        return found

    def allows(self, before: list[Planned], after: list[Planned]) -> bool:
        """Say whether nothing comes to nothing by a change that did not without it."""
        known = [one for one in self.problems(before) if one in after]
        return all(one in known for one in self.problems(after))

    def resting_upon(self, gone: Planned) -> list[Planned]:
        """Return what comes to nothing without an action."""
        known = self.problems(self.open_actions())
        left = [one for one in self.open_actions() if one is not gone]
        fallen = []
        while broken := [one for one in self.problems(left) if one not in known]:
            fallen.append(broken[0])
            left.remove(broken[0])
        return fallen

    def publish_by_hand(self, number: int, tick: int) -> None:
        """A person publishes: what would bring the same or an older version back ends."""
        for one in self.open_actions():
            if one.kind != "publish" or one.number is None:
                continue
            if one.number > number:
                break
            one.state = "cancelled"
        self._show(number, tick, by_timeline=False)

    def unpublish_by_hand(self) -> None:
        """A person withdraws: nothing that was planned brings it back."""
        self.public = None
        for one in self.open_actions():
            one.state = "cancelled"

    def hand_over(self, now: float) -> bool:
        """Hand over the first open action, if it is due; says whether it was so just now."""
        first = next(iter(self.open_actions()), None)
        if first is None or first.state != "pending" or first.due > now:
            return False
        first.state = "handed"
        return True

    def fire(self, now: float, tick: int) -> None:
        """Carry out what is handed over."""
        for one in self.actions:
            if one.state == "handed":
                one.state = self._end_of(one, now, tick)

    def _end_of(self, one: Planned, now: float, tick: int) -> str:
        if self._is_overtaken(one):
            return "cancelled"
        if one.if_missed == "skip" and now - one.due > MISSED_AFTER:
            return "missed"
        if one.kind == "unpublish":
            self.public = None
        elif one.kind == "archive":
            if self.public is not None:
                return "failed"
            self.is_archived = True
        elif self.is_archived:
            return "failed"
        else:
            self._show(one.number, tick, by_timeline=True)
        return "fired"

    def _is_overtaken(self, one: Planned) -> bool:
        return (
            self.public is not None
            and one.number is not None
            and self.public > one.number
            and self.shown_at > one.chosen
            and not self.is_shown_by_timeline
        )

    def _show(self, number: int | None, tick: int, *, by_timeline: bool) -> None:
        self.public, self.shown_at, self.is_shown_by_timeline = number, tick, by_timeline


def _in_order(actions: list[Planned]) -> list[Planned]:
    return sorted(actions, key=lambda one: (one.due, one.id))
