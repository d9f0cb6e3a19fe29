"""Promises of how texts are read: what the words are, and that each of a text's own finds it."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from webapp.kit.search.documents import SearchedText, entries_of
from webapp.kit.search.queries import LONGEST_QUERY, NoQueryError, read_query
from webapp.kit.search.typing_errors import mend, mendable_words, words_near
from webapp.kit.search.words import LONGEST_WORD, chains_of, fold, joined_word, read_pieces

# What stands between words and joins them, letters of many scripts, and whatever else there is.
SIGNS = "-'’./\\_+#*\"“ \u00ad\u200d,:;!?()&|<>@é̀ßİıœﬁ½Ⅷ日本ｶﾞ한กำहि́مَאָ🙂"
TEXTS = st.text(st.one_of(st.sampled_from("abcABC019"), st.sampled_from(SIGNS), st.characters()))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("TCP/IP and/or", ["tcp", "ip", "and", "or"]),
        ("covid-19", ["covid", "19"]),
        ("The end.Next", ["the", "end", "next"]),
        ("pages 5-7", ["pages", "5", "7"]),
        ("C++ and C# in #1", ["c", "and", "c", "in", "1"]),
        ("naïve NAÏVE nai\u0308ve", ["naive"] * 3),
        ("Straße Œuvre Łódź Ħ", ["strasse", "oeuvre", "lodz", "ħ"]),
        ("e\u00admail", ["email"]),
        ("日本語x", ["日本", "本語", "語", "x"]),
        ("ｶﾞ ﬁne Ⅷ", ["ガ", "fine", "viii"]),
        ("foo_bar@example.com", ["foo", "bar", "example", "com"]),
        ("हिन्दी", ["हिन्दी"]),
        ("!?… — –", []),
    ],
)
def test_words_are_what_a_reader_takes_for_words(text: str, words: list[str]) -> None:
    assert [piece.word for piece in read_pieces(text)] == words


@pytest.mark.parametrize(
    ("text", "joined"),
    [
        ("e-mail", ["email"]), ("Jean‑Luc", ["jeanluc"]), ("don’t", ["dont"]),
        ("U.S.A.", ["usa"]), ("5-7", [None]), ("covid-19", ["covid19"]), ("end.Next", [None]),
        ("state-of-the-art", ["stateoftheart"]), ("a-b-c-d-e", [None]),
        ("well - known", [None] * 2),
    ],
)  # fmt: skip
def test_what_hyphens_join_is_one_word_as_well(text: str, joined: list[str | None]) -> None:
    assert [joined_word(chain) for chain in chains_of(read_pieces(text))] == joined


@given(TEXTS)
def test_every_word_of_a_text_finds_it(text: str) -> None:
    entries = entries_of(SearchedText("", (), "", text)).places
    for piece in read_pieces(text):
        query = read_query(text[piece.start : piece.end]).as_tsquery({})
        assert re.search(r"'([^']*)'", query)
        for word in re.findall(r"'([^']*)'", query):
            assert word in entries or any(entry.startswith(word) for entry in entries), word


@given(TEXTS)
def test_pieces_lie_in_the_text_in_their_order_and_hold_no_sign_of_a_query(text: str) -> None:
    pieces = read_pieces(text)
    assert [piece.position for piece in pieces] == list(range(1, len(pieces) + 1))
    for piece in pieces:
        assert 0 <= piece.start < piece.end <= len(text)
        assert piece.word
        assert len(piece.word) <= LONGEST_WORD
        assert not re.search(r"['\\:&|!()<>*=^\s]", piece.word + piece.sign + piece.plain)
    assert [piece.start for piece in pieces] == sorted(piece.start for piece in pieces)


@given(TEXTS)
def test_folding_again_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(TEXTS)
def test_whatever_is_typed_is_a_query_or_is_refused_with_a_reason(text: str) -> None:
    assume(len(text) <= LONGEST_QUERY)
    try:
        query = read_query(text, is_being_typed=True)
    except NoQueryError:
        return
    assert query.as_tsquery({})


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("red lights", "'red' & 'lights'"),
        ('"red lights" -night', "('red' <1> 'lights') & !('night')"),
        ("tcp/ip", "'tcp' & 'ip'"),
        ("e-mail", "(('e' <1> 'mail') | 'email')"),
        ("pages 5-7", "'pages' & ('5' <1> '7')"),
        ("harbo*", "'harbo':*"),
        ("ha*", "'^ha'"),
        ("a OR b c", "('a' | 'b') & 'c'"),
        ("C++", "'c++'"),
        ("日本語", "('日本' <1> '本語')"),
        ("日", "'^日'"),
        ("'; DROP TABLE x; --", "'drop' & 'table' & 'x'"),
        ('"never closed', "('never' <1> 'closed')"),
    ],
)
def test_a_query_says_what_was_typed(typed: str, asked: str) -> None:
    assert read_query(typed).as_tsquery({}) == asked


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ('"red lights" -night', "('red' & 'lights') & !('night')"),
        ('red -"blue sky"', "'red'"),
        ("e-mail OR fax", "((('e' & 'mail') | 'email') | 'fax')"),
        ("日本語", "('日本' & '本語')"),
        ("red -night", None),
        ('"red"', None),
    ],
)
def test_a_query_without_rows_finds_all_that_has_the_words(typed: str, asked: str | None) -> None:
    assert read_query(typed).without_rows({}) == asked


def _keys_apart(one: str, other: str) -> int:
    """Return how many keys are wrong between two words: the distance of Damerau and Levenshtein."""
    rows = [list(range(len(other) + 1))]
    for i, a in enumerate(one, start=1):
        row = [i]
        for j, b in enumerate(other, start=1):
            best = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                best = min(best, rows[-2][j - 2] + 1)
            row.append(best)
        rows.append(row)
    return rows[-1][-1]


@given(st.text("abcxyz", min_size=4, max_size=8), st.text("abcxyz", min_size=3, max_size=9))
def test_the_words_near_another_are_those_of_one_wrong_key(word: str, other: str) -> None:
    near = words_near(word)
    assert (other in near) == (_keys_apart(word, other) == 1)
    assert len(near) == len(set(near)) < 60 * len(word)
    for each in near[:50]:
        assert _keys_apart(word, each) == 1


def test_words_are_mended_where_they_were_typed() -> None:
    query = read_query('the harbuor/ligths -nihgt "red doosr" abc12 ligh*')
    places = mendable_words(query)
    assert [word for _, _, word in places] == ["harbuor", "ligths"]
    mended = [(start, end, word.upper()) for start, end, word in places]
    assert mend(query.typed, mended) == 'the HARBUOR/LIGTHS -nihgt "red doosr" abc12 ligh*'


def test_a_document_of_any_size_has_room() -> None:
    words = " ".join(f"{number:x}日" for number in range(200_000))
    entries = entries_of(SearchedText(words, (words,) * 3, words, words))
    entries.add_stems("en", {plain: [f"{plain}stem"] for plain in entries.plain})
    size = sum(
        len(entry.encode()) + 2 * len(places) + 4 for entry, places in entries.places.items()
    )
    assert size < 1_000_000
