"""The words of a text, as the search knows them: one reading for documents and for queries.

A word is a run of letters, digits and the marks that belong to them, without case and accents.
Everything else parts words: `TCP/IP`, `and/or` and "The end.Next" are two each. What hyphens and
apostrophes join is found in parts and as one word, with and without the sign: `e-mail` by `email`
and `mail`, `covid-19` by `covid 19`. Letters with dots between them are a word too (`U.S.A.`), and
`C++` and `C#` are more than `C`. Scripts that put no spaces between words are read as pairs of
neighbouring signs.

PostgreSQL's own parser is not used: it takes "end.Next" for a host, "TCP/IP" for a path and
"and/or" for one word, and nobody can teach it better. What it is given here are finished words.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

LONGEST_WORD = 64
"""So many characters of a word count; two words that begin alike for so long are one."""
LONGEST_CHAIN = 4
"""So many parts are also found as one word where hyphens or apostrophes join them."""

_JOINING = "-\u2010\u2011'\u2019\u02bc"
# Whatever is no word in any script parts runs; the rest is looked at sign by sign, or it is ASCII.
_RUN = re.compile(r"[^\s\x00-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f]+")
_SIGN = re.compile(r"(\+\+|#)(?![^\s\x00-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f])")
# Han, kana, Thai, Lao, Myanmar and Khmer.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
_SCRIPTS = re.compile(f"(?P<unspaced>[{_UNSPACED}]+)|[^{_UNSPACED}]+")
# Accents, and what Arabic and Hebrew write above and below letters and mostly leave out.
_ACCENTS = re.compile("[\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf-\u05c7\u064b-\u065f\u0670]+")
# Letters with a stroke or tied together, which no normalisation of Unicode takes apart.
_TIED = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ı": "i", "ð": "d"})


@dataclass(frozen=True, slots=True)
class Piece:
    """One word in its place: `text[start:end]` without case and accents is `word`.

    `plain` has its accents, for a dictionary. `sign` is what makes it another word, as in `C++`.
    `step` is how many places it takes: `position` counts them. `is_joined` says that the next one
    hangs on it by a hyphen or an apostrophe, `is_dotted` that a single dot is between them.
    """

    start: int
    end: int
    word: str
    plain: str
    position: int
    sign: str = ""
    is_unspaced: bool = False
    is_joined: bool = False
    is_dotted: bool = False


@lru_cache(maxsize=20_000)
def fold(run: str) -> str:
    """Return a run of signs without case, accents and whatever is no part of a word."""
    if run.isascii():
        return run.lower()
    # Twice, because taking a sign apart may bring forth one that has another case.
    text = unicodedata.normalize("NFKD", run.casefold()).casefold().translate(_TIED)
    text = _ACCENTS.sub("", unicodedata.normalize("NFKD", text))
    return unicodedata.normalize("NFC", "".join(filter(_is_of_word, text)))


def read_pieces(text: str) -> list[Piece]:
    """Return the words of a text in their order, each in its place."""
    found = list(_read_runs(text))
    return [
        _connected(piece, text[piece.end + len(piece.sign) : following.start])
        for piece, following in pairwise(found)
    ] + found[-1:]


def chains_of(pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    """Group pieces into those that hang together by hyphens, apostrophes or dots."""
    chain: list[Piece] = []
    for piece in pieces:
        chain.append(piece)
        if not (piece.is_joined or piece.is_dotted):
            yield chain
            chain = []
    if chain:
        yield chain


def joined_word(chain: list[Piece]) -> str | None:
    """Return the one word that a chain is as well, None where it is none.

    Digits alone make none: `5-7` is not 57. Dots make one of single letters alone.
    """
    if not 1 < len(chain) <= LONGEST_CHAIN or any(piece.is_unspaced for piece in chain):
        return None
    if any(piece.is_dotted for piece in chain) and any(len(piece.word) > 1 for piece in chain):
        return None
    word = "".join(piece.word for piece in chain)[:LONGEST_WORD]
    return None if word.isdigit() else word


def _connected(piece: Piece, between: str) -> Piece:
    if len(between) != 1 or piece.sign or piece.is_unspaced:
        return piece
    if between not in _JOINING and between != ".":
        return piece
    return Piece(
        piece.start, piece.end, piece.word, piece.plain, piece.position,
        is_joined=between != ".", is_dotted=between == ".",
    )  # fmt: skip


def _read_runs(text: str) -> Iterator[Piece]:
    position = 0
    for run in _RUN.finditer(text):
        start, end, part = run.start(), run.end(), run.group()
        if part.isascii():
            word = part.lower()[:LONGEST_WORD]
            sign = _SIGN.match(text, end)
            position += 1
            yield Piece(start, end, word, word, position, "" if sign is None else sign.group())
            continue
        for piece in _read_any_script(part, start, position):
            position = piece.position
            yield piece


def _read_any_script(run: str, start: int, position: int) -> Iterator[Piece]:
    for part_start, part_end in _stretches(run):
        for found in _SCRIPTS.finditer(run, part_start, part_end):
            part, at = found.group(), start + found.start()
            word = fold(part)
            if not word:
                continue
            if found["unspaced"] is None:
                position += 1
                plain = unicodedata.normalize("NFKC", part).lower()[:LONGEST_WORD]
                yield Piece(at, at + len(part), word[:LONGEST_WORD], plain, position)
                continue
            is_one_to_one = len(word) == len(part)
            for index in range(len(word)):
                position += 1
                pair = word[index : index + 2]
                place = (at + index, at + index + len(pair)) if is_one_to_one else (
                    at, at + len(part)
                )  # fmt: skip
                yield Piece(*place, pair, pair, position, is_unspaced=True)


def _stretches(run: str) -> Iterator[tuple[int, int]]:
    """Yield where the stretches of a run lie that are words: what is between them parts them."""
    start: int | None = None
    for index, sign in enumerate(run):
        if _is_of_word(sign) or (start is not None and unicodedata.category(sign) == "Cf"):
            start = index if start is None else start
        elif start is not None:
            yield start, index
            start = None
    if start is not None:
        yield start, len(run)


def _is_of_word(sign: str) -> bool:
    return unicodedata.category(sign)[0] in "LNM"
