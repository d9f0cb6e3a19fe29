"""Promises about what a word is: a comparison parts none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.kit.comparison.words import split_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Jean-Luc's e-mail, naïve.", ["Jean-Luc's ", "e-mail", ", ", "naïve", "."]),
        ("pages 5-7: 3.14 €", ["pages ", "5-7", ": ", "3.14 ", "€"]),
        ("The end.\n\nNext  one", ["The ", "end", ".\n\n", "Next  ", "one"]),
        ("नमस्ते दुनिया", ["नमस्ते ", "दुनिया"]),
        ("nai\u0308ve cafe\u0301", ["nai\u0308ve ", "cafe\u0301"]),
        ("漢字かな mixed", ["漢", "字", "か", "な ", "mixed"]),
        ("a 👩‍👩‍👧 b", ["a ", "👩‍👩‍👧 ", "b"]),
        ("  indented", ["  ", "indented"]),
    ],
)
def test_words_are_what_readers_take_for_words(text: str, words: list[str]) -> None:
    assert split_words(text) == words


@given(st.text(max_size=60))
def test_the_words_in_a_row_are_the_text(text: str) -> None:
    assert "".join(split_words(text)) == text
