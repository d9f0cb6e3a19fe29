"""What versions are found by: their words, and the stems that PostgreSQL's dictionaries make."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Session

from webapp.kit.rendering.excerpts import plain_text
from webapp.kit.search.documents import Entries, SearchedText, entries_of
from webapp.kit.search.languages import DICTIONARIES, SIMPLE, language_of
from webapp.kit.search.words import fold
from webapp.services.content.version_texts import SavedVersion

SEARCH_LANGUAGE = "search_language"
"""The name, in a session's `info`, of the language of items that name none."""

# A dictionary that this server has not is no row, and so no error.
_STEMS = text(
    """
    SELECT word, ts_lexize(dictionary.oid::regdictionary, word)
    FROM pg_catalog.pg_ts_dict AS dictionary, unnest(:words) AS word
    WHERE dictionary.dictname = :dictionary
      AND dictionary.dictnamespace = 'pg_catalog'::regnamespace
    """
).bindparams(bindparam("words", type_=ARRAY(TEXT)))


@dataclass(frozen=True)
class FoundBy:
    """What one version is found by: its language, and what PostgreSQL casts to a tsvector."""

    language: str
    words: str


def found_by(session: Session, versions: Sequence[SavedVersion]) -> list[FoundBy]:
    """Return what versions are found by, in their order, with one statement for each language."""
    default = session.info.get(SEARCH_LANGUAGE, SIMPLE)
    languages = [language_of(version.details, default) for version in versions]
    made = [entries_of(_searched_text(version)) for version in versions]
    for code in set(languages) & DICTIONARIES.keys():
        of_language = [
            entries for entries, language in zip(made, languages, strict=True) if language == code
        ]
        _add_stems(session, code, of_language)
    return [
        FoundBy(language, entries.as_tsvector())
        for entries, language in zip(made, languages, strict=True)
    ]


def _add_stems(session: Session, code: str, documents: Sequence[Entries]) -> None:
    words = {plain for entries in documents for plain in entries.plain}
    found = session.execute(_STEMS, {"words": sorted(words), "dictionary": DICTIONARIES[code]})
    stems: Mapping[str, list[str]] = {
        word: [fold(stem) for stem in lexemes or ()] for word, lexemes in found
    }
    for entries in documents:
        entries.add_stems(code, stems)


def _searched_text(version: SavedVersion) -> SearchedText:
    return SearchedText(
        title=version.title,
        tags=tuple(version.tags),
        excerpt=version.excerpt,
        body=readable_text(version.body, version.body_format),
    )


def readable_text(body: str, body_format: str) -> str:
    """Return a text without the tags of HTML; Markdown is read as it is written."""
    return plain_text(body) if body_format == "html" else body
