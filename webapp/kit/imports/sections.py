"""What the index page of a section says for all the pages below it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from webapp.kit.imports.article import ImportProblem, JsonValue, NotAnArticle
from webapp.kit.imports.front_matter import split
from webapp.kit.imports.keys import Fields, is_state, plain_name, read_keys
from webapp.kit.imports.publicity import answer_of

INDEX_NAMES = ("_index.md", "_index.markdown")


@dataclass(frozen=True, slots=True)
class Section:
    """What a page gets from the sections that it lies in.

    `inherited` are keys of its state that it has unless it says otherwise (Hugo's `cascade`), and
    `held_back` is a reason that it cannot say anything against.
    """

    inherited: Fields = field(default_factory=dict)
    held_back: str | None = None


def read_section(text: str, source: str, above: Section) -> Section:
    """Read an index page; `above` is the section that it lies in.

    A draft of a section hides all that is in it, as in Zola. Where several tables in `cascade` say
    different things of one key, nobody knows here which page is meant by which, so all are held
    back. Raises ImportProblem where it cannot be read.
    """
    try:
        written, _ = split(text, source)
    except NotAnArticle:
        return above
    fields, rest = read_keys(written, source)
    section = PurePosixPath(source).parent.as_posix()
    held_back = above.held_back
    if held_back is None and answer_of(fields.get("draft")) not in ("nothing", "no"):
        held_back = f"its section {section!r} is a draft"
    inherited: Fields = {}
    for table in _cascades(rest, source):
        for key, value in table.items():
            if inherited.setdefault(key, value) != value and held_back is None:
                held_back = f"its section {section!r} says different things of {key!r}"
    return Section({**above.inherited, **inherited}, held_back)


def _cascades(rest: Mapping[str, JsonValue], source: str) -> list[Fields]:
    tables = next((value for key, value in rest.items() if plain_name(key) == "cascade"), None)
    found = [read_keys(table, source)[0] for table in _listed(tables) if isinstance(table, dict)]
    return [{key: table[key] for key in table if is_state(key)} for table in found]


def _listed(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else [value]


def refusal(source: str, problem: ImportProblem) -> ImportProblem:
    """Say of a page that its section cannot be read, so nobody knows whether it may be public."""
    return ImportProblem(source, f"its section's {problem.source} {problem.reason}")
