"""What a document is found by: its words as the entries of a `tsvector`.

Four kinds of entries lie in one, and no two can be mistaken for each other, because words have no
such signs: a word as it is read (`harbours`), its stem behind the language (`=enharbour`), and the
beginnings of up to three letters (`^h`, `^ha`, `^har`), so that what is typed first is found by
one entry and not by a thousand.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from webapp.kit.search.words import chains_of, joined_word, read_pieces

SEARCHED_CHARACTERS = 200_000
"""So much of each field is searched; an item may have ten times that."""
SHORT_BEGINNING = 3
_GAP = 10
"""Places between two fields, so that no phrase is found across them."""
_LAST_PLACE = 16_383
_PLACES_A_WORD = 250
# PostgreSQL refuses a tsvector of more than a megabyte.
_ROOM = 900_000


@dataclass(frozen=True)
class SearchedText:
    """What is searched of a version; `body` is its text without tags."""

    title: str
    tags: tuple[str, ...]
    excerpt: str
    body: str


@dataclass
class Entries:
    """The entries of one document, and the words whose stems it wants."""

    places: dict[str, list[str]] = field(default_factory=dict)
    plain: dict[str, set[str]] = field(default_factory=dict)
    _room: int = _ROOM

    def add(self, entry: str, place: str | None) -> None:
        """Add an entry in a place, None for one that has no place, while there is room."""
        known = self.places.get(entry)
        room = 0 if known is not None else len(entry.encode()) + 8
        room += 2 if place is not None else 0
        if room > self._room or (known is not None and len(known) >= _PLACES_A_WORD):
            return
        if known is None:
            known = self.places[entry] = []
        if place is not None and place not in known:
            known.append(place)
            self._room -= room
        elif place is None:
            self._room -= room

    def add_stems(self, code: str, stems: Mapping[str, Iterable[str]]) -> None:
        """Add the stems of the words, where each word is; `stems` are by the plain words."""
        for plain, words in self.plain.items():
            for stem in stems.get(plain, ()):
                for word in words:
                    for place in self.places.get(word, ()):
                        self.add(f"={code}{stem}", place)

    def as_tsvector(self) -> str:
        """Return what PostgreSQL casts to a tsvector; its words need no escape."""
        return " ".join(
            f"'{entry}':{','.join(places)}" if places else f"'{entry}'"
            for entry, places in self.places.items()
        )


def entries_of(text: SearchedText) -> Entries:
    """Return what a document is found by, but for its stems: a title counts most, a body least."""
    entries, last = Entries(), 0
    fields = [(text.title, "A"), *((tag, "B") for tag in text.tags), (text.excerpt, "C"),
              (text.body, "D")]  # fmt: skip
    for written, weight in fields:
        last = _add_field(entries, written[:SEARCHED_CHARACTERS], weight, last) + _GAP
    return entries


def _add_field(entries: Entries, written: str, weight: str, last: int) -> int:
    pieces = read_pieces(written)
    for chain in chains_of(pieces):
        joined = joined_word(chain)
        for piece in chain:
            place = _place(last + piece.position, weight)
            if piece.is_unspaced:
                entries.add(piece.word, place)
                entries.add(f"^{piece.word[0]}", None)
                continue
            _add_word(entries, piece.word, place)
            entries.plain.setdefault(piece.plain, set()).add(piece.word)
            if piece.sign:
                entries.add(piece.word + piece.sign, place)
        if joined is not None:
            for piece in (chain[0], chain[-1]):
                _add_word(entries, joined, _place(last + piece.position, weight))
            entries.plain.setdefault(joined, set()).add(joined)
    return last + (pieces[-1].position if pieces else 0)


def _add_word(entries: Entries, word: str, place: str) -> None:
    is_new = word not in entries.places
    entries.add(word, place)
    if is_new:
        for length in range(1, min(SHORT_BEGINNING, len(word)) + 1):
            entries.add(f"^{word[:length]}", None)


def _place(position: int, weight: str) -> str:
    return f"{min(position, _LAST_PLACE)}{weight if weight != 'D' else ''}"
