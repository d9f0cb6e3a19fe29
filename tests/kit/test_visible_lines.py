"""Promises about names and titles: one line of visible text, by one rule for all doors."""

import pytest

from webapp.kit.visible_lines import check_line, make_line

TAKEN = [
    "Maria", "Smith, John", "O’Brien", "Jörg Müller", "نویسنده\u200cها", "山田 太郎",
    "👩\u200d👩\u200d👧 family",
    "❤\ufe0f", "क\u200dष", "١٢٣", "\u0600١", "C++", "#1", "…", "\U0001fae8", "e\u0301",
]  # fmt: skip
REFUSED = [
    "a\nb", "a\rb", "a\tb", "a\x00b", "a\x7fb", "a\x85b", "a\u2028b", "a\u2029b",
    "a\u202eb", "a\u2066b\u2069", "a\u200fb", "\u061ca",
    "a\u200bb", "a\ufeffb", "a\u2060b", "so\u00adft", "\u200da", "a\u200c", "a\u200d\u200db",
    "a\U000e0041", "a\ufffe", "a\ue000", "a\ud800", "a\U000e0fff",
]  # fmt: skip
BLANK = [
    "",
    "   ",
    "\u3000",
    "\u200b",
    "\ufeff",
    "\u202e",
    "\x01",
    "\u3164",
    "\u2800",
    "\u0301",
    "\ufe0f",
]


@pytest.mark.parametrize("text", TAKEN)
def test_visible_lines_are_kept_as_they_are(text: str) -> None:
    assert check_line(f" \t{text}\u3000") == text
    assert make_line(text) == text


@pytest.mark.parametrize("text", REFUSED)
def test_what_breaks_a_line_or_hides_in_it_is_refused_and_mended(text: str) -> None:
    with pytest.raises(ValueError, match="holds U"):
        check_line(text)
    mended = make_line(text)
    assert check_line(mended) == mended


@pytest.mark.parametrize("text", BLANK)
def test_what_shows_nothing_is_blank(text: str) -> None:
    with pytest.raises(ValueError, match=r"blank|holds"):
        check_line(text)
    assert make_line(text) == ""


def test_a_line_is_cut_between_characters_with_a_sign_of_it() -> None:
    assert make_line("abc  def\n ghi") == "abc def ghi"
    assert make_line("abcdefgh", 5) == "abcd…"
    assert make_line("👩\u200d👩\u200d👧", 3) == "👩…"
    assert make_line("abcde", 5) == "abcde"
