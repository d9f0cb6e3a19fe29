"""Frames, players and scripts of other sites, which do not pass here, made into links."""

import re
from collections.abc import Callable

from webapp.kit.imports.wordpress_conversion import (
    ELEMENT_ATTRIBUTES,
    Conversion,
    attributes,
    image,
    link,
    web_address,
)

_TOKEN = re.compile(
    rf"(</?(?:embed|frame|iframe|object|param|script|svg)\b{ELEMENT_ATTRIBUTES}>)", re.IGNORECASE
)
_NAME = re.compile(r"</?([a-z]+)", re.IGNORECASE)
_IMAGE = re.compile(rf"<(?:amp-)?img\b({ELEMENT_ATTRIBUTES})>", re.IGNORECASE)
_STYLED = re.compile(rf"<([a-z][a-z0-9]*)\b({ELEMENT_ATTRIBUTES})>", re.IGNORECASE)
_BACKGROUND = re.compile(r"""background(?:-image)?\s*:[^;]{0,200}?url\(\s*["']?([^"')]{1,2000})""")
_ALIGNMENT = re.compile(r"(?:^|;)\s*text-align\s*:\s*(left|right|center|justify)\b")
_ALIGNED = frozenset(["div", "h1", "h2", "h3", "h4", "h5", "h6", "p", "table", "td", "th", "tr"])
_LAZY = ("data-src", "data-lazy-src", "data-original", "data-orig-file")

# These only dress up a quotation or a link that stands beside them, or show nothing to a reader.
_LOADER = re.compile(
    r"//(?:platform\.(?:twitter|instagram)|[\w.]*(?:instagram|facebook|tiktok|codepen)|"
    r"embed\.redditmedia|assets\.pinterest)\.\w+/|adsbygoogle|googletagmanager|google-analytics",
    re.IGNORECASE,
)


def embeds_as_links(source: str, conversion: Conversion) -> str:
    """Put a link where an embed was; what has no address to link to is noted."""
    return _Embeds(conversion).replaced(source)


def styles_as_attributes(source: str) -> str:
    """Keep what only a style says: the alignment of a text, and a picture in the background."""

    def restyled(found: re.Match[str]) -> str:
        name, written = found[1].lower(), found[2]
        if "style" not in written:
            return found[0]
        given = attributes(written)
        style = given.get("style", "")
        alignment = _ALIGNMENT.search(style)
        if alignment and name in _ALIGNED and "align" not in given:
            written = f'{written.rstrip("/")} align="{alignment[1]}"'
        picture = _BACKGROUND.search(style)
        address = web_address(picture[1]) if picture else ""
        # A block that shows the same picture as an element needs no second one.
        shown = f"<figure>{image(address)}</figure>" if address and address not in elsewhere else ""
        return f"<{found[1]}{written}>{shown}"

    elsewhere = {attributes(found).get("src", "") for found in _IMAGE.findall(source)}
    return _STYLED.sub(restyled, source)


def lazy_pictures(source: str, conversion: Conversion) -> str:
    """Give pictures that a script was to load their address, and note those without any."""

    def loaded(found: re.Match[str]) -> str:
        given = attributes(found[1])
        if web_address(given.get("src", "")) and not found[0].lower().startswith("<amp-"):
            return found[0]
        # Of several sizes the first is as good as any.
        sizes = given.get("srcset", given.get("data-srcset", "")).split(maxsplit=1)
        written = [given.get(name, "") for name in ("src", *_LAZY)] + sizes[:1]
        address = next((a for one in written if (a := web_address(one.rstrip(",")))), "")
        if address:
            return image(address, given.get("alt", ""))
        if given.get("src", "").startswith("data:"):
            conversion.lost("picture written into the text itself (data:)")
        return found[0]

    return _IMAGE.sub(loaded, source)


class _Embeds:
    """Walks over the tags of embeds once, whatever is left open."""

    def __init__(self, conversion: Conversion) -> None:
        self._conversion = conversion
        self._objects: list[str] = []
        self._steps: dict[str, Callable[[str], str]] = {
            "frame": self._frame,
            "iframe": self._frame,
            "script": self._script,
            "embed": self._embed,
            "object": self._object,
            "param": self._param,
        }

    def replaced(self, source: str) -> str:
        parts = _TOKEN.split(source)
        last_end = {_name(t): i for i, t in enumerate(parts) if i % 2 and t.startswith("</")}
        built, index = [parts[0]], 1
        while index < len(parts):
            token, name = parts[index], _name(parts[index])
            opens = not token.startswith("</")
            built.append(self._step(token, name, opens=opens))
            if opens and name in ("iframe", "script", "svg") and last_end.get(name, 0) > index:
                end = index + 2
                while not (parts[end].startswith("</") and _name(parts[end]) == name):
                    end += 2
                index = end
            built.append(parts[index + 1])
            index += 2
        while self._objects:
            built.append(self._end_of_object())
        return "".join(built)

    def _step(self, token: str, name: str, *, opens: bool) -> str:
        if not opens:
            return self._end_of_object() if name == "object" and self._objects else ""
        if name == "svg":
            return self._conversion.lost("drawing (svg)")
        return self._steps[name](token)

    def _frame(self, token: str) -> str:
        return self._linked(attributes(token), ("src", *_LAZY), "frame without an address")

    def _script(self, token: str) -> str:
        given = attributes(token)
        address = given.get("src", "")
        if not address or _LOADER.search(address):
            return "" if address else self._conversion.lost("script")
        shown = address.removesuffix(".js") if "//gist.github.com/" in address else address
        return self._paragraph(web_address(shown)) or self._conversion.lost("script")

    def _embed(self, token: str) -> str:
        given = attributes(token)
        if self._objects:
            self._objects[-1] = self._objects[-1] or web_address(given.get("src", ""))
            return ""
        return self._linked(given, ("src",), "player without an address")

    def _object(self, token: str) -> str:
        self._objects.append(web_address(attributes(token).get("data", "")))
        return ""

    def _end_of_object(self) -> str:
        shown = self._paragraph(self._objects.pop())
        return shown or self._conversion.lost("player without an address")

    def _param(self, token: str) -> str:
        given = attributes(token)
        if self._objects and given.get("name", "").lower() in ("movie", "src", "url"):
            self._objects[-1] = self._objects[-1] or web_address(given.get("value", ""))
        return ""

    def _linked(self, given: dict[str, str], names: tuple[str, ...], otherwise: str) -> str:
        address = next((a for name in names if (a := web_address(given.get(name, "")))), "")
        return self._paragraph(address) or self._conversion.lost(otherwise)

    def _paragraph(self, address: str) -> str:
        return f"\n\n{link(address)}\n\n" if address else ""


def _name(token: str) -> str:
    found = _NAME.match(token)
    return found[1].lower() if found else ""
