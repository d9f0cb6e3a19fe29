"""Promises about lines that are found again: the nearest of those that begin alike."""

import pytest

from webapp.kit.line_places import QUOTE_LIMIT, LinePlaces, quote_of

BODY = "one\r\ntwo\n\ntwo\nthree"


def test_a_line_is_quoted_as_it_is_without_its_end() -> None:
    assert [quote_of(BODY, line) for line in range(1, 7)] == [
        "one",
        "two",
        "",
        "two",
        "three",
        None,
    ]
    assert quote_of("", 1) == ""


@pytest.mark.parametrize(
    ("body", "quote", "line", "found"),
    [
        (BODY, "two", 1, 2),
        (BODY, "two", 3, 2),
        (BODY, "two", 4, 4),
        (BODY, "two", 9, 4),
        (BODY, "", 1, 3),
        (BODY, "one", 4, 1),
        (BODY, "two ", 2, None),
        ("", "one", 1, None),
    ],
)
def test_the_nearest_place_of_a_line_is_found(
    body: str, quote: str, line: int, found: int | None
) -> None:
    assert LinePlaces(body, [quote, "three"]).nearest(quote, line) == found


def test_long_lines_are_compared_by_how_they_begin() -> None:
    long = "x" * QUOTE_LIMIT
    quote = quote_of(f"{long}tail", 1)
    assert quote == long
    assert LinePlaces(f"new\n{long}other", [quote]).nearest(quote, 1) == 2
