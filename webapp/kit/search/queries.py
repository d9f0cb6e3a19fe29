"""What somebody searches for, read from what they typed, and said as a `tsquery`.

Words are looked for all together; `"words in a row"`, `-without`, `begin*` and `OR` between two
words say more. Nothing that can be typed is an error but a text without any word to look for, one
of too many, and one that only says what is not wanted.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from webapp.kit.search.documents import SHORT_BEGINNING
from webapp.kit.search.words import Piece, chains_of, joined_word, read_pieces

MOST_WORDS = 32
"""So many words may be asked for at once."""
LONGEST_QUERY = 400
"""Characters."""

_PART = re.compile(r'(?P<minus>(?:(?<=\s)|^)-)?(?:["“”„](?P<quoted>[^"“”„]*)(?:["“”„]|$)|(?P<bare>[^\s"“”„]+))')  # fmt: skip  # noqa: E501
Stems = Mapping[str, Sequence[str]]
"""The entries of stems by the plain words that they are of."""
_AT_DISTANCE, _ANYWHERE = " <{}> ", " & "


class NoQueryError(ValueError):
    """Nothing can be looked for; the message says why."""


@dataclass(frozen=True)
class Term:
    """Pieces that are to be found: in a row, as they were typed together.

    `is_beginning` says that the last one may go on.
    """

    pieces: tuple[Piece, ...]
    is_excluded: bool = False
    is_beginning: bool = False
    is_alternative: bool = False
    """Whether it is one of two with the term before it: an OR was between them."""
    start: int = 0
    """Where the text begins, in what was typed, in which its pieces lie."""


@dataclass(frozen=True)
class SearchQuery:
    """What somebody searches for."""

    terms: tuple[Term, ...]
    typed: str
    """The text as it was typed, for what a former release made searchable."""

    @property
    def plain_words(self) -> frozenset[str]:
        """The words whose stems are looked for as well: those that stand alone."""
        return frozenset(
            form for term in self.terms if not term.is_beginning for form in _stemmed(term)
        )

    def as_tsquery(self, stems: Stems) -> str:
        """Return what PostgreSQL casts to a tsquery; each word is found with or without a stem."""
        return self._as_tsquery(self.terms, stems)

    def without_rows(self, stems: Stems) -> str | None:
        """Return a wider query, which finds whatever has the words wherever they stand.

        An index answers it without a look at the documents. None where no words are wanted in a
        row, and this would find the same.
        """
        if not any(_is_row(term) for term in self.terms):
            return None
        # What is not wanted in a row may well be there otherwise.
        asked = [term for term in self.terms if not (term.is_excluded and _is_row(term))]
        return self._as_tsquery(asked, stems, between=_ANYWHERE)

    def _as_tsquery(self, terms: Sequence[Term], stems: Stems, between: str = _AT_DISTANCE) -> str:
        groups: list[list[str]] = []
        for term in terms:
            said = _said(term, stems, between)
            if term.is_alternative and groups:
                groups[-1].append(said)
            else:
                groups.append([f"!({said})" if term.is_excluded else said])
        return " & ".join(group[0] if len(group) == 1 else f"({' | '.join(group)})"
                          for group in groups)  # fmt: skip


def read_query(text: str, *, is_being_typed: bool = False) -> SearchQuery:
    """Read what somebody typed; while they still type, the last word may go on.

    Raises NoQueryError.
    """
    terms: list[Term] = []
    is_alternative = False
    for part in _PART.finditer(text):
        quoted, bare = part["quoted"], part["bare"]
        if bare == "OR" and terms:
            is_alternative = True
            continue
        made = _terms_of(part)
        if is_alternative and made and not (made[0].is_excluded or terms[-1].is_excluded):
            made[0] = _alternative(made[0])
        if made:
            is_alternative = False
            terms += made
        goes_on = is_being_typed and quoted is None and part.end() == len(text)
        if goes_on and made and not made[-1].is_excluded:
            terms[-1] = _beginning(terms[-1])
    _check(terms)
    return SearchQuery(tuple(terms), text)


def _check(terms: Sequence[Term]) -> None:
    count = sum(len(term.pieces) for term in terms)
    if not count:
        raise NoQueryError("holds no word to look for")
    if count > MOST_WORDS:
        raise NoQueryError(f"holds {count} words; at most {MOST_WORDS} are looked for")
    if all(term.is_excluded for term in terms):
        raise NoQueryError("only says what is not wanted: name a word to look for as well")


def _terms_of(part: "re.Match[str]") -> list[Term]:
    is_excluded = part["minus"] is not None
    if part["quoted"] is not None:
        pieces = tuple(read_pieces(part["quoted"]))
        return [Term(pieces, is_excluded, start=part.start("quoted"))] if pieces else []
    bare = part["bare"]
    terms = [
        Term(pieces, is_excluded, start=part.start("bare") + each.start())
        for each in re.finditer(r"[^/\\|&]+", bare)
        if (pieces := tuple(read_pieces(each.group())))
    ]
    if terms and bare.endswith("*") and not bare.endswith("**"):
        terms[-1] = _beginning(terms[-1])
    return terms


def _beginning(term: Term) -> Term:
    may_go_on = not term.pieces[-1].sign
    return replace(term, is_beginning=may_go_on)


def _alternative(term: Term) -> Term:
    return replace(term, is_alternative=True)


def _stemmed(term: Term) -> list[str]:
    forms = [] if len(term.pieces) > 1 else [piece.plain for piece in term.pieces
                                              if not (piece.sign or piece.is_unspaced)]  # fmt: skip
    joined = _joined(term)
    return forms if joined is None else [*forms, joined]


def _joined(term: Term) -> str | None:
    """Return the one word that a whole term is as well, such as `email` of `e-mail`."""
    chains = list(chains_of(term.pieces))
    return joined_word(chains[0]) if len(chains) == 1 else None


def _said(term: Term, stems: Stems, between: str) -> str:
    ways = [_row(term.pieces, between, is_beginning=term.is_beginning)]
    closed = _closed(term.pieces)
    if closed is not None:
        ways.append(_row(closed, between, is_beginning=term.is_beginning))
    for form in _stemmed(term) if not term.is_beginning else ():
        ways += [f"'{entry}'" for entry in stems.get(form, ())]
    return ways[0] if len(ways) == 1 else f"({' | '.join(ways)})"


def _is_row(term: Term) -> bool:
    return len(used_pieces(term.pieces)) > 1


def _closed(pieces: Sequence[Piece]) -> tuple[Piece, ...] | None:
    """Return pieces with all that hyphens join as one word each, where there is such."""
    row: list[Piece] = []
    has_joined = False
    for chain in chains_of(pieces):
        joined = joined_word(chain)
        if joined is None:
            row += chain
            continue
        has_joined = True
        row.append(Piece(0, 0, joined, joined, row[-1].position + 1 if row else 1))
    if not has_joined:
        return None
    return tuple(_moved(piece, number) for number, piece in enumerate(row, start=1))


def _moved(piece: Piece, position: int) -> Piece:
    return Piece(0, 0, piece.word, piece.plain, position, piece.sign, piece.is_unspaced)


def used_pieces(pieces: Sequence[Piece]) -> list[Piece]:
    """Return those that are looked for: the last sign of a longer run is in the pair before it."""
    used = list(pieces[:1])
    for former, piece in pairwise(pieces):
        is_last_sign = piece.is_unspaced and len(piece.word) == 1
        if not (is_last_sign and former.is_unspaced and former.end == piece.end):
            used.append(piece)
    return used


def _row(pieces: Sequence[Piece], between: str, *, is_beginning: bool) -> str:
    """Return pieces in a row, at the distances that they have in a document if `between` says."""
    used = used_pieces(pieces)
    said, last = "", used[0].position
    for piece in used:
        is_alone = len(used) == 1
        entry = _entry(piece, is_alone=is_alone, is_open=is_beginning and piece is used[-1])
        said += between.format(piece.position - last) + entry if said else entry
        last = piece.position
    return said if len(used) == 1 else f"({said})"


def _entry(piece: Piece, *, is_alone: bool, is_open: bool) -> str:
    word = piece.word + piece.sign
    if piece.is_unspaced and len(word) == 1:
        is_open = True  # Whatever begins with this sign holds it.
    if not is_open:
        return f"'{word}'"
    if is_alone and len(word) <= SHORT_BEGINNING and not piece.is_unspaced:
        return f"'^{word}'"
    return f"'^{word}'" if is_alone and len(word) == 1 else f"'{word}':*"
