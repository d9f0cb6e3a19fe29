"""What the life of an item should be, written a second time: plain values, and no line of the code.

`Model.act` says what comes of one act, and changes the model only where the act is done.
"""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Literal

from webapp.kit.lifecycle import Move

Who = Literal["author", "colleague", "editor", "bound", "machine", "press"]
Outcome = Literal["done", "hidden", "forbidden", "stale", "refused"]
Verdict = Literal["approve", "changes_wanted", "reject"]
Name = Literal[
    "edit", "restore", "submit", "withdraw", "decide", "publish", "schedule", "cancel", "unpublish",
    "correct", "retract",
    "archive", "unarchive", "trash", "untrash", "fire", "guest",
]  # fmt: skip

# The author and the author's key, which proposes; two editors, of whom one is bound to approvals;
# and a key of the free one, which publishes and tells.
MAY: dict[str, frozenset[str]] = {
    "edit": frozenset({"author", "machine", "editor", "bound"}),
    "decide": frozenset({"editor", "bound"}),
    "withdraw": frozenset({"author", "machine", "editor", "bound"}),
    "publish": frozenset({"author", "editor", "bound", "press"}),
    "manage": frozenset({"editor", "bound", "press"}),
    "put aside": frozenset({"author", "editor", "bound", "press"}),
    "show": frozenset({"author", "editor", "bound", "press"}),
    "comment": frozenset({"author", "machine", "editor", "bound"}),
}
RIGHT_OF: dict[str, str] = {
    "edit": "edit", "restore": "edit", "submit": "edit", "withdraw": "withdraw", "decide": "decide",
    "guest": "decide", "publish": "publish", "schedule": "publish", "cancel": "manage",
    "unpublish": "manage",
    "correct": "publish", "retract": "manage",
    "archive": "put aside", "unarchive": "put aside", "trash": "put aside", "untrash": "put aside",
}  # fmt: skip
NEED_APPROVAL = {"author", "bound"}
PERSON_OF: dict[str, str] = {"machine": "author", "press": "editor"}
AT_WORK = {"draft", "unpublished", "retracted"}
OPEN = AT_WORK | {"published"}
ENDS = {"approve": "approved", "changes_wanted": "changes_wanted", "reject": "rejected"}


@dataclass(frozen=True)
class Act:
    """One thing that somebody does; `number` is a version, `review` counts from 0."""

    who: Who
    name: Name
    title: str = ""
    number: int | None = None
    review: int = 0
    decision: Verdict = "approve"
    has_seen: bool = True


@dataclass
class ReviewModel:
    """A review: of which version, and what came of it."""

    number: int
    submitted_by: str
    state: str = "open"


