"""The life of an item: where it may stand, what may be done to it there, and who may do it.

`TABLE` is the one place that says so. Services ask it before each change of an item, and an answer
about an item lists from it what its reader may do now.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from webapp.kit.permissions import Permission

MOST_PLANNED = 100
"""How many actions of one item may be open at a time."""


class Standing(StrEnum):
    """Where an item stands. One that has been public and is no more is unpublished, not a draft.

    A retracted one is not public either, and in its place stands why.
    """

    DRAFT = "draft"
    PUBLISHED = "published"
    UNPUBLISHED = "unpublished"
    RETRACTED = "retracted"
    ARCHIVED = "archived"
    TRASHED = "trashed"


class Progress(StrEnum):
    """How far the newest version of an item is, whatever version is public."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    CHANGES_WANTED = "changes_wanted"
    APPROVED = "approved"
    SCHEDULED = "scheduled"


class Move(StrEnum):
    """What may be done to an item."""

    EDIT = "edit"
    SUBMIT = "submit"
    WITHDRAW = "withdraw"
    APPROVE = "approve"
    REQUEST_CHANGES = "request_changes"
    REJECT = "reject"
    SCHEDULE = "schedule"
    PUBLISH = "publish"
    CORRECT = "correct"
    UNPUBLISH = "unpublish"
    RETRACT = "retract"
    ARCHIVE = "archive"
    UNARCHIVE = "unarchive"
    TRASH = "trash"
    UNTRASH = "untrash"
    PREVIEW = "preview"
    COMMENT = "comment"


@dataclass(frozen=True)
class Facts:
    """What decides about the moves of an item.

    `planned` are the ids of its open schedules, in the order of their moments, and `held` those of
    the releases that hold it and have not gone live.
    `review` is the state of the review that is asked about, or of the newest; it is open only where
    it is of the newest version. `personal_bars` says why some moves are not for whoever asks,
    though the item is open to them; with `needs_approval` they publish nothing without one.
    """

    standing: Standing
    was_public: bool = False
    is_retracted: bool = False
    progress: Progress = Progress.DRAFT
    planned: Sequence[int] = ()
    held: Sequence[int] = ()
    review: str | None = None
    needs_approval: bool = False
    personal_bars: Mapping[Move, str] = field(default_factory=dict)

    @property
    def standing_at_work(self) -> Standing:
        """Where it stands once it is taken back from the public, the archive or the trash."""
        if self.is_retracted:
            return Standing.RETRACTED
        return Standing.UNPUBLISHED if self.was_public else Standing.DRAFT


MOST_NAMED = 10
"""How many releases a refusal names."""

Bar = Callable[[Facts], str | None]
"""Says why an item may not be moved although it stands where it might be."""


@dataclass(frozen=True)
class Rule:
    """One move: from where it may be made, where it leads, who may make it, and what bars it.

    `own` suffices for the maker's own items, `of_anybody` for all. Without a `next_standing` the
    item stays where it stands; one that `leads_to_work` makes it a draft or unpublished.
    """

    standings: frozenset[Standing]
    own: Permission | None
    of_anybody: Permission
    next_standing: Standing | None = None
    leads_to_work: bool = False
    bars: tuple[Bar, ...] = ()

    def leads_to(self, facts: Facts) -> Standing:
        """Return where the item stands after the move."""
        if self.leads_to_work:
            return facts.standing_at_work
        return self.next_standing or facts.standing


def _is_planned(facts: Facts) -> str | None:
    if not facts.planned:
        return None
    return f"The item has a schedule; cancel schedule {facts.planned[0]} first."


def _is_in_release(facts: Facts) -> str | None:
    if not facts.held:
        return None
    named = ", ".join(map(str, facts.held[:MOST_NAMED]))
    return f"The item is in a release; take it out of it first: {named}."


def _all_is_planned(facts: Facts) -> str | None:
    if len(facts.planned) < MOST_PLANNED:
        return None
    return f"The item has {MOST_PLANNED} open schedules, as many as it may; cancel or change one."


def _is_submitted(facts: Facts) -> str | None:
    return {
        Progress.IN_REVIEW: "The newest version is in review already.",
        Progress.APPROVED: "The newest version is approved already.",
        Progress.SCHEDULED: "The newest version is scheduled already.",
    }.get(facts.progress)


def _is_not_in_review(facts: Facts) -> str | None:
    return None if facts.review == "open" else _no_review(facts)


def _is_neither_in_review_nor_approved(facts: Facts) -> str | None:
    return None if facts.review in {"open", "approved"} else _no_review(facts)


def _no_review(facts: Facts) -> str:
    ended = (facts.review or "").replace("_", " ")
    return f"The review has ended: {ended}." if ended else "The item is not in review."


AT_WORK = frozenset({Standing.DRAFT, Standing.UNPUBLISHED, Standing.RETRACTED})
PUBLIC = frozenset({Standing.PUBLISHED})
OPEN_TO_CHANGES = AT_WORK | PUBLIC

