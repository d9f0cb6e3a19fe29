"""The timeline of an item: what can happen at its place, what rests on what, what is overtaken."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.kit.lifecycle import Facts, Standing
from webapp.kit.timelines import (
    Action,
    Place,
    first_objection,
    in_order,
    overtaken,
    problems,
    resting_upon,
)

START = datetime(2031, 1, 1, tzinfo=UTC)
DRAFT = Place(Facts(Standing.DRAFT), None)


def timeline(*plan: int | str) -> list[Action]:
    """Return actions an hour apart: a number publishes that version."""
    return [
        Action(
            kind="publish" if isinstance(what, int) else what,  # type: ignore[arg-type]
            due_at=START + timedelta(hours=hour),
            number=what if isinstance(what, int) else None,
            id=hour + 1,
        )
        for hour, what in enumerate(plan)
    ]


def public(number: int) -> Place:
    """Return the place of an item that shows a version."""
    return Place(Facts(Standing.PUBLISHED, was_public=True), number)


def amiss(start: Place, *plan: int | str) -> list[int | None]:
    """Return the ids of what could not happen."""
    return [action.id for action in in_order(problems(start, timeline(*plan)))]


@pytest.mark.parametrize(
    ("start", "plan", "expected"),
    [
        (DRAFT, [12, 15, 9, "unpublish", "archive"], []),
        (DRAFT, ["unpublish"], [1]),
        (DRAFT, ["archive"], []),
        (DRAFT, ["archive", 3], [2]),
        (DRAFT, ["archive", "archive"], [2]),
        (DRAFT, [3, "archive"], [2]),
        (DRAFT, [3, "unpublish", "unpublish"], [3]),
        (DRAFT, [3, "unpublish", 3], []),
        (DRAFT, [3, 3], [2]),
        (DRAFT, [3, 3, 4], [2]),
        (public(3), [3], [1]),
        (public(3), [4, 3], []),
        (public(3), ["unpublish", "archive"], []),
        (public(3), ["archive"], [1]),
        (Place(Facts(Standing.RETRACTED, True, True), None), ["archive"], []),
        (Place(Facts(Standing.RETRACTED, True, True), None), [3, "unpublish", 3], []),
        (Place(Facts(Standing.TRASHED), None), [3, "archive"], [1, 2]),
    ],
)
def test_an_action_can_happen_at_its_place_or_is_named(
    start: Place, plan: Sequence[int | str], expected: list[int]
) -> None:
    assert amiss(start, *plan) == expected


def test_a_refusal_names_the_other_action_and_its_moment() -> None:
    before = timeline(3, "unpublish", "archive")
    added = Action("publish", START + timedelta(hours=9), 4)
    assert first_objection(DRAFT, before, [*before, added]) == (
        "A schedule to publish version 4 at 2031-01-01T09:00:00Z would come to nothing: the item is"
        " in the archive then since schedule 3 to archive at 2031-01-01T02:00:00Z."
    )


def test_what_an_action_does_to_a_later_one_is_an_objection_to_it() -> None:
    before = timeline(3, "unpublish")
    early = Action("unpublish", START + timedelta(minutes=30))
    objection = first_objection(DRAFT, before, [*before, early])
    assert objection is not None
    assert objection.startswith("Schedule 2 to unpublish")
    assert "since a schedule to unpublish at 2031-01-01T00:30:00Z" in objection


def test_at_one_moment_one_thing_happens() -> None:
    before = timeline(3)
    added = Action("unpublish", START)
    objection = first_objection(DRAFT, before, [*before, added])
    assert objection is not None
    assert "and then comes schedule 1 to publish version 3 at 2031-01-01T00:00:00Z" in objection


def test_what_was_amiss_before_is_no_objection_unless_it_changes() -> None:
    before = timeline("unpublish", 3)
    added = Action("publish", START + timedelta(hours=5), 4)
    assert first_objection(DRAFT, before, [*before, added]) is None
    moved = Action("unpublish", START + timedelta(minutes=1), None, 1)
    assert first_objection(DRAFT, before, [moved, before[1]]) is not None


def test_what_waits_for_a_decision_is_not_counted_on_and_keeps_its_moment() -> None:
    waiting = Action("publish", START, 3, 1, is_waiting=True)
    end = Action("unpublish", START + timedelta(hours=1), None, 2)
    assert set(problems(DRAFT, [waiting, end])) == {end}
    same = Action("archive", START, None, 3)
    assert set(problems(DRAFT, [waiting, same])) == {same}


@pytest.mark.parametrize(
    ("plan", "gone", "fallen"),
    [
        ([3, "unpublish"], 0, [2]),
        ([3, 4, "unpublish"], 0, []),
        ([3, 4, 3], 1, [3]),
        ([3, "unpublish", 3, "unpublish"], 1, [3]),
        ([3, "unpublish", "archive"], 0, [2]),
        ([3, "unpublish", "archive"], 1, [3]),
    ],
)
def test_what_rests_upon_an_action_is_known(plan: list[Any], gone: int, fallen: list[int]) -> None:
    actions = timeline(*plan)
    assert [one.id for one in resting_upon(DRAFT, actions, actions[gone])] == fallen


@pytest.mark.parametrize(
    ("plan", "published", "ended"),
    [
        ([12, 15, 9], 16, [1, 2, 3]),
        ([12, 15, 9], 13, [1]),
        ([12, 15, 9], 15, [1, 2, 3]),
        ([12, "unpublish", 9], 12, [1, 3]),
        ([15, 9], 10, []),
        (["unpublish", "archive"], 3, []),
    ],
)
def test_a_publication_by_hand_ends_what_would_undo_it(
    plan: list[Any], published: int, ended: list[int]
) -> None:
    assert [one.id for one in overtaken(timeline(*plan), published)] == ended


PLANS = st.lists(st.one_of(st.integers(1, 3), st.sampled_from(["unpublish", "archive"])))


@given(PLANS, st.sampled_from([DRAFT, public(2)]), st.randoms())
def test_what_is_left_without_the_impossible_is_possible(
    plan: list[Any], start: Place, random: Any
) -> None:
    actions = timeline(*plan)
    random.shuffle(actions)
    found = problems(start, actions)
    assert problems(start, [one for one in actions if one not in found]) == {}
    for gone in actions:
        fallen = resting_upon(start, actions, gone)
        left = [one for one in actions if one != gone and one not in fallen]
        assert problems(start, left).keys() <= found.keys()
