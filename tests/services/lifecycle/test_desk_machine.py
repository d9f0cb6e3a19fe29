"""Whoever does whatever at the editor's desk, also two at once: it is what the rules say.

Each step is one act, or two at once in transactions of their own; what then came of them, and what
is in the tables, has to be what one of the two orders makes of the model.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from threading import Barrier
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import make_actor, make_content
from tests.services.lifecycle.desk_model import Act, Model, Outcome, ReviewModel, Who
from tests.services.lifecycle.desk_wishes import WISHES, Wish
from webapp.kit.clock import utc_now
from webapp.kit.permissions import Scope, permissions_of_scopes
from webapp.kit.review_policy import ReviewPolicy
from webapp.kit.roles import RoleName
from webapp.models import (
    Content,
    ContentVersion,
    Correction,
    Event,
    Publication,
    Retraction,
    Review,
    Schedule,
)
from webapp.services.accounts.actors import Actor
from webapp.services.content import content, lifecycle
from webapp.services.content.version_texts import digest_of
from webapp.services.errors import (
    ConflictError,
    ForbiddenError,
    NotFoundError,
    StaleRevisionError,
)
from webapp.services.publishing import (
    firing,
    guest_reviews,
    publishing,
    review_links,
    reviews,
    schedules,
)
from webapp.services.publishing.corrections import correct
from webapp.services.publishing.retractions import retract
from webapp.services.publishing.review_links import Guest
from webapp.services.publishing.reviews import Decision
from webapp.services.publishing.schedules import SchedulePlan

# In two halves, so that two processes share them: 5,000 steps in all.
HALVES, STEPS_OF_A_HALF, STEPS_OF_AN_ITEM = 2, 2_500, 50
SETTINGS = settings(
    max_examples=10,
    stateful_step_count=STEPS_OF_AN_ITEM,
    deadline=None,
    # What races does not shrink.
    phases=[Phase.generate],
    database=None,
    suppress_health_check=list(HealthCheck),
)
OUTCOMES: dict[type[Exception], Outcome] = {
    NotFoundError: "hidden",
    ForbiddenError: "forbidden",
    StaleRevisionError: "stale",
    ConflictError: "refused",
}
MOVED: dict[str, Callable[..., None]] = {
    "unpublish": publishing.unpublish,
    "retract": partial(retract, reason="It was wrong."),
    "archive": content.archive,
    "unarchive": content.unarchive,
    "trash": content.trash,
    "untrash": content.untrash,
}
PUBLISHED: dict[str, Callable[..., None]] = {
    "publish": publishing.publish,
    "correct": partial(correct, note="It was another.", notify=True),
}


@dataclass
class Desk:
    """The people, the item, and the doing of what the model only says."""

    sessions: sessionmaker[Session]
    actors: dict[Who, Actor]
    item: int
    pool: ThreadPoolExecutor

    def do(self, act: Act) -> Outcome:
        """Do something in a transaction of its own."""
        if act.name == "fire":
            self._hand_over()
        try:
            with self.sessions.begin() as session:
                self._do(session, act)
        except tuple(OUTCOMES) as error:
            return next(said for kind, said in OUTCOMES.items() if isinstance(error, kind))
        return "done"

    def at_once(self, acts: tuple[Act, Act]) -> list[Outcome]:
        """Do two things, none of which begins before the other may."""
        ready = Barrier(2)

        def begin(act: Act) -> Outcome:
            ready.wait()
            return self.do(act)

        return list(self.pool.map(begin, acts))

    def _do(self, session: Session, act: Act) -> None:
        actor, item = self.actors[act.who], self.item
        if act.name in MOVED:
            MOVED[act.name](session, actor, item, None)
        elif act.name == "edit":
            content.edit(session, actor, item, None, {"title": act.title})
        elif act.name == "restore":
            content.restore(session, actor, item, None, act.number or 1)
        elif act.name == "submit":
            reviews.submit(session, actor, item, None)
        elif act.name == "withdraw":
            reviews.withdraw(session, actor, item, self._review(session, act).id, None)
        elif act.name in ("decide", "guest"):
            self._decide(session, actor, act)
        elif act.name in PUBLISHED:
            PUBLISHED[act.name](session, actor, item, None, number=act.number)
        elif act.name == "schedule":
            plan = SchedulePlan("publish", utc_now(), act.number)
            schedules.create(session, actor, item, None, plan)
        elif act.name == "cancel":
            self._cancel(session, actor)
        else:
            self._fire(session)

    def _ask_guest(self, session: Session, actor: Actor, act: Act) -> None:
        review = self._review(session, act)
        guest = Guest("Ada", step="review")
        _, token = review_links.make(
            session, actor, self.item, review.id, guest, hours=None, most_hours=720
        )
        guest_reviews.answer(session, token or "", act.decision, "", actor.review_policy)

    def _review(self, session: Session, act: Act) -> Review:
        of_item = select(Review).where(Review.content_id == self.item).order_by(Review.id)
        return session.scalars(of_item.offset(act.review).limit(1)).one()

    def _decide(self, session: Session, actor: Actor, act: Act) -> None:
        if act.name == "guest":
            self._ask_guest(session, actor, act)
            return
        review = self._review(session, act)
        seen = review.digest if act.has_seen else bytes(32)
        decision = Decision(act.decision, digest=seen)
        reviews.decide(session, actor, self.item, review.id, decision)

    def _open_schedule(self, session: Session) -> int | None:
        return next(iter(self._open_schedules(session)), None)

    def _open_schedules(self, session: Session) -> list[int]:
        is_open = Schedule.state.in_(["pending", "handed"])
        planned = select(Schedule.id).where(Schedule.content_id == self.item, is_open)
        return list(session.scalars(planned.order_by(Schedule.due_at)))

    def _cancel(self, session: Session, actor: Actor) -> None:
        schedule_id = self._open_schedule(session)
        if schedule_id is not None:
            schedules.cancel(session, actor, schedule_id, None)
        elif actor.role is RoleName.AUTHOR:
            # There is nothing to ask for; whom it would be hidden from, or forbidden, stays so.
            content.get(session, actor, self.item)
            raise ForbiddenError
        else:
            raise ConflictError

    def _hand_over(self) -> None:
        """Do what the dispatcher does, in its own transaction: it locks no item."""
        with self.sessions.begin() as session:
            waiting = update(Schedule).where(
                Schedule.content_id == self.item, Schedule.state == "pending"
            )
            session.execute(waiting.values(state="handed"))

    def _fire(self, session: Session) -> None:
        for schedule_id in self._open_schedules(session):
            firing.fire(session, [schedule_id], missed_after_seconds=1e9)

    def look(self) -> dict[str, Any]:
        """Return what is in the tables, in the words of the model; fails for a broken version."""
        with self.sessions() as session:
            item = session.get_one(Content, self.item)
            of_item = select(ContentVersion).where(ContentVersion.content_id == self.item)
            rows = session.scalars(of_item.order_by(ContentVersion.number)).all()
            assert [row.number for row in rows] == list(range(1, item.version + 1))
            assert all(digest_of(row, row.tags) == row.digest for row in rows)
            assert (item.title, item.title) == (rows[-1].title, rows[-1].title)
            names = {actor.user_id: who for who, actor in self.actors.items() if who in PEOPLE}
            numbers = {row.id: row.number for row in rows}
            public = session.get(Publication, self.item)
            asked = select(Review).where(Review.content_id == self.item).order_by(Review.id)
            pinned = [session.get_one(Schedule, one) for one in self._open_schedules(session)]
            noted = select(Correction.number).where(Correction.content_id == self.item)
            noted = noted.order_by(Correction.sequence)
            stubs = select(Retraction.sequence).where(
                Retraction.content_id == self.item, Retraction.sequence == item.retracted_sequence
            )
            told = select(func.count()).select_from(Event).where(Event.content_id == self.item)
            if public is not None:
                assert public.document["title"] == rows[numbers[public.version_id] - 1].title
            return {
                "versions": [(row.title, names[row.author_id or 0], row.origin) for row in rows],
                "standing": lifecycle.standing_of(item).value,
                "live": None if public is None else numbers[public.version_id],
                "retracted_at": item.retracted_sequence,
                "notes": list(session.scalars(noted)),
                "stubs": sorted(set(session.scalars(stubs))),
                "publishes": (item.publish_sequence, session.scalar(told)),
                "reviews": [
                    ReviewModel(row.number, names[row.submitted_by_id or 0], row.state)
                    for row in session.scalars(asked)
                ],
                "pinned": [numbers[one.version_id or 0] for one in pinned],
            }

    def moves(self, who: Who) -> tuple[str, set[str]] | None:
        """Return how far the newest version is, and what somebody is told that they may do."""
        with self.sessions() as session:
            actor = self.actors[who]
            try:
                item = content.get(session, actor, self.item).content
            except NotFoundError:
                return None
            facts = lifecycle.facts_of(session, actor, item)
            return facts.progress.value, set(lifecycle.moves_of(actor, item, facts))


PEOPLE: tuple[Who, ...] = ("author", "colleague", "editor", "bound")
EVERYBODY: tuple[Who, ...] = (*PEOPLE, "machine", "press")


def people(session: Session) -> dict[Who, Actor]:
    """Make everybody who comes to the desk."""
    author, colleague = (make_actor(session, RoleName.AUTHOR) for _ in range(2))
    editor, bound = (make_actor(session, RoleName.EDITOR) for _ in range(2))
    strict = ReviewPolicy(roles_that_need_one=frozenset({RoleName.EDITOR}))

    def key(owner: Actor, *scopes: Scope) -> Actor:
        return replace(owner, api_key_id=1, key_permissions=permissions_of_scopes(scopes))

    return {
        "author": author,
        "colleague": colleague,
        "editor": editor,
        "bound": replace(bound, review_policy=strict),
        "machine": key(author, Scope.PROPOSE),
        "press": key(editor, Scope.PUBLISH, Scope.SEND),
    }


def words_of(model: Model) -> dict[str, Any]:
    """Return what the tables should hold, in the words of `Desk.look`."""
    return {
        "versions": model.versions,
        "standing": model.standing,
        "live": model.live,
        "retracted_at": model.retracted_at,
        "notes": model.notes,
        "stubs": [] if model.retracted_at is None else [model.retracted_at],
        "publishes": (model.publishes, model.publishes),
        "reviews": model.reviews,
        "pinned": [pin[0] for pin in model.pinned],
    }


class DeskMachine(RuleBasedStateMachine):
    """One item, and all who may come to it."""

    sessions: sessionmaker[Session]
    actors: dict[Who, Actor]
    pool: ThreadPoolExecutor
    steps: list[str]
    numbers: Iterator[int]

    @initialize()
    def begin(self) -> None:
        with self.sessions.begin() as session:
            slug = f"desk-{next(self.numbers)}"
            item = make_content(session, self.actors["author"], title="Alpha", slug=slug)
        self.desk = Desk(self.sessions, self.actors, item, self.pool)
        self.model = Model([("Alpha", "author", "human")])

    @rule(wish=WISHES)
    def one_acts(self, wish: Wish) -> None:
        act = wish.on(self.model)
        outcome = self.desk.do(act)
        self.model, (expected,) = self.model.after(act)
        assert outcome == expected
        self.compare(act.who)

    @rule(wish=WISHES, other=WISHES)
    def two_act_at_once(self, wish: Wish, other: Wish) -> None:
        first, second = wish.on(self.model), other.on(self.model)
        outcomes = self.desk.at_once((first, second))
        found = self.desk.look()
        one_way, said = self.model.after(first, second)
        other_way, said_other = self.model.after(second, first)
        orders = [(one_way, said), (other_way, said_other[::-1])]
        fits = [model for model, said in orders if (words_of(model), said) == (found, outcomes)]
        assert fits, (first, second, outcomes, found, [(words_of(m), s) for m, s in orders])
        self.model = fits[0]
        self.compare(second.who)

    def compare(self, who: Who) -> None:
        """Hold the tables, and what somebody is told, against the model."""
        self.steps.append(who)
        assert self.desk.look() == words_of(self.model)
        told = self.desk.moves(who)
        if who == "colleague":
            assert told is None
        else:
            assert told == (self.model.progress, set(self.model.moves(who)))


@pytest.mark.long
@pytest.mark.parametrize("_half", range(HALVES))
def test_the_desk_keeps_its_rules_whatever_is_done_and_by_two_at_once(
    sessions: sessionmaker[Session], _half: int
) -> None:
    steps: list[str] = []
    numbers = count(1)
    with sessions.begin() as session:
        actors = people(session)
    with ThreadPoolExecutor(2) as pool:
        parts = {
            "sessions": sessions,
            "actors": actors,
            "pool": pool,
            "steps": steps,
            "numbers": numbers,
        }
        machine = type("Machine", (DeskMachine,), parts)
        while len(steps) < STEPS_OF_A_HALF:
            run_state_machine_as_test(machine, settings=SETTINGS)
