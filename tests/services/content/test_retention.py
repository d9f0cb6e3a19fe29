"""Promises of the rule by which versions go: what it keeps is whole, and nothing else is asked."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.factories import make_actor
from tests.services.content.aged_versions import RULE, age, numbers_of, prune_all
from tests.services.content.versions_in_numbers import make_versions, seal_all, switch_on
from webapp.models import Base, Content, ContentVersion
from webapp.services.content import labels, sealing, version_checks, versions
from webapp.services.content.retention import KeepRule
from webapp.services.content.version_pins import PINS
from webapp.services.errors import PrunedVersionError

# Where a history lies: minutes, days and months apart.
gaps = st.lists(
    st.one_of(
        st.timedeltas(timedelta(seconds=1), timedelta(hours=3)),
        st.timedeltas(timedelta(hours=8), timedelta(days=9)),
        st.timedeltas(timedelta(days=20), timedelta(days=90)),
    ),
    min_size=3,
    max_size=160,
)


def kept_by_age(moments: Sequence[datetime], rule: KeepRule, now: datetime) -> set[int]:
    """Say which numbers a rule keeps by their age alone, as plainly as it can be said."""
    kept = {1, len(moments)}
    for number, moment in enumerate(moments, 1):
        age_of_it = now - moment
        later = moments[number:]
        is_last_of_day = moment.date() not in {one.date() for one in later}
        month = (moment.year, moment.month)
        is_last_of_month = month not in {(one.year, one.month) for one in later}
        if age_of_it <= timedelta(days=rule.all_days):
            kept.add(number)
        elif age_of_it <= timedelta(days=rule.daily_days):
            kept |= {number} if is_last_of_day else set()
        else:
            kept |= {number} if is_last_of_month else set()
    return kept


@pytest.mark.long
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25
)
@given(gaps=gaps, is_packed=st.booleans(), data=st.data())
def test_whatever_the_history_what_is_kept_is_what_the_rule_says_and_reads_as_it_was_saved(
    session: Session, gaps: list[timedelta], is_packed: bool, data: st.DataObject
) -> None:
    with session.begin_nested() as savepoint:
        if is_packed:
            switch_on(session)
        actor = make_actor(session)
        content_id, bodies = make_versions(session, len(gaps), actor=actor, words=12)
        seal_all(session, content_id)
        now = datetime.now(UTC)
        ages = [sum(gaps[place:], timedelta(hours=1)) for place in range(len(gaps))]
        age(session, content_id, ages)
        named = data.draw(st.sets(st.integers(1, len(gaps)), max_size=3))
        for number in named:
            labels.add(session, actor, content_id, number, f"name {number}")
        moments = [now - one for one in ages]
        # Hypothesis may come within a second of a border; the next version then decides.
        prune_all(session)
        kept = numbers_of(session, content_id)
        assert set(kept) == kept_by_age(moments, RULE, now) | named
        assert prune_all(session)[0].versions == {}, "a second time there is nothing to do"
        for number in kept:
            assert versions.get_version(session, content_id, number).body == bodies[number - 1]
        checked = version_checks.check_next(session, 0)
        assert checked is not None
        assert checked.damaged == []
        _refuse_the_pruned(session, content_id, set(range(1, len(gaps) + 1)) - set(kept))
        savepoint.rollback()


def _refuse_the_pruned(session: Session, content_id: int, gone: set[int]) -> None:
    for number in gone:
        with pytest.raises(PrunedVersionError):
            versions.get_version(session, content_id, number)
    listed = versions.list_versions(session, content_id, below=None, limit=200)
    assert sum(line.pruned_before for line in listed) == len(gone)
    assert session.get_one(Content, content_id).version == listed[0].number


def test_every_key_to_a_version_is_a_pin_or_goes_with_it() -> None:
    """What else names a version has to say in `version_pins` whether it keeps it."""
    named = " ".join(pin.statement for pin in PINS)
    versions_table = ContentVersion.__table__
    for table in Base.metadata.tables.values():
        for key in table.foreign_keys:
            if key.column.table is versions_table and table.name not in {
                "renderings",  # They are made again where they are wanted.
                "content_versions",  # What hangs on one is packed anew.
            }:
                assert f" {table.name} AS pin" in named, f"{table.name}: say whether it keeps them"


def test_nothing_goes_where_nothing_is_set(session: Session) -> None:
    content_id, _ = make_versions(session, 5, words=5)
    seal_all(session, content_id)
    age(session, content_id, [timedelta(days=900, minutes=-n) for n in range(5)])
    (pruning,) = prune_all(session, KeepRule(0, 365))
    assert (pruning.versions, pruning.following) == ({}, None)
    assert len(session.scalars(select(ContentVersion.id)).all()) == 5


def test_what_is_not_sealed_yet_stays_and_what_is_before_it(session: Session) -> None:
    content_id, _ = make_versions(session, 6, words=5)
    ids = session.scalars(select(ContentVersion.id).order_by(ContentVersion.number)).all()
    sealing.seal_versions(session, [ids[0], ids[1], ids[2], ids[4], ids[5]], seconds=60)
    age(session, content_id, [timedelta(days=60, minutes=-n) for n in range(6)])
    prune_all(session)
    assert numbers_of(session, content_id) == [1, 3, 4, 6]
