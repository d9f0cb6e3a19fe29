"""What authors write beyond CommonMark: bare addresses and lists of tasks."""

import re
from collections.abc import Iterator

from markdown_it.rules_core import StateCore
from markdown_it.token import Token

# An address ends before a blank, an angle bracket, a quote, or a sign of Chinese or Japanese prose.
_ADDRESS = re.compile(
    r"(?<![A-Za-z0-9_/:])https?://[^\s<>\"'`，。、；：！？（）【】《》「」“”‘’]+", re.IGNORECASE
)
_ENDING = "?!.,:;*_~"
_BOX = re.compile(r"\[([ xX])\](?=\s)")
_BOXES = {" ": "☐", "x": "☑"}


def link_addresses(state: StateCore) -> None:
    """Make links of addresses that stand bare in the text, in one walk."""
    for token in state.tokens:
        if token.type == "inline" and token.children and "://" in token.content:
            token.children = list(_linked(state, token.children))


def _linked(state: StateCore, tokens: list[Token]) -> Iterator[Token]:
    in_link = 0
    for token in tokens:
        if token.type in ("link_open", "link_close"):
            in_link += token.nesting
        elif token.type == "html_inline":
            lowered = token.content[:3].lower()
            in_link += lowered.startswith("<a") and token.content[2:3] in " >\n\t"
            in_link -= token.content[:4].lower() == "</a>" and in_link > 0
        if token.type == "text" and not in_link and "://" in token.content:
            yield from _parted(state, token)
        else:
            yield token


def _parted(state: StateCore, token: Token) -> Iterator[Token]:
    position = 0
    for found in _ADDRESS.finditer(token.content):
        shown = _trimmed(found[0])
        target = state.md.normalizeLink(shown)
        if not state.md.validateLink(target) or shown.endswith("://"):
            continue
        yield _text(token.content[position : found.start()], token.level)
        opening = Token("link_open", "a", 1, attrs={"href": target}, level=token.level)
        yield opening
        yield _text(shown, token.level + 1)
        yield Token("link_close", "a", -1, level=token.level)
        position = found.start() + len(shown)
    yield _text(token.content[position:], token.level)


def _trimmed(address: str) -> str:
    """Leave the end of the sentence, and a bracket that was opened before, outside the address."""
    closing = address.count(")") - address.count("(")
    end = len(address)
    while end and (address[end - 1] in _ENDING or (address[end - 1] == ")" and closing > 0)):
        closing -= address[end - 1] == ")"
        end -= 1
    return address[:end]


def _text(content: str, level: int) -> Token:
    return Token("text", "", 0, content=content, level=level)


def mark_tasks(state: StateCore) -> None:
    """Show `- [ ] to do` and `- [x] done` as boxes; a form's element would not pass."""
    tokens = state.tokens
    for item, paragraph, inline in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if item.type != "list_item_open" or paragraph.type != "paragraph_open":
            continue
        first = inline.children[0] if inline.children else None
        box = _BOX.match(first.content) if first is not None and first.type == "text" else None
        if first is not None and box is not None:
            first.content = _BOXES[box[1].lower()] + first.content[box.end() :]
            item.attrSet("class", "task-list-item")
