"""Checks that every imported text passes before anything is built from it.

PostgreSQL stores no NUL character and UTF-8 has no lone surrogates; found here, either is a named
problem of one file, found by the database it would end the whole import.
"""

import codecs
import re
import unicodedata
from collections.abc import Iterable
from datetime import date, datetime, time

from webapp.kit.imports.article import LABEL_LIMIT, TITLE_LIMIT, ImportProblem, JsonValue
from webapp.kit.json_values import LARGEST_INTEGER
from webapp.kit.visible_lines import make_line

_ADDRESS = re.compile(r"[<(\[]?(?:mailto:)?[^\s@<>()\[\]]+@[^\s@<>()\[\]]+[>)\]]?")
_MAX_DEPTH = 20
_LARGEST_IN_TENS = 2**256  # Python refuses to print huge numbers in tens.


def decode(data: bytes, source: str) -> str:
    """Decode a file's bytes as UTF-8, with or without a byte order mark.

    Raises ImportProblem naming the offset of the first byte that is not UTF-8.
    """
    try:
        return data.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as error:
        marked = len(data) - len(data.removeprefix(codecs.BOM_UTF8))
        reason = f"is not UTF-8: byte {data[marked + error.start]:#04x} at offset"
        raise ImportProblem(source, f"{reason} {marked + error.start}") from error


def storable(text: str, source: str, place: str = "the text") -> str:
    """Return `text` as it is; raises ImportProblem where it holds what cannot be stored."""
    nul = text.find("\x00")
    if nul >= 0:
        raise ImportProblem(source, f"{place} has a NUL character at position {nul}")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        reason = f"{place} has half a surrogate pair at position {error.start}"
        raise ImportProblem(source, reason) from error
    return text


def json_value(value: object, source: str, place: str, depth: int = 0) -> JsonValue:
    """Turn what a TOML or YAML parser gives into storable JSON; times become ISO 8601 text."""
    if depth > _MAX_DEPTH:
        raise ImportProblem(source, f"{place} is nested too deep")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return storable(value, source, place)
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, dict):
        named = {str(json_value(key, source, "a key")): item for key, item in value.items()}
        return {key: json_value(item, source, repr(key), depth + 1) for key, item in named.items()}
    if isinstance(value, set):
        value = sorted(value, key=repr)
    if isinstance(value, list | tuple):
        return [json_value(item, source, place, depth + 1) for item in value]
    raise ImportProblem(source, f"{place} holds a value of the kind {type(value).__name__}")


def _number(value: float) -> JsonValue:
    """Give a number that every JSON reader keeps; another one stays what it is as a text."""
    if abs(value) <= LARGEST_INTEGER:
        return value
    is_huge = isinstance(value, int) and abs(value) >= _LARGEST_IN_TENS
    return hex(int(value)) if is_huge else str(value)


def title_line(text: str, source: str) -> str:
    """Give a title on one line; raises ImportProblem for one longer than `TITLE_LIMIT`."""
    title = make_line(text)
    if len(title) > TITLE_LIMIT:
        reason = f"the title has {len(title)} characters; {TITLE_LIMIT} are allowed"
        raise ImportProblem(source, reason)
    return title


def labels(names: Iterable[str], source: str, kind: str) -> tuple[str, ...]:
    """Give names of tags and the like on one line each, without empty and repeated ones."""
    kept: dict[str, str] = {}
    for name in names:
        label = make_label(name)
        if len(label) > LABEL_LIMIT:
            reason = f"a name among the {kind} has {len(label)} characters; {LABEL_LIMIT} may have"
            raise ImportProblem(source, reason)
        if label:
            kept.setdefault(label.casefold(), label)
    return tuple(kept.values())


def make_label(name: str) -> str:
    """Give a name on one line, and in one form of Unicode: another editor names nobody else."""
    return unicodedata.normalize("NFC", make_line(name))


def without_addresses(name: str) -> str:
    """Give an author's name without the mail addresses in it, which no reader may see.

    It is empty where an address is all that there is.
    """
    if "@" not in name:
        return name
    return re.sub(r" +([,;])", r"\1", make_line(_ADDRESS.sub(" ", name))).strip(" ,;")
