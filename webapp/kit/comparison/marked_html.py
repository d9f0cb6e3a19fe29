"""One page that shows what became of another: new words in <ins>, words that are gone in <del>.

Both pages are what the renderer made: sanitised, every element closed. The answer keeps the tags
of the new page and adds only `<ins>`, `<del>` and `<br>` where words stand already, so it is as
safe and as well-formed as the two are. No mark begins or ends inside a word.
"""

import html
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby

from webapp.kit.comparison.alignment import Alignment, Change, align
from webapp.kit.comparison.words import split_words
from webapp.kit.rendering.elements import ALLOWED, INLINES
from webapp.kit.rendering.tags import Tag, read_pieces

INSERTED = '<ins class="added">'
REMOVED = '<del class="removed">'

# These part words although they may stand inside a line.
_BREAKS = frozenset({"br", "hr", "rp", "rt"})


@dataclass(frozen=True)
class _Piece:
    """What a page is written of: markup and blanks (`word` is None), or a part of a word."""

    source: str
    word: int | None = None
    is_blank: bool = False


@dataclass
class _Page:
    """A page as words, with the block that each stands in, and as the pieces that write it."""

    words: list[str] = field(default_factory=list)
    blocks: list[int] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    pieces: list[_Piece] = field(default_factory=list)


def mark_changes(old: str, new: str) -> tuple[str, Alignment]:
    """Return the new page with the changes marked in it, and which words changed.

    The removed words of a whole block stand behind the last word before it that is left, each block
    on a line of its own.
    """
    before, after = _read(old), _read(new)
    alignment = align(before.words, after.words)
    return "".join(_marked(before, after, alignment.changes)), alignment


def _read(source: str) -> _Page:
    page = _Page()
    line: list[str | Tag] = []
    block = 0
    for piece in read_pieces(source, ALLOWED):
        if isinstance(piece, Tag) and piece.name == "img":
            _add_line(page, line, block)
            _add_word(page, piece.source, piece.source, block)
            page.pieces.append(_Piece(piece.source, len(page.words) - 1))
        elif isinstance(piece, Tag) and (piece.name not in INLINES or piece.name in _BREAKS):
            _add_line(page, line, block)
            page.pieces.append(_Piece(piece.source))
            block += piece.name not in _BREAKS
        else:
            line.append(piece)
    _add_line(page, line, block)
    return page


def _add_line(page: _Page, line: list[str | Tag], block: int) -> None:
    """Part what stands in a line into words, which its tags may part no further."""
    texts = [html.unescape(piece) for piece in line if isinstance(piece, str)]
    words = _placed_words("".join(texts), page, block)
    word, blank, index = next(words, ("", "", None))
    rest = iter(texts)
    for piece in line:
        if isinstance(piece, Tag):
            page.pieces.append(_Piece(piece.source))
            continue
        text, at = next(rest), 0
        # What is left is not cut off as it is read: a line may be the whole text.
        while at < len(text):
            taken = text[at : at + len(word or blank)]
            at += len(taken)
            escaped = html.escape(taken, quote=False)
            if word:
                page.pieces.append(_Piece(escaped, index))
                word = word[len(taken) :]
            else:
                page.pieces.append(_Piece(escaped, is_blank=True))
                blank = blank[len(taken) :]
            if not word and not blank:
                word, blank, index = next(words, ("", "", None))
    line.clear()


def _placed_words(text: str, page: _Page, block: int) -> Iterator[tuple[str, str, int | None]]:
    for token in split_words(text):
        word = token.rstrip()
        if word:
            blank = " " if len(token) > len(word) else ""
            _add_word(page, word, html.escape(word, quote=False) + blank, block)
        yield word, token[len(word) :], len(page.words) - 1 if word else None


def _add_word(page: _Page, word: str, shown: str, block: int) -> None:
    page.words.append(word)
    page.blocks.append(block)
    page.shown.append(shown)


def _marked(old: _Page, new: _Page, changes: list[Change]) -> Iterator[str]:
    inserted = {word for change in changes for word in range(change.new_start, change.new_end)}
    removals = _Removals(old, new)
    for change in changes:
        removals.place(change)
    yield "".join(removals.alone)
    is_open, last_word = False, -1
    for place, piece in enumerate(new.pieces):
        begins_anew = place in removals.before
        continues = piece.word in inserted or (piece.is_blank and last_word + 1 in inserted)
        if is_open and (begins_anew or not continues):
            yield "</ins>"
            is_open = False
        yield from removals.before.get(place, ())
        if piece.word is not None:
            last_word = piece.word
            if piece.word in inserted and not is_open:
                yield INSERTED
                is_open = True
        yield piece.source
        # A removal stands behind a word that stays, so no mark is open here.
        yield from removals.after.get(place, ())
    if is_open:
        yield "</ins>"


class _Removals:
    """Where in the new page the words are shown that are gone: by the places of its pieces."""

    def __init__(self, old: _Page, new: _Page) -> None:
        self.before: defaultdict[int, list[str]] = defaultdict(list)
        self.after: defaultdict[int, list[str]] = defaultdict(list)
        self.alone: list[str] = []
        self._old = old
        self._first: dict[int, int] = {}
        self._last: dict[int, int] = {}
        for place, piece in enumerate(new.pieces):
            if piece.word is not None:
                self._first.setdefault(piece.word, place)
                self._last[piece.word] = place

    def place(self, change: Change) -> None:
        """Put the removed words of a change beside the words that stay, block by block."""
        blocks, shown = self._old.blocks, self._old.shown
        behind = self._last.get(change.new_start - 1)
        ahead = self._first.get(change.new_end)
        for block, words in groupby(
            range(change.old_start, change.old_end), lambda word: blocks[word]
        ):
            text = "".join(shown[word] for word in words)
            removed = f"{REMOVED}{text.rstrip()}</del>"
            if behind is not None and blocks[change.old_start - 1] == block:
                self.after[behind].append(_blank_of(shown[change.old_start - 1]) + removed)
            elif ahead is not None and blocks[change.old_end] == block:
                self.before[ahead].append(removed + _blank_of(text))
            elif behind is not None:
                self.after[behind].append(f"<br>{removed}")
            elif ahead is not None:
                self.before[ahead].append(f"{removed}<br>")
            else:
                self.alone.append(f"<p>{removed}</p>")


def _blank_of(shown: str) -> str:
    return " " if shown.endswith(" ") else ""
