"""Ids of headings: the author's own where one is written, else made as GitHub makes them."""

import re
import unicodedata
from collections.abc import Sequence

from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from webapp.kit.rendering.sanitising import FRAGMENT_LENGTH, is_fragment_name

ROOM_FOR_NUMBER = 12

# What Hugo, Pandoc, kramdown and Docusaurus read behind a heading: `{#own-id}`, `{: #own-id .x}`.
_ATTRIBUTES = re.compile(r"\s*\{:?\s*((?:[#.][^\s{}#]+\s*)+)\}\s*$")


def give_heading_ids(state: StateCore) -> None:
    """Give every heading an id that no other has; a written one goes first and is not shown."""
    opened = [
        (opening, content)
        for opening, content in zip(state.tokens, state.tokens[1:], strict=False)
        if opening.type == "heading_open"
    ]
    names = _Names()
    made = []
    for opening, content in opened:
        own = _take_own_id(content.children or [])
        if own is None:
            made.append((opening, content))
        else:
            opening.attrSet("id", names.distinct(own))
    for opening, content in made:
        opening.attrSet("id", names.distinct(fragment_of(_spoken(content.children or ()))))


def fragment_of(heading: str) -> str:
    """Make an id of a heading's text, as GitHub does.

    Lower case, spaces become hyphens, letters and digits of every script stay, and punctuation but
    "-" and "_" goes: "What's next" gives `whats-next`, "1.2" gives `12`.
    """
    kept = [
        "-" if sign.isspace() else sign
        for sign in heading.strip().lower()
        if sign in "-_" or sign.isalnum() or sign.isspace()
        or unicodedata.category(sign)[0] == "M"
    ]  # fmt: skip
    return "".join(kept)[: FRAGMENT_LENGTH - ROOM_FOR_NUMBER] or "section"


class _Names:
    """Hands out each name once: the second `end` is `end-1`, in steps that do not grow."""

    def __init__(self) -> None:
        self._next: dict[str, int] = {}

    def distinct(self, name: str) -> str:
        candidate = name
        while candidate in self._next:
            self._next[name] += 1
            candidate = f"{name}-{self._next[name]}"
        self._next[candidate] = 0
        return candidate


def _take_own_id(tokens: list[Token]) -> str | None:
    """Take `{#own-id}` from the end of a heading's text and return the id, if there is one."""
    if not tokens or tokens[-1].type != "text":
        return None
    last = tokens[-1]
    # Searched in the end only: what is longer than an id and its classes is none of them.
    start = max(last.content.rfind("{"), 0)
    found = _ATTRIBUTES.fullmatch(last.content, start)
    if found is None:
        return None
    last.content = last.content[:start].rstrip()
    ids = [word[1:] for word in found[1].split() if word.startswith("#")]
    return next((own for own in ids if is_fragment_name(own)), None)


def _spoken(tokens: Sequence[Token]) -> str:
    return "".join(
        " " if token.type in ("softbreak", "hardbreak") else token.content
        for token in tokens
        if token.type in ("text", "code_inline", "softbreak", "hardbreak")
    )
