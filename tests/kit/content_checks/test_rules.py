"""Promises about the rules that come with Imprint: what each finds, and what it leaves alone."""

import pytest

from webapp.kit.content_checks.pages import Page
from webapp.kit.content_checks.rules import RULES, reading_minutes


def found(html: str = "<p>Text.</p>", **fields: str) -> list[tuple[str, str]]:
    """Return the names and places of all findings on a page."""
    page = Page(**{"title": "Title", "slug": "title", "excerpt": "", **fields, "html": html})
    return [(finding.rule, finding.place) for rule in RULES for finding in rule(page)]


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>Fine.</p><h2>Also</h2><h3>Fine</h3><h2>Up again</h2>", []),
        ('<p><img src="a.png"></p>', [("image.alt_missing", "a.png")]),
        ('<p><img src="a.png" alt=""> <img src="b.png" alt="A bee"></p>', []),
        ("<h3>Too deep</h3>", [("heading.level_skipped", "Too deep")]),
        ("<h2>One</h2><h4><em>Two</em> deep</h4>", [("heading.level_skipped", "Two deep")]),
        ("<p>x</p><h2></h2>", [("heading.empty", "")]),
        ('<h2><img src="a.png" alt="Logo"></h2>', []),
        ('<p><a href="/x">Click here!</a></p>', [("link.vague", "/x")]),
        ('<p><a href="/x"><img src="a.png" alt="Home"></a></p>', []),
        ("", [("body.empty", "")]),
    ],
)
def test_what_a_reader_would_stumble_over_is_found(
    html: str, expected: list[tuple[str, str]]
) -> None:
    assert found(html) == expected


def test_titles_and_excerpts_that_search_results_cut_are_found() -> None:
    assert found(title="T" * 60, excerpt="e" * 160) == []
    names = [rule for rule, _ in found(title="T" * 61, excerpt="e" * 161)]
    assert names == ["title.long", "excerpt.long"]


def test_reading_takes_whole_minutes() -> None:
    assert [reading_minutes(words) for words in (0, 238, 239, 2_380)] == [1, 1, 2, 10]
