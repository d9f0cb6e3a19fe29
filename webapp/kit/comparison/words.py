"""A text as a row of words, none of which a comparison may part."""

from functools import cache

import regex

# A word is a run of letters, digits and the marks on them, joined by what joins parts of a word.
# Chinese and Japanese write no blanks, so there each character is one. Whatever else is seen as one
# sign, such as an emoji of several code points, is one too (grapheme clusters of Unicode, UAX 29).
_IDEOGRAPHS = r"\p{Han}\p{Hiragana}\p{Katakana}"
_FIRST = rf"[[\p{{L}}\p{{N}}_]--[{_IDEOGRAPHS}]]"
_REST = rf"[[\p{{L}}\p{{N}}\p{{M}}\p{{Pc}}\u200c\u200d]--[{_IDEOGRAPHS}]]*"
_PATTERN = rf"""(?V1x)
    (?: [{_IDEOGRAPHS}] [\p{{M}}\u30fc]*
      | {_FIRST} {_REST} (?: ['\u2019.\u2010\u2011-] {_FIRST} {_REST} )*
      | (?!\s)\X
    )
    \s*
  | \s+
"""


def split_words(text: str) -> list[str]:
    """Return the words of a text, each with the blanks that follow it.

    Signs of punctuation are words of their own. The words in a row are the text again.
    """
    return _pattern().findall(text)


@cache
def _pattern() -> "regex.Pattern[str]":
    # It is compiled at the first use, since most processes never compare.
    return regex.compile(_PATTERN)
