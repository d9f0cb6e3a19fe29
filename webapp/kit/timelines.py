"""The timeline of an item: what shall happen to it, in order, and whether it can at its place.

Nothing here reads a table or a clock. The actions of an item are walked in the order of their
moments from where the item stands now, and the table of moves says of each whether it is possible
there.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from webapp.kit.lifecycle import TABLE, Facts, Move, Standing

ActionKind = Literal["publish", "unpublish", "archive"]

_MOVES: dict[str, Move] = {
    "publish": Move.PUBLISH,
    "unpublish": Move.UNPUBLISH,
    "archive": Move.ARCHIVE,
}
_NOT_PUBLIC = "is not public"
_STANDS = {
    Standing.PUBLISHED: "is public",
    Standing.ARCHIVED: "is in the archive",
    Standing.TRASHED: "is in the trash",
}


@dataclass(frozen=True)
class Action:
    """One thing that shall happen to an item at a moment; `number` is the version to publish.

    `id` is None for one that is not saved yet, and `of` says what kind of row it is. One that
    `is_waiting` for somebody's decision has its moment, and is not counted on.
    """

    kind: ActionKind
    due_at: datetime
    number: int | None = None
    id: int | None = None
    of: str = "schedule"
    is_waiting: bool = False

    def __str__(self) -> str:
        """Name it, with what it does and when."""
        name = f"a {self.of}" if self.id is None else f"{self.of} {self.id}"
        version = "" if self.number is None else f" version {self.number}"
        return f"{name} to {self.kind}{version} at {spell(self.due_at)}"

    @property
    def place(self) -> tuple[datetime, int | float, str]:
        """Where it comes in the order; of two at one moment the one that was made first."""
        return self.due_at, float("inf") if self.id is None else self.id, self.of


@dataclass(frozen=True)
class Place:
    """Where an item stands between two actions, and what has brought it there (None: it is so now).

    `number` is the version that is public there.
    """

    facts: Facts
    number: int | None
    since: Action | None = None

    def after(self, action: Action) -> "Place":
        """Return where the item stands after an action that is possible here."""
        standing = TABLE[_MOVES[action.kind]].leads_to(self.facts)
        is_public = standing is Standing.PUBLISHED
        facts = replace(
            self.facts,
            standing=standing,
            was_public=self.facts.was_public or is_public,
            is_retracted=self.facts.is_retracted and not is_public,
        )
        return Place(facts, action.number if is_public else None, action)


def spell(moment: datetime) -> str:
    """Return a moment as answers write it."""
    return moment.isoformat().replace("+00:00", "Z")


def in_order(actions: Collection[Action]) -> list[Action]:
    """Return actions in the order in which they happen."""
    return sorted(actions, key=lambda action: action.place)


def problems(start: Place, actions: Collection[Action]) -> dict[Action, str]:
    """Say of each action that cannot happen at its place, or would change nothing there, why.

    What cannot happen is passed over, so that what follows is judged without it.
    """
    found: dict[Action, str] = {}
    place, last = start, None
    for action in in_order(actions):
        if last is not None and last.due_at == action.due_at:
            found[action] = f"at one moment one thing happens, and then comes {last}"
        elif not action.is_waiting:
            reason = _why_not(place, action)
            if reason is None:
                place = place.after(action)
            else:
                found[action] = reason
        last = action
    return found


def _why_not(place: Place, action: Action) -> str | None:
    facts = place.facts
    since = "" if place.since is None else f" since {place.since}"
    if facts.standing not in TABLE[_MOVES[action.kind]].standings:
        return f"the item {_STANDS.get(facts.standing, _NOT_PUBLIC)} then{since}"
    if action.kind == "publish" and action.number == place.number:
        return f"version {action.number} is public already then{since}"
    return None


def first_objection(
    start: Place, before: Collection[Action], after: Collection[Action]
) -> str | None:
    """Return what is to be said against a change of a timeline; None if nothing is.

    What was amiss before is no objection, unless it is in what has changed.
    """
    known = problems(start, before).keys() & set(after)
    for action, reason in problems(start, after).items():
        if action not in known:
            subject = str(action)
            return f"{subject[0].upper()}{subject[1:]} would come to nothing: {reason}."
    return None


def resting_upon(start: Place, actions: Collection[Action], gone: Action) -> list[Action]:
    """Return the actions that could not happen without another, in their order.

    What rests upon one of them is among them.
    """
    known = problems(start, actions)
    left = [action for action in actions if action != gone]
    fallen: list[Action] = []
    while True:
        broken = [action for action in problems(start, left) if action not in known]
        if not broken:
            return in_order(fallen)
        # The first alone: without it, what follows may be possible again.
        fallen.append(broken[0])
        left.remove(broken[0])


def overtaken(actions: Sequence[Action], number: int) -> list[Action]:
    """Return the publications that put the same version or an older one in the place of a new one.

    The new one has just gone public by somebody's hand. Once a newer version has come by the
    timeline, an older one that follows is a return that was planned, and stays.
    """
    found = []
    for action in in_order(actions):
        if action.kind != "publish" or action.number is None:
            continue
        if action.number > number:
            if not action.is_waiting:
                break
        else:
            found.append(action)
    return found
