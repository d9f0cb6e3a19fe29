"""Promises about merges: both people's changes are in, and where they meet it is said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.kit.comparison.merging import Conflict, merge_texts

TEXTS = st.lists(st.sampled_from(["a ", "b ", "c ", "d.\n", "e"]), max_size=9).map("".join)


@pytest.mark.parametrize(
    ("base", "mine", "theirs", "merged"),
    [
        ("One two three.", "One 2 three.", "One two three. Four.", "One 2 three. Four."),
        ("a b c d e", "a b d e", "a b c d E", "a b d E"),
        ("a b c", "a x c", "a x c", "a x c"),
        ("", "new", "", "new"),
    ],
)
def test_changes_that_do_not_meet_are_both_taken(
    base: str, mine: str, theirs: str, merged: str
) -> None:
    found = merge_texts(base, mine, theirs)

    assert (found.text, found.conflicts) == (merged, ())


@pytest.mark.parametrize(
    ("base", "mine", "theirs", "conflict"),
    [
        ("a b c", "a x c", "a y c", Conflict("b ", "x ", "y ")),
        ("a b c d", "a c d", "a b x d", Conflict("b c ", "c ", "b x ")),
        ("a", "a b", "a c", Conflict("a", "a b", "a c")),
    ],
)
def test_changes_that_meet_are_named_and_theirs_stays(
    base: str, mine: str, theirs: str, conflict: Conflict
) -> None:
    found = merge_texts(base, mine, theirs)

    assert found.conflicts == (conflict,)
    assert found.text == theirs


@given(TEXTS, TEXTS)
def test_who_changed_nothing_has_nothing_to_say(base: str, changed: str) -> None:
    assert merge_texts(base, changed, base).text == changed
    assert merge_texts(base, base, changed).text == changed
    assert not merge_texts(base, changed, base).conflicts


@given(TEXTS, TEXTS, TEXTS)
def test_without_conflict_it_is_the_same_from_either_side(
    base: str, mine: str, theirs: str
) -> None:
    one, other = merge_texts(base, mine, theirs), merge_texts(base, theirs, mine)

    assert len(one.conflicts) == len(other.conflicts)
    if not one.conflicts:
        assert one.text == other.text
