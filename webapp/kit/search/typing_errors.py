"""The words that somebody may have meant who hit one wrong key."""

from webapp.kit.search.queries import SearchQuery, Term

SHORTEST_WORD, LONGEST_WORD = 4, 16
"""Letters; a shorter word is one key away from too many others, a longer one has too many keys."""
MOST_WORDS = 3
"""So many words of a query are mended at most."""

_ALPHABETS = (
    "abcdefghijklmnopqrstuvwxyz", "абвгдежзиклмнопрстуфхцчшщъыьэюя", "αβγδεζηθικλμνξοπρσςτυφχψω",
)  # fmt: skip


def words_near(word: str) -> list[str]:
    """Return what becomes a word by one wrong key: two swapped, one too many, missing or wrong.

    The likelier come first. A word of no alphabet that is known here misses no letter.
    """
    parts = [(word[:index], word[index:]) for index in range(len(word) + 1)]
    alphabet = next((known for known in _ALPHABETS if set(word) <= set(known)), "")
    swapped = [a + b[1] + b[0] + b[2:] for a, b in parts if len(b) > 1]
    shorter = [a + b[1:] for a, b in parts if b]
    longer = [a + letter + b for a, b in parts for letter in alphabet]
    other = [a + letter + b[1:] for a, b in parts if b for letter in alphabet]
    near = dict.fromkeys((*swapped, *shorter, *longer, *other))
    near.pop(word, None)
    return list(near)


def mendable_words(query: SearchQuery) -> list[tuple[int, int, str]]:
    """Return the words that may be mended, with where they stand in the text as it was typed."""
    found = [
        (term.start + piece.start, term.start + piece.end, piece.word)
        for term in query.terms
        if _is_plain(term)
        for piece in term.pieces
        if SHORTEST_WORD <= len(piece.word) <= LONGEST_WORD and piece.word.isalpha()
    ]
    return found[:MOST_WORDS]


def mend(typed: str, words: list[tuple[int, int, str]]) -> str:
    """Return a text with other words in these places, which are in their order."""
    for start, end, word in reversed(words):
        typed = typed[:start] + word + typed[end:]
    return typed


def _is_plain(term: Term) -> bool:
    return len(term.pieces) == 1 and not (
        term.is_excluded or term.is_beginning or term.pieces[0].is_unspaced or term.pieces[0].sign
    )
