"""Promises about comparisons: the changes lead from one row of words to the other, and are few."""

import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from webapp.kit.comparison import alignment
from webapp.kit.comparison.alignment import Alignment, align

FEW_WORDS = st.lists(st.sampled_from("abcd"), max_size=14)


def carried_out(old: list[str], new: list[str], found: Alignment) -> list[str]:
    """Return the old words after the changes."""
    words: list[str] = []
    at = 0
    for change in found.changes:
        words += old[at : change.old_start]
        assert len(words) == change.new_start
        words += new[change.new_start : change.new_end]
        at = change.old_end
    return words + old[at:]


def longest_common_length(old: list[str], new: list[str]) -> int:
    """Return it by the textbook's table."""
    row = [0] * (len(new) + 1)
    for word in old:
        above = row[:]
        for place, other in enumerate(new):
            row[place + 1] = (
                above[place] + 1 if word == other else max(row[place], above[place + 1])
            )
    return row[-1]


def kept(old: list[str], found: Alignment) -> int:
    """Return how many old words stay."""
    return len(old) - sum(change.old_end - change.old_start for change in found.changes)


@given(FEW_WORDS, FEW_WORDS)
@example([], [])
@example(["a"], [])
@example(list("abcabba"), list("cbabac"))
def test_the_changes_make_one_the_other_and_are_the_fewest(old: list[str], new: list[str]) -> None:
    found = align(old, new)

    assert carried_out(old, new, found) == new
    assert kept(old, found) == longest_common_length(old, new)
    assert found.is_exact


@given(st.randoms(use_true_random=False), st.integers(0, 40))
def test_texts_that_are_cut_lead_from_one_to_the_other(chance: random.Random, edits: int) -> None:
    """With tables of next to no size every text is cut wherever it can be."""
    old = [str(chance.randrange(30)) for _ in range(chance.randrange(300))]
    new = list(old)
    for _ in range(min(edits, len(new))):
        new[chance.randrange(len(new))] = str(chance.randrange(40))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(alignment, "SMALL_TABLE", 4)
        found = align(old, new)

    assert carried_out(old, new, found) == new


def test_of_twenty_thousand_words_those_that_changed_are_named_and_no_others() -> None:
    chance = random.Random(7)
    old = [f"word{int(3_000 * chance.random() ** 3)}" for _ in range(20_000)]
    new = list(old)
    places = sorted(chance.sample(range(20_000), 200))
    for place in places:
        new[place] = f"new{place}"

    found = align(old, new)

    named = [place for change in found.changes for place in range(change.new_start, change.new_end)]
    assert named == places
    assert found.is_exact


def test_what_is_too_long_and_too_uniform_is_said_to_be_shown_as_replaced() -> None:
    chance = random.Random(7)
    old, new = ([chance.choice("ab") for _ in range(15_000)] for _ in range(2))
    prose = [f"word{number}" for number in range(200)]

    found = align(prose + old, prose + new)

    assert not found.is_exact
    assert carried_out(prose + old, prose + new, found) == prose + new
    assert found.changes[0].old_start >= len(prose)


def test_texts_that_share_no_word_are_compared_exactly_however_long() -> None:
    old, new = ([f"{name}{number}" for number in range(30_000)] for name in "ab")

    found = align(old, new)

    assert found == Alignment([alignment.Change(0, 30_000, 0, 30_000)], is_exact=True)


def test_all_tables_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alignment, "SMALL_TABLE", 4)
    monkeypatch.setattr(alignment, "MOST_OF_ALL_TABLES", 50)
    old = [word for number in range(9) for word in (f"cut{number}", *"abab")]
    new = [word for number in range(9) for word in (f"cut{number}", *"babb")]

    found = align(old, new)

    assert not found.is_exact
    assert carried_out(old, new, found) == new
    assert kept(old, found) > 9, "what came before the bound is compared"