TABLE: dict[Move, Rule] = {
    Move.EDIT: Rule(OPEN_TO_CHANGES, Permission.CONTENT_EDIT_OWN, Permission.CONTENT_EDIT_ANY),
    Move.SUBMIT: Rule(
        OPEN_TO_CHANGES, Permission.CONTENT_EDIT_OWN, Permission.CONTENT_EDIT_ANY,
        bars=(_is_submitted,),
    ),
    Move.WITHDRAW: Rule(
        OPEN_TO_CHANGES, Permission.CONTENT_EDIT_OWN, Permission.CONTENT_APPROVE,
        bars=(_is_neither_in_review_nor_approved,),
    ),
    Move.APPROVE: Rule(
        OPEN_TO_CHANGES, None, Permission.CONTENT_APPROVE, bars=(_is_not_in_review,)
    ),
    Move.REQUEST_CHANGES: Rule(
        OPEN_TO_CHANGES, None, Permission.CONTENT_APPROVE,
        bars=(_is_neither_in_review_nor_approved,),
    ),
    Move.REJECT: Rule(
        OPEN_TO_CHANGES, None, Permission.CONTENT_APPROVE,
        bars=(_is_neither_in_review_nor_approved,),
    ),
    Move.SCHEDULE: Rule(
        OPEN_TO_CHANGES, Permission.CONTENT_PUBLISH_APPROVED, Permission.SCHEDULE_MANAGE,
        bars=(_all_is_planned,),
    ),
    Move.PUBLISH: Rule(
        OPEN_TO_CHANGES, Permission.CONTENT_PUBLISH_APPROVED, Permission.CONTENT_PUBLISH,
        next_standing=Standing.PUBLISHED,
    ),
    Move.CORRECT: Rule(PUBLIC, Permission.CONTENT_PUBLISH_APPROVED, Permission.CONTENT_PUBLISH),
    Move.UNPUBLISH: Rule(PUBLIC, None, Permission.CONTENT_PUBLISH, leads_to_work=True),
    Move.RETRACT: Rule(
        PUBLIC, None, Permission.CONTENT_PUBLISH, next_standing=Standing.RETRACTED
    ),
    Move.ARCHIVE: Rule(
        AT_WORK, Permission.CONTENT_TRASH_OWN, Permission.CONTENT_TRASH_ANY,
        next_standing=Standing.ARCHIVED, bars=(_is_planned, _is_in_release),
    ),
    Move.UNARCHIVE: Rule(
        frozenset({Standing.ARCHIVED}), Permission.CONTENT_TRASH_OWN, Permission.CONTENT_TRASH_ANY,
        leads_to_work=True,
    ),
    Move.TRASH: Rule(
        AT_WORK, Permission.CONTENT_TRASH_OWN, Permission.CONTENT_TRASH_ANY,
        next_standing=Standing.TRASHED, bars=(_is_planned, _is_in_release),
    ),
    Move.UNTRASH: Rule(
        frozenset({Standing.TRASHED}), Permission.CONTENT_TRASH_OWN, Permission.CONTENT_TRASH_ANY,
        leads_to_work=True,
    ),
    Move.PREVIEW: Rule(
        OPEN_TO_CHANGES, Permission.CONTENT_PREVIEW, Permission.CONTENT_PREVIEW
    ),
    Move.COMMENT: Rule(
        OPEN_TO_CHANGES, Permission.CONTENT_COMMENT, Permission.CONTENT_COMMENT
    ),
}  # fmt: skip

_NOT_THERE = {
    Move.CORRECT: "The item is not public.",
    Move.UNPUBLISH: "The item is not public.",
    Move.RETRACT: "The item is not public.",
    Move.UNARCHIVE: "The item is not archived.",
    Move.UNTRASH: "The item is not in the trash.",
}
_FIRST = {
    Standing.TRASHED: "The item is in the trash; take it out first.",
    Standing.ARCHIVED: "The item is archived; unarchive it first.",
    Standing.PUBLISHED: "The item is public; unpublish it first.",
}


def refusal(move: Move, facts: Facts) -> str | None:
    """Return why the move is refused now, for the person who asked; None if it is not."""
    rule = TABLE[move]
    if facts.standing not in rule.standings:
        return _NOT_THERE.get(move) or _FIRST[facts.standing]
    reasons = [reason for bar in rule.bars if (reason := bar(facts)) is not None]
    return reasons[0] if reasons else facts.personal_bars.get(move)


def open_moves(facts: Facts, is_own: bool, may: Callable[[Permission], bool]) -> list[Move]:
    """Return what somebody may do to an item now, in the order of the table."""
    return [
        move
        for move, rule in TABLE.items()
        if refusal(move, facts) is None
        and ((is_own and rule.own is not None and may(rule.own)) or may(rule.of_anybody))
    ]
