"""Promises of what is shown of a hit: nothing but text and marks, whatever the text says."""

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.kit.search import highlights
from webapp.kit.search.highlights import READ_CLOSELY, Highlighter
from webapp.kit.search.queries import NoQueryError, read_query
from webapp.kit.search.words import Piece, read_pieces

MARKUP = ["<script>", "</mark>", "<mark>", '"onload="', "&lt;", "&", "'", "<b", "harbour", "日本", "naïve"]  # fmt: skip  # noqa: E501
TEXTS = st.lists(st.one_of(st.sampled_from(MARKUP), st.text()), max_size=30).map(" ".join)


@given(
    TEXTS, st.one_of(st.sampled_from(["harbour", "naive", "日本", "lt", "b*", "mark"]), st.text())
)
def test_a_highlight_is_the_text_with_marks_and_nothing_else(text: str, typed: str) -> None:
    try:
        query = read_query(typed[:400])
    except NoQueryError:
        return
    highlighter = Highlighter(query, {})
    for shown in (highlighter.mark(text), highlighter.snippet(text) or "",
                  highlighter.opening(text)):  # fmt: skip
        plain = re.sub(r"</?mark>", "", shown)
        assert not re.search(r"[<>\"']", plain)
        assert re.fullmatch(r"(?:[^<]|<mark>[^<]*</mark>)*", shown, re.DOTALL)
    assert unescape(re.sub(r"</?mark>", "", highlighter.mark(text))) == text


@pytest.mark.parametrize(
    ("typed", "text", "shown"),
    [
        ("naive", "A naïve one", "A <mark>naïve</mark> one"),
        ("email", "an e-mail", "an <mark>e-mail</mark>"),
        ("C++", "in C++ and C", "in <mark>C++</mark> and <mark>C</mark>"),
        ("日本語", "古い日本語だ", "古い<mark>日本語</mark>だ"),
        ("harb*", "Harbours!", "<mark>Harbours</mark>!"),
        ("red -blue", "red and blue", "<mark>red</mark> and blue"),
    ],
)
def test_what_was_looked_for_is_marked(typed: str, text: str, shown: str) -> None:
    assert Highlighter(read_query(typed), {}).mark(text) == shown


def test_a_stem_marks_the_words_that_are_made_of_it() -> None:
    highlighter = Highlighter(read_query("library"), {"library": ["=enlibrari"]})
    assert highlighter.mark("libraries and librettos") == "<mark>libraries</mark> and librettos"


def test_a_snippet_shows_where_most_of_it_is() -> None:
    text = "red " + "and so on " * 60 + "a red harbour " + "and so on " * 60
    snippet = Highlighter(read_query("harbour red"), {}).snippet(text)
    assert snippet is not None
    assert "<mark>red</mark> <mark>harbour</mark>" in snippet
    assert len(snippet) < 300


def test_what_is_near_the_first_word_lies_outside_of_tags() -> None:
    page = "<p>other text</p>" * 100 + "<p>the <b>harbour</b></p>" + "<p>more of it</p>" * 100
    near = Highlighter(read_query("harbour"), {}).near(page, 300)
    assert "<b>harbour</b>" in near
    assert len(near) < 500
    assert not near.startswith((">", "p>", "/"))
    assert near.rfind("<") < near.rfind(">")


@given(st.text(alphabet="abAB -'.+#_9é", max_size=60))
def test_what_is_plain_to_see_is_marked_as_by_reading_it(text: str) -> None:
    highlighter = Highlighter(read_query("ab b* a9"), {})
    read = highlighter.mark(text + " é").removesuffix(" é")
    assert highlighter.mark(text + " e").removesuffix(" e") == read


@given(st.text(alphabet="abcABC -_9+", max_size=60))
def test_in_ascii_the_same_is_plain_to_see_as_in_any_script(text: str) -> None:
    highlighter = Highlighter(read_query("ab abc b* a9c"), {"abc": ["=enabcabc"]})
    in_any_script = [hit.span() for hit in highlighter._quick.finditer(text)]
    assert [hit.span() for hit in highlighter._plain_to_see(text)] == in_any_script


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("大阪", "古い大阪の町だ"), ("uber", "Nun Über allem"), ("über", "Nun uber allem"),
        ("uber", "Nun U\u0308ber allem"), ("strasse", "Die Straße hier"), ("ΑΘΗΝΑ", "Η Αθήνα εδώ"),
        ("еще", "Вот ещё раз"), ("oeuvre", "une œuvre ici"), ("ecole", "mon École là"),
    ],
)  # fmt: skip
def test_what_is_found_far_below_is_shown_whatever_its_letters_are(typed: str, said: str) -> None:
    filler = "東京ですね、はい。" if typed == "大阪" else "и другие слова там "
    far = filler * (READ_CLOSELY // len(filler) + 50)
    highlighter = Highlighter(read_query(typed), {})
    marked = re.compile(r"<mark>[^<]+</mark>")
    shown = highlighter.snippet(f"{far} {said} {far}")
    assert shown is not None
    assert marked.search(shown)
    near = highlighter.near(f"<p>{far}</p><p>{said}</p><p>{far}</p>", 300)
    assert marked.search(highlighter.mark(near))


@pytest.mark.parametrize("filler", ["天気は晴れ。", "größe über ", "<b>"])
def test_a_long_text_that_holds_nothing_of_it_is_not_read_word_by_word(
    filler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []

    def counted(text: str) -> list[Piece]:
        read.append(len(text))
        return read_pieces(text)

    monkeypatch.setattr(highlights, "read_pieces", counted)
    highlighter = Highlighter(read_query("lantern 大阪 éclair"), {})
    text = filler * 10_000
    assert highlighter.snippet(highlighter.near(text, 300)) is None
    assert highlighter.snippet(text) is None
    assert sum(read) <= 2 * READ_CLOSELY
