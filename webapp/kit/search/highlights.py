"""Where a text says what was searched for: its words in `<mark>`, all else escaped.

What comes out holds no tag but `<mark>` and `</mark>`, whatever the text says. It is a hint for the
eye and judges nothing: a word counts as found that begins as a stem does and is not much longer.
"""

import re
from collections.abc import Collection
from html import escape
from itertools import takewhile

from webapp.kit.search.queries import SearchQuery, Stems, used_pieces
from webapp.kit.search.words import Piece, chains_of, joined_word, read_pieces

SNIPPET_CHARACTERS = 200
READ_CHARACTERS = 30_000
"""So much of a text is looked through for what to show of it."""
_BEFORE = 60
_MOST_HITS = 40
# What may be one word although a sign is in it; where there is none, words are plain to see.
_CHAINED = re.compile(r"[^\W_][-'.][^\W_]")
_SHORTEST_STEM, _LONGEST_ENDING = 3, 4


class Highlighter:
    """Marks what one query looks for."""

    def __init__(self, query: SearchQuery, stems: Stems) -> None:
        """Take a query, and the entries of the stems of its words."""
        self._words: set[str] = set()
        self._beginnings: set[str] = set()
        for term in query.terms:
            if not term.is_excluded:
                self._want(list(term.pieces), goes_on=term.is_beginning)
        self._stems = {entry[3:] for form in query.plain_words for entry in stems.get(form, ())}
        self._stems = {stem for stem in self._stems if len(stem) >= _SHORTEST_STEM}
        found = _pattern_of(self._words | self._beginnings, self._stems)
        self._quick = re.compile(found, re.IGNORECASE)
        self._plain = re.compile(
            rf"(?P<word>{found}[^\W_]*)(?:(?:\+\+|#)(?![^\W_]))?", re.IGNORECASE
        )

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
        text = " ".join(text[:READ_CHARACTERS].split())
        at = self._best_place(text)
        if at is None:
            return None
        start, end = _window(text, at)
        marked = self.mark(text[start:end])
        return f"{'…' if start else ''}{marked}{'…' if end < len(text) else ''}"

    def near(self, html: str, characters: int) -> str:
        """Return a part of an HTML text of about so many characters, around the first word of it.

        It begins and ends outside of tags, if it is no hostile text; all of it where none is found.
        """
        hit = self._quick.search(html)
        if hit is None or len(html) <= characters:
            return html
        start = html.rfind(">", 0, max(0, hit.start() - characters // 4)) + 1
        end = html.find("<", start + characters)
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

    def _is_wanted(self, word: str) -> bool:
        return (
            word in self._words
            or any(word.startswith(beginning) for beginning in self._beginnings)
            or any(_is_of_stem(word, stem) for stem in self._stems)
        )

    def _best_place(self, text: str) -> int | None:
        """Return where most of the words that are looked for stand near each other."""
        hits = []
        for hit in self._quick.finditer(text):
            hits.append((hit.start(), hit.group().lower()))
            if len(hits) == _MOST_HITS:
                break
        if not hits:
            spans = self._spans(text)
            return spans[0][0] if spans else None
        return max(hits, key=lambda hit: (_different(hits, hit[0]), -hit[0]))[0]


def _different(hits: list[tuple[int, str]], start: int) -> int:
    return len({word for at, word in hits if start <= at < start + SNIPPET_CHARACTERS - _BEFORE})


def _is_of_stem(word: str, stem: str) -> bool:
    begins_alike = word.startswith(stem[: max(_SHORTEST_STEM, len(stem) - 1)])
    return begins_alike and len(word) - len(stem) <= _LONGEST_ENDING


def _pattern_of(words: Collection[str], stems: Collection[str]) -> str:
    """Return what finds words as they are mostly written, far faster than reading a text does."""
    shared = {
        _alike(word, stem)
        for word in words
        for stem in stems
        if len(_alike(word, stem)) >= _SHORTEST_STEM
    }
    whole = sorted(map(re.escape, set(words) | shared), key=len, reverse=True)
    return rf"(?<![^\W_])(?:{'|'.join(whole)})"


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
