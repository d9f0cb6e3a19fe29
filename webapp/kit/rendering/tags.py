"""HTML reduced to its text and the tags that may pass, before any parser sees it.

A parser of HTML drops more than tags: an unknown element that has the name of one of MathML or
SVG goes with all its text, and an unclosed `<title>` swallows the rest of the page. Here a tag
that may not pass loses itself alone, and what stood in a frame becomes a link to it. What is left
is text without "<", and whole tags; it still has to be sanitised.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

# The tokenisation of the HTML standard: quotes count only behind an equals sign.
_TAG = re.compile(
    r"""
    <(?P<end>/?)(?P<name>[a-z][^\s/>]*+)
    (?P<attributes>(?:
        [\s/]++
      | (?:=[^\s/>=]*+|[^\s/>=]++)
        (?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|(?!["'])[^\s>]++|(?=>))|(?!\s*+=))
    )*+)>
    """,
    re.IGNORECASE | re.VERBOSE,
)
_COMMENT_END = re.compile(r"--!?>")
_ADDRESS = re.compile(
    r"""(?<![^\s"'/])(?P<name>src|data|data-src|title)\s*=\s*
        (?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>[^\s>"']+))""",
    re.IGNORECASE | re.VERBOSE,
)
_WEB_ADDRESS = re.compile(r"https?://[^\s/]|//[^\s/]|/[^\s/]|[\w.-]+(?:/|$)", re.IGNORECASE)

# What these hold is code or a picture, or no part of the page. Where no end tag follows, the start
# tag is a slip of the pen, and what follows is text.
_DROPPED_WITH_CONTENT = frozenset(
    {"annotation", "annotation-xml", "head", "iframe", "script", "style", "svg", "template"}
)
_EMBEDS = frozenset({"iframe", "embed", "object"})

# After so many tags without an end, each of which was looked for to the end of the text, there is
# none to expect any more.
_MOST_UNENDED_TAGS = 20


@dataclass(frozen=True, slots=True)
class Tag:
    """One whole tag: its name in lower case, and the tag as it was written."""

    name: str
    is_end: bool
    source: str


class _Scanner:
    """Walks once through a text; each search that fails is not repeated."""

    def __init__(self, source: str, allowed: frozenset[str]) -> None:
        self._source = source
        self._allowed = allowed
        self._unended_tags = 0
        self._without_end: set[str] = set()
        self._linked = ""

    def pieces(self) -> Iterator[str | Tag]:
        source, position = self._source, 0
        while True:
            found = source.find("<", position)
            if found < 0:
                yield source[position:]
                return
            if found > position:
                yield source[position:found]
            tag = self._tag(found)
            if tag is not None:
                yield from self._of_tag(tag)
                position = self._end_of_content(tag)
                continue
            position = self._end_of_comment(found)
            if position == found:
                yield "&lt;"
                position += 1

    def _tag(self, position: int) -> re.Match[str] | None:
        letter = self._source[position + 1 : position + 3].removeprefix("/")[:1]
        if not (letter.isascii() and letter.isalpha()) or self._unended_tags > _MOST_UNENDED_TAGS:
            return None
        tag = _TAG.match(self._source, position)
        self._unended_tags += tag is None
        return tag

    def _of_tag(self, tag: re.Match[str]) -> Iterator[str | Tag]:
        name = tag["name"].lower()
        if name in self._allowed:
            yield Tag(name, bool(tag["end"]), tag[0])
        elif name in _EMBEDS and not tag["end"]:
            yield from self._link(tag["attributes"])

    def _link(self, attributes: str) -> Iterator[str | Tag]:
        """Put a link in the place of a frame, once for an object and the frame within."""
        given: dict[str, str] = {}
        for found in _ADDRESS.finditer(attributes):
            value = found["double"] or found["single"] or found["bare"] or ""
            given.setdefault(found["name"].lower(), html.unescape(value).strip())
        addresses = [given.get(name, "") for name in ("src", "data", "data-src")]
        address = next((one for one in addresses if _WEB_ADDRESS.match(one)), "")
        if address and address != self._linked and "a" in self._allowed:
            self._linked = address
            yield Tag("a", False, f'<a href="{html.escape(address)}">')
            yield html.escape(given.get("title") or address, quote=False)
            yield Tag("a", True, "</a>")

    def _end_of_content(self, tag: re.Match[str]) -> int:
        """Return where reading goes on: behind the tag, or behind all that goes with it."""
        name = tag["name"].lower()
        is_empty = tag["end"] or tag["attributes"].endswith("/")
        if name not in _DROPPED_WITH_CONTENT or is_empty:
            return tag.end()
        return self._search(rf"</{name}(?=[\s/>])[^>]*>", tag.end()) or tag.end()

    def _end_of_comment(self, position: int) -> int:
        """Return the end of a comment, or `position` itself where none begins or none ends."""
        source = self._source
        if source.startswith("<!--", position):
            for short in ("<!-->", "<!--->"):
                if source.startswith(short, position):
                    return position + len(short)
            return self._search(_COMMENT_END.pattern, position + 4) or position
        if source.startswith(("<!", "<?", "</"), position):
            following = source[position + 2 : position + 3]
            if source[position + 1] == "/" and following.isascii() and following.isalpha():
                return position
            return self._search(">", position + 2) or position
        return position

    def _search(self, pattern: str, position: int) -> int | None:
        if pattern in self._without_end:
            return None
        found = re.compile(pattern, re.IGNORECASE).search(self._source, position)
        if found is None:
            self._without_end.add(pattern)
            return None
        return found.end()


def read_pieces(source: str, allowed: frozenset[str]) -> Iterator[str | Tag]:
    """Yield the text of `source`, without any "<", and the tags whose names are allowed."""
    return _Scanner(source, allowed).pieces()
