"""Promises about pages with marked changes: they are safe, and both texts can be read off."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.kit.comparison.marked_html import INSERTED, REMOVED, mark_changes
from webapp.kit.rendering.excerpts import plain_text
from webapp.kit.rendering.sanitising import sanitise

WORDS = st.lists(
    st.sampled_from(["one", "two", "three", "R&amp;D", "a&lt;b"]), min_size=1, max_size=6
)
INLINE = st.builds(
    lambda words, tag: f"<{tag}>{' '.join(words)}</{tag}>" if tag else " ".join(words),
    WORDS,
    st.sampled_from(["", "b", "em", "code"]),
)
BLOCK = st.builds(
    lambda parts, wrap: wrap.format(" ".join(parts)),
    st.lists(INLINE, min_size=1, max_size=3),
    st.sampled_from(
        [
            "<p>{}</p>", "<h2>{}</h2>", "<ul><li>{}</li></ul>", "<blockquote>{}</blockquote>",
            "<table><tbody><tr><td>{}</td></tr></tbody></table>", "<pre><code>{}</code></pre>",
        ]
    ),
)  # fmt: skip
PAGE = st.lists(BLOCK, max_size=5).map(lambda blocks: sanitise("\n".join(blocks)))


def without(mark: str, page: str) -> str:
    """Take marks with all that they hold out of a page, and the other mark's tags."""
    name = mark[1:4]
    page = re.sub(
        rf"(?:<br>)?(?:<p>)?{re.escape(mark)}.*?</{name}>(?:</p>)?(?:<br>)?",
        " ",
        page,
        flags=re.DOTALL,
    )
    return re.sub(r"</?(?:ins|del)[^>]*>", "", page)


def words_of(page: str) -> list[str]:
    """Return what a reader reads, whatever the blanks."""
    return plain_text(page).split()


@given(PAGE, PAGE)
def test_both_pages_can_be_read_off_and_the_answer_is_as_safe_as_they_are(
    old: str, new: str
) -> None:
    marked, _ = mark_changes(old, new)

    assert words_of(without(REMOVED, marked)) == words_of(new)
    assert sorted(words_of(without(INSERTED, marked))) == sorted(words_of(old))
    plain = marked.replace(INSERTED, "<ins>").replace(REMOVED, "<del>")
    assert sanitise(plain) == plain


@given(PAGE)
def test_a_page_compared_with_itself_is_unchanged(page: str) -> None:
    marked, alignment = mark_changes(page, page)

    assert (marked, alignment.changes) == (page, [])


@pytest.mark.parametrize(
    ("old", "new", "marked"),
    [
        ("<p>The quick fox.</p>", "<p>The slow fox.</p>", "<p>The [-quick] [+slow] fox.</p>"),
        ("<p>One.</p><p>Two.</p><p>Three.</p>", "<p>One.</p><p>Three.</p>",
         "<p>One.<br>[-Two.]</p><p>Three.</p>"),
        ("<ul><li>a b</li></ul>", "<ul><li>a b</li><li>c</li></ul>",
         "<ul><li>a b</li><li>[+c]</li></ul>"),
        ("<p>bold</p>", "<p><b>bo</b>ld</p>", "<p><b>bo</b>ld</p>"),
        ("<p>x</p>", "<p>x <b>bo</b>ld</p>", "<p>x <b>[+bo]</b>[+ld]</p>"),
        ("<p>see <img src=\"a.png\" alt=\"\"></p>", "<p>see <img src=\"b.png\" alt=\"\"></p>",
         "<p>see [-<img src=\"a.png\" alt=\"\">] [+<img src=\"b.png\" alt=\"\">]</p>"),
        ("<p>all gone</p>", "", "<p>[-all gone]</p>"),
    ],
)  # fmt: skip
def test_changes_stand_where_a_reader_looks_for_them(old: str, new: str, marked: str) -> None:
    expected = re.sub(r"\[\+(.*?)\]", rf"{INSERTED}\1</ins>", marked)
    expected = re.sub(r"\[-(.*?)\]", rf"{REMOVED}\1</del>", expected)

    assert mark_changes(old, new)[0] == expected
