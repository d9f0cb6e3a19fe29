"""The stems of a query's words, in each language that items are searched in."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from webapp.kit.search.languages import DICTIONARIES
from webapp.kit.search.words import fold

Find = Callable[[str, Mapping[str, Any]], Sequence[Any]]
"""Runs a statement with named parameters, written `:name`, and returns its rows."""

# It leaps from one language to the next in the index, and reads no more rows than there are.
_STEMS = """
WITH RECURSIVE spoken (language) AS (
    (SELECT language FROM search_documents ORDER BY language LIMIT 1)
    UNION ALL
    SELECT (SELECT language FROM search_documents WHERE language > spoken.language
            ORDER BY language LIMIT 1)
    FROM spoken WHERE spoken.language IS NOT NULL
)
SELECT word, known.language, ts_lexize(dictionary.oid::regdictionary, word)
FROM unnest(CAST(:languages AS text[]), CAST(:dictionaries AS text[])) AS known (language, name)
JOIN pg_catalog.pg_ts_dict AS dictionary ON dictionary.dictname = known.name
    AND dictionary.dictnamespace = 'pg_catalog'::regnamespace
CROSS JOIN unnest(CAST(:words AS text[])) AS word
WHERE CASE WHEN CAST(:wanted AS text) IS NULL
    THEN known.language IN (SELECT language FROM spoken) ELSE known.language = :wanted END
"""


def find_stems(find: Find, words: Collection[str], language: str | None) -> dict[str, list[str]]:
    """Return the entries of stems by the words, in one language or in all that items are in."""
    if not words or (language is not None and language not in DICTIONARIES):
        return {}
    parameters = {
        "languages": list(DICTIONARIES),
        "dictionaries": list(DICTIONARIES.values()),
        "words": sorted(words),
        "wanted": language,
    }
    stems: dict[str, list[str]] = {}
    for word, code, lexemes in find(_STEMS, parameters):
        stems.setdefault(word, []).extend(f"={code}{fold(lexeme)}" for lexeme in lexemes or ())
    return stems