@dataclass
class Model:
    """An item, its versions, its reviews, and its open schedules to publish, in their order.

    Each of the `versions` has its title, whose it is, and who wrote it, as far as anybody knows.
    `retracted_at` is how often it had been published when it was retracted last, and `notes` are
    the versions that were corrections. `pinned` are the versions of the schedules, each with the
    review that it rests upon, and who made it.
    """

    versions: list[tuple[str, str, str | None]]
    standing: str = "draft"
    live: int | None = None
    publishes: int = 0
    retracted_at: int | None = None
    notes: list[int] = field(default_factory=list)
    reviews: list[ReviewModel] = field(default_factory=list)
    pinned: list[tuple[int, int | None, str]] = field(default_factory=list)

    @property
    def newest(self) -> int:
        """The number of the newest version."""
        return len(self.versions)

    @property
    def progress(self) -> str:
        """How far the newest version is."""
        if any(pin[0] == self.newest for pin in self.pinned):
            return "scheduled"
        last = self.reviews[-1] if self.reviews else None
        if last is None or last.state in ("rejected", "withdrawn", "voided"):
            return "draft"
        if last.state == "changes_wanted":
            return "changes_wanted"
        if last.number != self.newest:
            return "draft"
        return "in_review" if last.state == "open" else "approved"

    def act(self, act: Act) -> Outcome:
        """Do something, or say why not."""
        if act.name == "fire":
            return self._fire()
        if act.who == "colleague":
            return "hidden"
        is_theirs = bool(self.pinned) and self.pinned[0][2] == act.who
        if act.who not in MAY[RIGHT_OF[act.name]] and not (act.name == "cancel" and is_theirs):
            return "forbidden"
        outcome: Outcome = getattr(self, f"_{act.name}")(act)
        return outcome

    def after(self, *acts: Act) -> tuple["Model", list[Outcome]]:
        """Return another model, after some acts, and what came of each."""
        later = deepcopy(self)
        return later, [later.act(act) for act in acts]

    def _edit(self, act: Act) -> Outcome:
        title, _, origin = self.versions[-1]
        # Of what a key brings nobody knows who wrote it, whatever a person adds to it later.
        return self._save(
            act, act.title, origin if act.title == title or act.who not in PERSON_OF else None
        )

    def _restore(self, act: Act) -> Outcome:
        title, _, origin = self.versions[(act.number or 1) - 1]
        return self._save(act, title, origin)

    def _save(self, act: Act, title: str, origin: str | None) -> Outcome:
        if self.standing not in OPEN:
            return "refused"
        last_title, _, last_origin = self.versions[-1]
        if (title, origin) != (last_title, last_origin):
            self.versions.append((title, PERSON_OF.get(act.who, act.who), origin))
            self._void()
        return "done"

    def _void(self) -> None:
        for review in self.reviews:
            if review.state == "open":
                review.state = "voided"

    def _submit(self, act: Act) -> Outcome:
        if self.standing not in OPEN or self.progress not in ("draft", "changes_wanted"):
            return "refused"
        self.reviews.append(ReviewModel(self.newest, PERSON_OF.get(act.who, act.who)))
        return "done"

    def _withdraw(self, act: Act) -> Outcome:
        review = self.reviews[act.review]
        if self.standing not in OPEN or review.state not in ("open", "approved"):
            return "refused"
        if review.state == "approved" and act.who == "machine":
            return "forbidden"
        self._end(act.review, "withdrawn")
        return "done"

    def _decide(self, act: Act) -> Outcome:
        review = self.reviews[act.review]
        if not act.has_seen:
            return "stale"
        decided = {"open"} if act.decision == "approve" else {"open", "approved"}
        if self.standing not in OPEN or review.state not in decided:
            return "refused"
        own = self._is_own(act.who, review)
        if act.decision == "approve" and act.who in NEED_APPROVAL and own:
            return "forbidden"
        self._end(act.review, ENDS[act.decision])
        return "done"

    def _guest(self, act: Act) -> Outcome:
        """Let a guest decide, by a link that is made for it: only what who made it may approve."""
        review = self.reviews[act.review]
        if self.standing not in OPEN or review.state != "open":
            return "refused"
        if act.who in NEED_APPROVAL and self._is_own(act.who, review):
            return "forbidden"
        self._end(act.review, ENDS[act.decision])
        return "done"

    def _is_own(self, who: Who, review: ReviewModel) -> bool:
        return who in (review.submitted_by, self.versions[review.number - 1][1])

    def _end(self, index: int, state: str) -> None:
        if self.reviews[index].state == "approved":
            number = self.reviews[index].number
            self.pinned = [pin for pin in self.pinned if pin[1] is None or pin[0] != number]
        self.reviews[index].state = state

    def approval_of(self, number: int) -> int | None:
        """Return which review approves a version."""
        for index, review in enumerate(self.reviews):
            if review.number == number and review.state == "approved":
                return index
        return None

    def _publish(self, act: Act) -> Outcome:
        number = act.number or self.newest
        if self.standing not in OPEN:
            return "refused"
        if act.who in NEED_APPROVAL and self.approval_of(number) is None:
            return "forbidden"
        self._go_public(number)
        while self.pinned and self.pinned[0][0] <= number:
            del self.pinned[0]
        if number == self.newest:
            self._void()
        return "done"

    def _correct(self, act: Act) -> Outcome:
        if self.standing != "published":
            return "refused"
        outcome = self._publish(act)
        if outcome == "done":
            self.notes.append(self.live or 0)
        return outcome

    def _go_public(self, number: int) -> None:
        self.standing, self.live = "published", number
        self.publishes += 1

    def _schedule(self, act: Act) -> Outcome:
        number = act.number or self.newest
        approval = self.approval_of(number) if act.who in NEED_APPROVAL else None
        if self.standing not in OPEN:
            return "refused"
        if act.who in NEED_APPROVAL and approval is None:
            return "forbidden"
        if number == ([self.live] + [pin[0] for pin in self.pinned])[-1]:
            return "refused"
        self.pinned.append((number, approval, PERSON_OF.get(act.who, act.who)))
        return "done"

    def _cancel(self, _act: Act) -> Outcome:
        if not self.pinned:
            return "refused"
        left = [self.live] + [pin[0] for pin in self.pinned[1:]]
        now = [self.live] + [pin[0] for pin in self.pinned]
        # What was there twice in a row before is no worse for it.
        if len(left) > 1 and left[0] == left[1] and now[1] != now[2]:
            return "refused"
        del self.pinned[0]
        return "done"

    def _fire(self) -> Outcome:
        for number, _, _ in self.pinned:
            self._go_public(number)
            if number == self.newest:
                self._void()
        self.pinned = []
        return "done"

    def _unpublish(self, _act: Act) -> Outcome:
        if self.standing != "published":
            return "refused"
        self.standing, self.live, self.pinned = "unpublished", None, []
        return "done"

    def _retract(self, act: Act) -> Outcome:
        outcome = self._unpublish(act)
        if outcome == "done":
            self.standing, self.retracted_at = "retracted", self.publishes
        return outcome

    def _put_aside(self, place: str) -> Outcome:
        if self.standing not in AT_WORK or self.pinned:
            return "refused"
        self.standing = place
        return "done"

    def _take_back(self, place: str) -> Outcome:
        if self.standing != place:
            return "refused"
        self.standing = "unpublished" if self.publishes else "draft"
        if self.retracted_at == self.publishes:
            self.standing = "retracted"
        return "done"

    def _archive(self, _act: Act) -> Outcome:
        return self._put_aside("archived")

    def _unarchive(self, _act: Act) -> Outcome:
        return self._take_back("archived")

    def _trash(self, _act: Act) -> Outcome:
        return "done" if self.standing == "trashed" else self._put_aside("trashed")

    def _untrash(self, _act: Act) -> Outcome:
        return self._take_back("trashed")

    def moves(self, who: Who) -> Iterator[Move]:
        """Yield what somebody may do to the newest version and the newest review."""
        last = len(self.reviews) - 1
        acts: dict[Move, dict[str, Any]] = {
            Move.EDIT: {"name": "edit", "title": self.versions[-1][0]},
            Move.SUBMIT: {"name": "submit"},
            Move.WITHDRAW: {"name": "withdraw", "review": last},
            Move.APPROVE: {"name": "decide", "review": last},
            Move.REQUEST_CHANGES: {
                "name": "decide", "review": last, "decision": "changes_wanted"
            },
            Move.REJECT: {"name": "decide", "review": last, "decision": "reject"},
            # Whether it is of use at its place is asked of each alone.
            Move.SCHEDULE: {"name": "schedule"},
            Move.PUBLISH: {"name": "publish"},
            Move.CORRECT: {"name": "correct"},
            Move.UNPUBLISH: {"name": "unpublish"},
            Move.RETRACT: {"name": "retract"},
            Move.ARCHIVE: {"name": "archive"},
            Move.UNARCHIVE: {"name": "unarchive"},
            Move.TRASH: {"name": "trash"},
            Move.UNTRASH: {"name": "untrash"},
        }  # fmt: skip
        for move, act in acts.items():
            if "review" in act and last < 0:
                continue
            asked = deepcopy(self)
            if move is Move.SCHEDULE:
                asked.pinned, asked.live = [], None
            if move is Move.TRASH and self.standing == "trashed":
                continue
            if asked.act(Act(who, **act)) == "done":
                yield move
        if self.standing in OPEN and who in MAY["show"]:
            yield Move.PREVIEW
        if self.standing in OPEN and who in MAY["comment"]:
            yield Move.COMMENT
