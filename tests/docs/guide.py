"""Reads a guide whose blocks can be run: what each block is, and what it says is printed.

A block is fenced and says its kind. `console` holds commands after `$ ` and what they print;
`console fails` one whose last command ends with an error; `console as written` commands that are
not tried with `alembic` in the place of `flask db`. `python` is the body of a migration, `diff` a
change of the code, `yaml` a list of CI steps. In what is printed `…` stands for a part of a line,
and on a line of its own for any number of lines. Twelve hexadecimal digits that are no revision of
the chain stand for an id that is made in the block that prints them first.

A comment before the first block of a section says in what database the section begins:
`<!-- database: a1f2c3d4e5f6 -->`, or `head`, or `empty`, and then perhaps `, with rows`. Before a
block, `<!-- before: flask db downgrade -1 -->` is a command that brings about what the block is
about, and `<!-- meanwhile: LOCK TABLE … -->` what somebody else does at the same time.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

KINDS = {"console", "console fails", "console as written", "python", "diff", "yaml"}
DIRECTIVE = re.compile(r"<!-- (database|before|meanwhile): (.+) -->")
EXAMPLE_ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{12}(?![0-9a-f])")


@dataclass(frozen=True)
class Command:
    """One command line, and the lines that it prints."""

    line: str
    printed: tuple[str, ...]


@dataclass(frozen=True)
class Block:
    """A fenced block, the heading above it and the number of its first line in the file."""

    kind: str
    lines: tuple[str, ...]
    heading: str
    number: int
    before: tuple[str, ...]
    meanwhile: tuple[str, ...]

    @property
    def text(self) -> str:
        """The block as it stands."""
        return "\n".join(self.lines) + "\n"

    def commands(self) -> list[Command]:
        """Return the commands of a console block; ValueError where it begins with none."""
        found: list[tuple[str, list[str]]] = []
        for line in self.lines:
            if line.startswith("$ "):
                found.append((line.removeprefix("$ "), []))
            elif not found:
                raise ValueError(f"Line {self.number}: a console block begins with a command.")
            else:
                found[-1][1].append(line)
        return [Command(line, tuple(printed)) for line, printed in found]


@dataclass
class Section:
    """A part of the guide, under a heading of the second rank."""

    title: str
    database: str = ""
    blocks: list[Block] = field(default_factory=list)

    def __str__(self) -> str:
        """Return the title."""
        return self.title


def read_sections(text: str) -> list[Section]:
    """Return the sections with their blocks.

    Raises ValueError for a block without a known kind, and for a section that has blocks and does
    not say in what database it begins.
    """
    sections: list[Section] = []
    heading, waiting = "", defaultdict[str, list[str]](list)
    lines = iter(enumerate(text.splitlines(), start=1))
    for number, line in lines:
        directive = DIRECTIVE.fullmatch(line)
        if line.startswith("#"):
            heading = line.lstrip("# ")
        if line.startswith("## "):
            sections.append(Section(heading))
        elif directive and directive[1] == "database":
            sections[-1].database = directive[2]
        elif directive:
            waiting[directive[1]].append(directive[2])
        elif line.startswith("```"):
            kind = line.removeprefix("```")
            if kind not in KINDS:
                raise ValueError(f"Line {number}: no known kind of block: {kind!r}.")
            body = tuple(_until_fence(lines))
            before, meanwhile = tuple(waiting["before"]), tuple(waiting["meanwhile"])
            sections[-1].blocks.append(Block(kind, body, heading, number, before, meanwhile))
            waiting.clear()
    for section in sections:
        if section.blocks and not section.database:
            raise ValueError(f"{section.title}: in what database does this section begin?")
    return sections


def table_commands(text: str) -> list[tuple[str, str]]:
    """Return the commands of the guide's table, each for `flask db` and for `alembic`."""
    rows = re.findall(r"^\| [^|]+ \| `(flask db [^`]+)` \| `(alembic [^`]+)` \|$", text, re.M)
    return [(flask, alembic) for flask, alembic in rows]


def pattern_of(printed: tuple[str, ...], ids: dict[str, str]) -> re.Pattern[str]:
    """Return what matches the printed lines; `ids` are the example ids known so far."""
    parts = []
    for line in printed:
        if line.strip() == "…":
            parts.append(r"(?:[^\n]*\n)*?")
        elif line.strip():
            parts.append(_pattern_of_line(line.rstrip(), ids) + r"\n")
    # A group for an id may be named once only; where it comes again it must be the same.
    seen: set[str] = set()

    def once(found: re.Match[str]) -> str:
        name = found[1]
        if name in seen:
            return f"(?P=id_{name})"
        seen.add(name)
        return found[0]

    return re.compile(re.sub(r"\(\?P<id_([0-9a-f]{12})>\[0-9a-f\]\{12\}\)", once, "".join(parts)))


def _pattern_of_line(line: str, ids: dict[str, str]) -> str:
    escaped = re.escape(line).replace("…", r"[^\n]*")
    return EXAMPLE_ID.sub(lambda found: ids.get(found[0], _named_group(found[0])), escaped)


def _named_group(example: str) -> str:
    return f"(?P<id_{example}>[0-9a-f]{{12}})"


def _until_fence(lines: Iterator[tuple[int, str]]) -> Iterator[str]:
    for _, line in lines:
        if line == "```":
            return
        yield line
    raise ValueError("A block does not end.")
