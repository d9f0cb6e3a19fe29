"""What the block editor keeps outside a body: reusable blocks, footnotes, blocks without HTML."""

import html
import json
import re

from webapp.kit.imports.wordpress_conversion import Conversion

MOST_REUSED = 200
"""Reusable blocks put into one body; blocks within blocks count as well."""

MOST_REUSED_CHARACTERS = 2_000_000
"""Text of reusable blocks put into one body."""

_COMMENT = re.compile(r"(<!--\s{1,20}wp:(?:core/)?block\s[^<>]{0,2000}?/-->)")
_REFERENCE = re.compile(r'"ref"\s*:\s*"?([0-9]{1,20})\b')
_FOOTNOTES = re.compile(r"<!--\s{1,20}wp:footnotes\b[^<>]{0,500}/-->")
_WITHOUT_HTML = re.compile(r"<!--\s{1,20}wp:([a-z][\w/-]{0,80})\b[^<>]{0,100000}?/-->")
_SHOWS_NOTHING = frozenset(
    {"block", "core/block", "footnotes", "more", "nextpage", "paragraph", "separator", "spacer"}
)


def put_blocks_in(source: str, conversion: Conversion) -> str:
    """Put the text of reusable blocks where a body points to them, also block within block."""
    built: list[str] = []
    # The blocks that are open around each part, so that none is put into itself.
    waiting = [(part, frozenset[str]()) for part in reversed(_COMMENT.split(source))]
    put_in = characters = 0
    while waiting:
        part, within = waiting.pop()
        reference = _REFERENCE.search(part) if _COMMENT.fullmatch(part) else None
        if reference is None:
            built.append(part)
            continue
        text = conversion.library().blocks.get(reference[1])
        put_in += 1
        characters += len(text or "")
        if text is None or reference[1] in within:
            conversion.lost("reusable block that is not in the file, or not public there")
        elif put_in > MOST_REUSED or characters > MOST_REUSED_CHARACTERS:
            conversion.lost("reusable block beyond what one article may hold")
        else:
            inside = within | {reference[1]}
            waiting += [(inner, inside) for inner in reversed(_COMMENT.split(text))]
    return "".join(built)


def put_footnotes_in(source: str, conversion: Conversion) -> str:
    """Put the notes where their block stands, or at the end; marks and notes lead to each other."""
    notes = _notes(conversion)
    items = "".join(
        f'<li id="{html.escape(name)}">{text} <a href="#{html.escape(name)}-link">↩</a></li>'
        for name, text in notes
    )
    listed = f"<ol>{items}</ol>" if items else ""
    before, block, after = _parted(source)
    if block and not notes and not conversion.footnotes.strip():
        conversion.lost("footnotes that are not in the file")
    return f"{before}{listed}{after}" if block else f"{source}\n\n{listed}" if listed else source


def note_blocks_without_html(source: str, conversion: Conversion) -> None:
    """Note the blocks that only the site itself fills, such as lists of the latest posts."""
    for name in _WITHOUT_HTML.findall(source):
        if name not in _SHOWS_NOTHING:
            conversion.lost(f"block that the site itself fills ({name.removeprefix('core/')})")


def _parted(source: str) -> tuple[str, str, str]:
    found = _FOOTNOTES.search(source)
    if found is None:
        return source, "", ""
    return source[: found.start()], found[0], source[found.end() :]


def _notes(conversion: Conversion) -> list[tuple[str, str]]:
    """Read the notes as the block editor keeps them: JSON of a list of `id` and `content`."""
    if not conversion.footnotes.strip():
        return []
    try:
        stored = json.loads(conversion.footnotes)
        return [(str(note["id"]), str(note["content"])) for note in stored]
    except (ValueError, TypeError, KeyError, RecursionError):
        conversion.lost("footnotes that cannot be read")
        return []
