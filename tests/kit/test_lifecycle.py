"""The table of an item's life: every move from every place, written down once more by hand."""

from itertools import product
from typing import Any

import pytest

from webapp.kit.lifecycle import TABLE, Facts, Move, Progress, Standing, open_moves, refusal
from webapp.kit.permissions import PERMISSIONS_OF_ROLE
from webapp.kit.roles import RoleName

S, M = Standing, Move
ALWAYS = {M.EDIT, M.PREVIEW, M.COMMENT}
WORK = {*ALWAYS, M.SUBMIT, M.SCHEDULE, M.PUBLISH, M.ARCHIVE, M.TRASH}
OPEN = {
    S.DRAFT: WORK,
    S.UNPUBLISHED: WORK,
    S.RETRACTED: WORK,
    S.PUBLISHED: {
        *ALWAYS,
        M.SUBMIT,
        M.SCHEDULE,
        M.PUBLISH,
        M.CORRECT,
        M.UNPUBLISH,
        M.RETRACT,
    },
    S.ARCHIVED: {M.UNARCHIVE},
    S.TRASHED: {M.UNTRASH},
}


@pytest.mark.parametrize(("standing", "move"), list(product(Standing, Move)))
def test_a_move_is_open_where_it_should_be(standing: Standing, move: Move) -> None:
    assert (refusal(move, Facts(standing)) is None) == (move in OPEN[standing])


@pytest.mark.parametrize(("was_public", "place"), [(False, S.DRAFT), (True, S.UNPUBLISHED)])
def test_what_is_taken_back_stands_where_it_stood(was_public: bool, place: Standing) -> None:
    for move in (M.UNPUBLISH, M.UNARCHIVE, M.UNTRASH):
        (standing,) = TABLE[move].standings
        assert TABLE[move].leads_to(Facts(standing, was_public)) is place


def test_what_is_planned_is_not_put_aside_and_planned_a_hundred_times_at_most() -> None:
    for move in (M.TRASH, M.ARCHIVE):
        assert refusal(move, Facts(S.DRAFT, planned=(8, 7))) == (
            "The item has a schedule; cancel schedule 8 first."
        )
    assert refusal(M.SCHEDULE, Facts(S.DRAFT, planned=range(99))) is None
    assert refusal(M.SCHEDULE, Facts(S.DRAFT, planned=range(100))) is not None


def test_moves_are_those_of_the_caller() -> None:
    def moves(role: RoleName, is_own: bool, **facts: Any) -> set[Move]:
        asked = Facts(S.DRAFT, **facts)
        return set(open_moves(asked, is_own, PERMISSIONS_OF_ROLE[role].__contains__))

    assert moves(RoleName.READER, True) == set()
    # Authors see no items of others, so these are open to nobody who may not see the item.
    assert moves(RoleName.AUTHOR, False) == {M.PREVIEW, M.COMMENT}
    lacking = {M.PUBLISH: "No approval.", M.SCHEDULE: "No approval."}
    assert moves(RoleName.AUTHOR, True, personal_bars=lacking) == {
        *ALWAYS,
        M.SUBMIT,
        M.ARCHIVE,
        M.TRASH,
    }
    assert moves(RoleName.AUTHOR, True) == WORK
    assert moves(RoleName.EDITOR, False) == WORK
    in_review = {"review": "open", "progress": Progress.IN_REVIEW}
    assert moves(RoleName.AUTHOR, True, personal_bars=lacking, **in_review) == {
        *ALWAYS,
        M.WITHDRAW,
        M.ARCHIVE,
        M.TRASH,
    }
    assert moves(RoleName.EDITOR, False, **in_review) == (
        WORK - {M.SUBMIT} | {M.WITHDRAW, M.APPROVE, M.REQUEST_CHANGES, M.REJECT}
    )
    assert M.APPROVE not in moves(
        RoleName.EDITOR, False, personal_bars={M.APPROVE: "No."}, **in_review
    )


@pytest.mark.parametrize(
    ("review", "open_to_all"),
    [
        (None, set()),
        ("open", {M.WITHDRAW, M.APPROVE, M.REQUEST_CHANGES, M.REJECT}),
        ("approved", {M.WITHDRAW, M.REQUEST_CHANGES, M.REJECT}),
        ("changes_wanted", set()), ("rejected", set()), ("withdrawn", set()), ("voided", set()),
    ],
)  # fmt: skip
def test_a_review_is_decided_while_it_counts(review: str | None, open_to_all: set[Move]) -> None:
    asked = {M.WITHDRAW, M.APPROVE, M.REQUEST_CHANGES, M.REJECT}
    for standing in Standing:
        facts = Facts(standing, review=review)
        found = {move for move in asked if refusal(move, facts) is None}
        assert found == (open_to_all if standing not in (S.ARCHIVED, S.TRASHED) else set())


@pytest.mark.parametrize("progress", Progress)
def test_a_version_is_submitted_once(progress: Progress) -> None:
    again = progress in (Progress.DRAFT, Progress.CHANGES_WANTED)
    assert (refusal(M.SUBMIT, Facts(S.PUBLISHED, progress=progress)) is None) == again
