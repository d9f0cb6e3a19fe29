"""The stems of a query's words, in each language that items are searched in."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from webapp.kit.search.languages import DICTIONARIES
from webapp.kit.search.words import fold

Find = Callable[[str, Mapping[str, Any]], Sequence[Any]]
"""Runs a statement with named parameters, written `:name`, and returns its rows."""

# It leaps from one language to the next in the index, and reads no more rows than there are.
_SPOKEN = """
WITH RECURSIVE spoken (language) AS (
    (SELECT language FROM search_documents ORDER BY language LIMIT 1)
    UNION ALL
    SELECT (SELECT language FROM search_documents WHERE language > spoken.language
            ORDER BY language LIMIT 1)
    FROM spoken WHERE spoken.language IS NOT NULL
)
SELECT language FROM spoken
"""
_STEMS = """
SELECT asked.language, asked.word, ts_lexize(dictionary.oid::regdictionary, asked.word)
FROM unnest(CAST(:languages AS text[]), CAST(:dictionaries AS text[]), CAST(:words AS text[]))
         AS asked (language, name, word)
JOIN pg_catalog.pg_ts_dict AS dictionary ON dictionary.dictname = asked.name
    AND dictionary.dictnamespace = 'pg_catalog'::regnamespace
"""
_MOST_KEPT = 20_000
# What a dictionary makes of a word is the same as long as the server is.
_kept: dict[tuple[str, str], tuple[str, ...]] = {}


def find_stems(find: Find, words: Collection[str], language: str | None) -> dict[str, list[str]]:
    """Return the entries of stems by the words, in one language or in all that items are in."""
    if not words:
        return {}
    spoken = [row[0] for row in find(_SPOKEN, {})] if language is None else [language]
    asked = [(code, word) for code in spoken if code in DICTIONARIES for word in sorted(words)]
    known = {pair: _kept.get(pair) for pair in asked}  # Another thread may clear what is kept.
    missing = [pair for pair, entries in known.items() if entries is None]
    known.update(_make(find, missing) if missing else {})
    stems: dict[str, list[str]] = {}
    for pair in asked:
        stems.setdefault(pair[1], []).extend(known[pair] or ())
    return stems


def _make(find: Find, pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], tuple[str, ...]]:
    parameters = {
        "languages": [code for code, _ in pairs],
        "dictionaries": [DICTIONARIES[code] for code, _ in pairs],
        "words": [word for _, word in pairs],
    }
    made: dict[tuple[str, str], tuple[str, ...]] = dict.fromkeys(pairs, ())
    for code, word, lexemes in find(_STEMS, parameters):
        made[code, word] = tuple(f"={code}{fold(lexeme)}" for lexeme in lexemes or ())
    if len(_kept) + len(made) > _MOST_KEPT:
        _kept.clear()
    _kept.update(made)
    return made
