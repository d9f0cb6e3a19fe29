"""Whatever editors do, in whatever order, the state of an item stays what the rules say."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Connection, Engine, RootTransaction, func, select
from sqlalchemy.orm import Session

from tests.factories import make_actor, make_content
from webapp.kit.clock import utc_now
from webapp.models import Content, ContentVersion, Event, Publication, Schedule
from webapp.services.content import content
from webapp.services.content.version_texts import digest_of
from webapp.services.errors import ConflictError, StaleRevisionError
from webapp.services.publishing import firing, handing_over, publishing, schedules
from webapp.services.publishing.schedules import SchedulePlan

TITLES = st.sampled_from(["Alpha", "Beta", "Gamma"])


@dataclass
class Model:
    """What the item should be, in plain values."""

    titles: list[str] = field(default_factory=list)
    status: str = "draft"
    public_version: int | None = None
    publishes: int = 0
    pinned: list[int] = field(default_factory=list)


class ContentMachine(RuleBasedStateMachine):
    """Editors at work on one item; every rule compares with the model."""

    engine: Engine

    @initialize(title=TITLES)
    def create(self, title: str) -> None:
        self.connection: Connection = self.engine.connect()
        self.transaction: RootTransaction = self.connection.begin()
        self.session = Session(
            self.connection, join_transaction_mode="create_savepoint", expire_on_commit=False
        )
        self.actor = make_actor(self.session)
        self.id = make_content(self.session, self.actor, title=title)
        self.model = Model(titles=[title])

    def teardown(self) -> None:
        if hasattr(self, "session"):
            self.session.close()
            self.transaction.rollback()
            self.connection.close()

    def attempt(self, allowed: bool, call: Any, *arguments: Any, **options: Any) -> None:
        """Call a service, which must be refused exactly when the rules say so."""
        if allowed:
            call(self.session, self.actor, *arguments, **options)
        else:
            with pytest.raises(ConflictError), self.session.begin_nested():
                call(self.session, self.actor, *arguments, **options)

    def revision(self) -> int:
        return self.session.scalars(select(Content.revision).where(Content.id == self.id)).one()

    @rule(title=TITLES)
    def edit(self, title: str) -> None:
        allowed = self.model.status != "trashed"
        self.attempt(allowed, content.edit, self.id, {self.revision()}, {"title": title})
        if allowed and title != self.model.titles[-1]:
            self.model.titles.append(title)

    @rule()
    def edit_what_has_changed(self) -> None:
        with pytest.raises(StaleRevisionError):
            content.edit(self.session, self.actor, self.id, {self.revision() + 1}, {"title": "x"})

    @rule(data=st.data())
    def restore(self, data: st.DataObject) -> None:
        number = data.draw(st.integers(1, len(self.model.titles)))
        allowed = self.model.status != "trashed"
        self.attempt(allowed, content.restore, self.id, None, number)
        if allowed and self.model.titles[number - 1] != self.model.titles[-1]:
            self.model.titles.append(self.model.titles[number - 1])

    @rule(data=st.data())
    def publish(self, data: st.DataObject) -> None:
        number = data.draw(st.integers(1, len(self.model.titles)))
        allowed = self.model.status != "trashed"
        self.attempt(allowed, publishing.publish, self.id, None, number=number)
        if allowed:
            self.goes_public(number)
            while self.model.pinned and self.model.pinned[0] <= number:
                del self.model.pinned[0]

    @rule()
    def unpublish(self) -> None:
        allowed = self.model.status == "published"
        self.attempt(allowed, publishing.unpublish, self.id, None)
        if allowed:
            self.model.status, self.model.public_version = "draft", None
            self.model.pinned = []

    @rule(data=st.data())
    def schedule(self, data: st.DataObject) -> None:
        number = data.draw(st.integers(1, len(self.model.titles)))
        planned = [self.model.public_version, *self.model.pinned]
        allowed = self.model.status != "trashed" and planned[-1] != number
        plan = SchedulePlan("publish", utc_now() - timedelta(seconds=1), number)
        self.attempt(allowed, schedules.create, self.id, None, plan)
        if allowed:
            self.model.pinned.append(number)

    @precondition(lambda self: self.model.pinned)
    @rule()
    def cancel(self) -> None:
        pending = select(Schedule.id).where(Schedule.state == "pending").order_by(Schedule.due_at)
        first = self.session.scalars(pending).first()
        live, (now, *later) = self.model.public_version, self.model.pinned
        # What would be left of the next one without it is what is there already.
        allowed = not later or later[0] != live or later[0] == now
        self.attempt(allowed, schedules.cancel, first, None)
        if allowed:
            self.model.pinned = later

    @rule(times=st.integers(1, 3))
    def let_the_moment_come(self, times: int) -> None:
        handing_over.hand_over_due(self.session)
        handed = select(Schedule.id).where(Schedule.state == "handed")
        ids = list(self.session.scalars(handed))
        for _ in range(times):
            firing.fire(self.session, ids, missed_after_seconds=1e9)
        if self.model.pinned:
            self.goes_public(self.model.pinned.pop(0))

    @rule()
    def trash(self) -> None:
        allowed = self.model.status != "published" and not self.model.pinned
        self.attempt(allowed, content.trash, self.id, None)
        if allowed:
            self.model.status = "trashed"

    @rule()
    def untrash(self) -> None:
        allowed = self.model.status == "trashed"
        self.attempt(allowed, content.untrash, self.id, None)
        if allowed:
            self.model.status = "draft"

    def goes_public(self, number: int) -> None:
        self.model.status, self.model.public_version = "published", number
        self.model.publishes += 1

    @invariant()
    def the_item_is_as_the_model_says(self) -> None:
        self.session.expire_all()
        item = self.session.get_one(Content, self.id)
        assert (item.status, item.version) == (self.model.status, len(self.model.titles))
        assert item.title == self.model.titles[-1]
        assert item.publish_sequence == self.model.publishes

    @invariant()
    def no_version_is_missing_or_changed(self) -> None:
        rows = self.session.scalars(
            select(ContentVersion)
            .where(ContentVersion.content_id == self.id)
            .order_by(ContentVersion.number)
        ).all()
        assert [row.title for row in rows] == self.model.titles
        assert [row.number for row in rows] == list(range(1, len(rows) + 1))
        assert all(digest_of(row, row.tags) == row.digest for row in rows)

    @invariant()
    def the_public_reads_the_version_that_was_released(self) -> None:
        public = self.session.get(Publication, self.id)
        if self.model.public_version is None:
            assert public is None
        else:
            assert public is not None
            assert public.document["title"] == self.model.titles[self.model.public_version - 1]

    @invariant()
    def each_release_is_one_event(self) -> None:
        counted = select(func.count()).select_from(Event).where(Event.content_id == self.id)
        assert self.session.scalar(counted) == self.model.publishes


def test_the_rules_hold_for_every_order_of_actions(shared_engine: Engine) -> None:
    machine = type("Machine", (ContentMachine,), {"engine": shared_engine})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=25,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
