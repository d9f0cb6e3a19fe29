"""Names and titles: one line of visible text, however it came in.

The rule, by the categories of Unicode (UAX 44, table 12) in the version that this Python knows:

- Refused are controls (Cc), which hold tab, line break and NUL; line and paragraph separators (Zl,
  Zp); surrogates (Cs), private use (Co) and noncharacters, of which nobody knows the look; and
  format characters (Cf), which hold the bidirectional controls, byte order marks and tags.
- Of the format characters those stay that a text needs: zero width (non-)joiners between two
  characters that are seen, as in Persian and in emoji, and the Arabic and Kaithi number signs.
- Code points that no version known here assigns stay, because telephones know newer emoji than a
  server; but not where Unicode reserves them for invisible ones.
- At least one character has to be visible: a letter, number, sign or symbol that is not blank.

`check_line` refuses and says why, for people who can mend it; `make_line` mends what nobody can be
asked about.
"""

import re
from unicodedata import category

JOINERS = "\u200c\u200d"
# Format characters that are seen: the Prepended_Concatenation_Mark of PropList.txt.
_SEEN_FORMATS = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")  # fmt: skip  # noqa: E501
# Letters and symbols that show nothing: Hangul fillers and the empty Braille cell.
_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800")
# What Default_Ignorable_Code_Point of DerivedCoreProperties.txt keeps for invisible characters yet
# to come.
_RESERVED = re.compile("[\u2065\ufff0-\ufff8\U000e0000-\U000e0fff]")
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")


def check_line(text: str) -> str:
    """Return the text without white space around it; raises ValueError, saying why, for no line."""
    line = text.strip()
    for position, character in enumerate(line):
        if _is_refused(line, position):
            name = f"U+{ord(character):04X}"
            raise ValueError(f"holds {name}, which is invisible or breaks the line")
    if not any(map(_is_visible, line)):
        raise ValueError("is blank")
    return line


def make_line(text: str, limit: int | None = None) -> str:
    """Return the text as one line, of at most `limit` characters; empty where nothing is visible.

    White space of every kind becomes one space, and what `check_line` refuses is left out.
    """
    spaced = " ".join(_BREAKS.sub(" ", text).split())
    while True:
        kept = "".join(c for at, c in enumerate(spaced) if not _is_refused(spaced, at))
        if kept == spaced:
            break
        spaced = " ".join(kept.split())
    if limit is not None and len(spaced) > limit:
        spaced = spaced[: limit - 1].rstrip(f"{JOINERS} ") + "…"
    return spaced if any(map(_is_visible, spaced)) else ""


# What str.split leaves alone of what ends a line for somebody.
_BREAKS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def _is_refused(line: str, position: int) -> bool:
    character = line[position]
    if character in JOINERS:
        return not 0 < position < len(line) - 1 or not (
            _is_joined(line[position - 1]) and _is_joined(line[position + 1])
        )
    if _SELECTORS.match(character):
        return False
    kind = category(character)
    if kind == "Cf":
        return character not in _SEEN_FORMATS
    if kind == "Cn":
        return _RESERVED.match(character) is not None or _is_noncharacter(ord(character))
    return kind in {"Cc", "Cs", "Co", "Zl", "Zp"}


def _is_joined(character: str) -> bool:
    return category(character)[0] in "LMNPS" or category(character) == "Cn"


def _is_visible(character: str) -> bool:
    if character in _BLANK:
        return False
    return category(character)[0] in "LNPS" or category(character) == "Cn" or (
        character in _SEEN_FORMATS
    )  # fmt: skip


def _is_noncharacter(code_point: int) -> bool:
    return 0xFDD0 <= code_point <= 0xFDEF or code_point & 0xFFFE == 0xFFFE
