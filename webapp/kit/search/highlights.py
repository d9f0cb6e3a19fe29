"""Where a text says what was searched for: its words in `<mark>`, all else escaped.

What comes out holds no tag but `<mark>` and `</mark>`, whatever the text says. It is a hint for the
eye and judges nothing: a word counts as found that begins as a stem does and is not much longer.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from functools import cache, cached_property
from html import escape
from itertools import takewhile

from webapp.kit.search.queries import SearchQuery, Stems, used_pieces
from webapp.kit.search.words import Piece, chains_of, fold, joined_word, read_pieces

SNIPPET_CHARACTERS = 200
READ_CHARACTERS = 30_000
"""So much of a text is looked through for what to show of it."""
READ_CLOSELY = 2_000
"""So much of it is read word by word, or freed of its tags, where nothing is plain to see."""
_BEFORE = 60
_MOST_HITS = 40
# What may be one word although a sign is in it; where there is none, words are plain to see.
_CHAINED = re.compile(r"[^\W_][-'.][^\W_]")
_SHORTEST_STEM, _LONGEST_ENDING = 3, 4
# Two letters of a word may be one in a text.
_TIED = {"ss": "(?:ss|ß)", "ae": "(?:ae|æ)", "oe": "(?:oe|œ)"}
# Latin, Greek and Cyrillic letters, with all that is written above and below them.
_LETTERS = range(0x80, 0x2500)


class Highlighter:
    """Marks what one query looks for."""

    def __init__(self, query: SearchQuery, stems: Stems) -> None:
        """Take a query, and the entries of the stems of its words."""
        self._words: set[str] = set()
        self._beginnings: set[str] = set()
        self._unspaced: set[str] = set()
        for term in query.terms:
            if not term.is_excluded:
                self._want(list(term.pieces), goes_on=term.is_beginning)
        self._stems = {entry[3:] for form in query.plain_words for entry in stems.get(form, ())}
        self._stems = {stem for stem in self._stems if len(stem) >= _SHORTEST_STEM}
        self._found = (self._words | self._beginnings, self._stems, self._unspaced)

    @cached_property
    def _quick(self) -> re.Pattern[str]:
        return re.compile(_pattern_of(*self._found), re.IGNORECASE)

    @cached_property
    def _quick_in_ascii(self) -> re.Pattern[str]:
        return re.compile(_ascii_pattern_of(*self._found))

    @cached_property
    def _plain(self) -> re.Pattern[str]:
        found = _pattern_of(*self._found)
        return re.compile(rf"(?P<word>{found}[^\W_]*)(?:(?:\+\+|#)(?![^\W_]))?", re.IGNORECASE)

    def mark(self, text: str) -> str:
        """Return a text as safe HTML, with what was looked for in `<mark>`."""
        built, last = [], 0
        for start, end in self._spans(text):
            built += [escape(text[last:start]), "<mark>", escape(text[start:end]), "</mark>"]
            last = end
        return "".join([*built, escape(text[last:])])

    def snippet(self, text: str) -> str | None:
        """Return what a text says around the first place that holds most of what was looked for.

        None where its beginning, which is all that is looked at, holds nothing of it.
        """
        text = " ".join(_composed(text[:READ_CHARACTERS]).split())
        at = self._best_place(text)
        if at is None:
            return None
        start, end = _window(text, at)
        marked = self.mark(text[start:end])
        return f"{'…' if start else ''}{marked}{'…' if end < len(text) else ''}"

    def near(self, html: str, characters: int) -> str:
        """Return a part of an HTML text of about so many characters, around the first word of it.

        It begins and ends outside of tags, if it is no hostile text; the beginning where none is
        found.
        """
        html = _composed(html)
        if len(html) <= characters:
            return html
        hit = next(self._plain_to_see(html), None)
        if hit is None:
            return html[:READ_CLOSELY]
        start = html.rfind(">", 0, max(0, hit.start() - characters // 4)) + 1
        if hit.start() - start > characters and "<" not in html[start : hit.start()]:
            start = hit.start() - characters // 4  # In the middle of a long run of text.
        end = html.find("<", max(start + characters, hit.end()))
        return html[start:end] if end >= 0 else html[start:]

    def opening(self, text: str) -> str:
        """Return the beginning of a text as safe HTML."""
        text = " ".join(text[:READ_CHARACTERS].split())
        start, end = _window(text, 0)
        return self.mark(text[start:end]) + ("…" if end < len(text) else "")

    def _want(self, pieces: list[Piece], *, goes_on: bool) -> None:
        for chain in chains_of(pieces):
            joined = joined_word(chain)
            if joined is not None:
                (self._beginnings if goes_on else self._words).add(joined)
        *others, last = used_pieces(pieces)
        self._words |= {piece.word for piece in others}
        self._unspaced |= {piece.word for piece in used_pieces(pieces) if piece.is_unspaced}
        is_open = goes_on or (last.is_unspaced and len(last.word) == 1)
        (self._beginnings if is_open else self._words).add(last.word)

    def _spans(self, text: str) -> list[tuple[int, int]]:
        """Return where the words are that were looked for; none touches another."""
        if text.isascii() and _CHAINED.search(text) is None:
            return [
                hit.span()
                for hit in self._plain.finditer(text)
                if self._is_wanted(hit["word"].lower())
            ]
        spans: list[tuple[int, int]] = []
        for chain in chains_of(read_pieces(text)):
            joined = joined_word(chain)
            if joined is not None and self._is_wanted(joined):
                found = [(chain[0].start, chain[-1].end)]
            else:
                found = [(piece.start, piece.end + len(piece.sign))
                         for piece in chain if self._is_wanted(piece.word)]  # fmt: skip
            for start, end in found:
                if spans and start <= spans[-1][1]:
                    start, end = spans.pop()[0], max(end, start)
                spans.append((start, end))
        return spans

    def _plain_to_see(self, text: str) -> Iterator[re.Match[str]]:
        """Return where a composed text may say what was looked for, as it is mostly written."""
        if text.isascii():
            return self._quick_in_ascii.finditer(text.lower())
        return self._quick.finditer(_plain_letters(text))

    def _is_wanted(self, word: str) -> bool:
        return (
            word in self._words
            or any(word.startswith(beginning) for beginning in self._beginnings)
            or any(_is_of_stem(word, stem) for stem in self._stems)
        )

    def _best_place(self, text: str) -> int | None:
        """Return where most of the words that are looked for stand near each other."""
        hits = []
        for hit in self._plain_to_see(text):
            hits.append((hit.start(), hit.group().lower()))
            if len(hits) == _MOST_HITS:
                break
        if not hits:
            spans = self._spans(text[:READ_CLOSELY])
            return spans[0][0] if spans else None
        return max(hits, key=lambda hit: (_different(hits, hit[0]), -hit[0]))[0]


def _different(hits: list[tuple[int, str]], start: int) -> int:
    return len({word for at, word in hits if start <= at < start + SNIPPET_CHARACTERS - _BEFORE})


def _is_of_stem(word: str, stem: str) -> bool:
    begins_alike = word.startswith(stem[: max(_SHORTEST_STEM, len(stem) - 1)])
    return begins_alike and len(word) - len(stem) <= _LONGEST_ENDING


def _pattern_of(words: Collection[str], stems: Collection[str], unspaced: Collection[str]) -> str:
    """Return what finds words as they are mostly written, far faster than reading a text does.

    It is for the plain letters of a text. What is `unspaced` may begin anywhere.
    """
    spaced = _spaced(words, stems, unspaced)
    parts = []
    if spaced:
        parts.append(rf"(?<![^\W_])(?:{_any_of(spaced)})")
    if unspaced:
        parts.append(_any_of(unspaced))
    return rf"(?:{'|'.join(parts)})"


def _ascii_pattern_of(
    words: Collection[str], stems: Collection[str], unspaced: Collection[str]
) -> str:
    """Return what finds the same in ASCII in lower case, and several times faster.

    Each way begins with its letter, so that the search leaps from one such letter to the next; what
    stands before a word is looked at behind it.
    """
    found = sorted(filter(str.isascii, _spaced(words, stems, unspaced)), key=len, reverse=True)
    ways = [
        rf"{re.escape(word[0])}(?<![^\W_]{re.escape(word[0])}){re.escape(word[1:])}"
        for word in found
    ]
    return "|".join(ways) or "(?!)"


def _spaced(words: Collection[str], stems: Collection[str], unspaced: Collection[str]) -> set[str]:
    """Return what words begin with that are looked for, without what may begin anywhere."""
    spaced = set(words) - set(unspaced)
    shared = {
        _alike(word, stem)
        for word in spaced
        for stem in stems
        if len(_alike(word, stem)) >= _SHORTEST_STEM
    }
    return spaced | shared


def _any_of(words: Collection[str]) -> str:
    longest_first = sorted(map(re.escape, words), key=len, reverse=True)
    return "|".join(_TIED_LETTERS.sub(lambda two: _TIED[two[0]], word) for word in longest_first)


_TIED_LETTERS = re.compile("|".join(_TIED))


def _composed(text: str) -> str:
    """Return a text whose letters are one sign each, with all that is written above them."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def _plain_letters(text: str) -> str:
    """Return a composed text without case and accents, each letter in its place."""
    return text if text.isascii() else text.translate(_bare_letters())


@cache
def _bare_letters() -> Mapping[int, str]:
    folded = {code: fold(chr(code)) for code in _LETTERS}
    return {code: bare for code, bare in folded.items() if len(bare) == 1 and bare != chr(code)}


def _alike(one: str, other: str) -> str:
    """Return what two words begin with."""
    pairs = zip(one, other, strict=False)
    return one[: sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))]


def _window(text: str, at: int) -> tuple[int, int]:
    """Return where a snippet begins and ends that shows what stands at a place."""
    start = max(0, at - _BEFORE)
    if start:
        space = text.find(" ", start, at)
        start = start if space < 0 else space + 1
    end = min(len(text), start + SNIPPET_CHARACTERS)
    if end < len(text):
        space = text.rfind(" ", at + 1, end)
        end = end if space < 0 else space
    return start, end
