"""Bodies as WordPress stores them, turned into plain HTML.

WordPress keeps the words of its editor, not the page: paragraphs are blank lines, pictures with
captions and players are shortcodes, and newer texts wrap every block in comments.
"""

import html
import re

from webapp.kit.rendering.sanitising import sanitise

_MORE = re.compile(r"<!--\s*more\b.{0,200}?-->", re.DOTALL)
_CAPTION = re.compile(r"(\[/?(?:wp_)?caption\b[^\[\]]{0,1000}\])")
_CAPTION_ATTRIBUTE = re.compile(r"""\b(caption|align)=(?:"([^"]*)"|'([^']*)')""")
_PICTURE = re.compile(r"\s*((?:<a\b[^<>]*>\s*)?<img\b[^<>]*>(?:\s*</a>)?)(.*)", re.DOTALL)
_PLAYER = re.compile(
    r"""\[(?:audio|embed|video|youtube)\b[\s=](?:[^\[\]]{0,500}?[\s"'=])??(https?://[^\s"'\[\]]+)"""
    r"""[^\[\]]{0,500}\](?:\s{0,9}\[/(?:audio|video)\])?"""
)
_EMBED = re.compile(r"\[embed[^\[\]]{0,500}\]\s{0,9}(https?://[^\s\[\]]+)\s{0,9}\[/embed\]")
_GALLERY = re.compile(r"(?<!\[)\[(?:gallery|playlist)(?:\s[^\[\]]{0,1000})?/?\](?!\])")
_BARE_ADDRESS = re.compile(r"^[ \t]*(https?://[^\s<>\"']+)[ \t]*$", re.MULTILINE)
_BLANK_LINES = re.compile(r"\n[ \t]*\n\s*")

_TAG = re.compile(r"(</?[a-z][a-z0-9]*(?:\s[^<>]*)?>)")
_TAG_NAME = re.compile(r"</?([a-z0-9]+)")
_VOID = frozenset({"br", "col", "hr", "img", "source", "wbr"})
_FLOW = frozenset({"article", "blockquote", "center", "details", "div", "section", "td", "li"})
_BLOCKS = _FLOW | frozenset(
    [
        "aside",
        "caption",
        "dd",
        "dl",
        "dt",
        "figcaption",
        "figure",
        "footer",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "main",
        "ol",
        "p",
        "pre",
        "summary",
        "table",
        "tbody",
        "tfoot",
        "th",
        "thead",
        "tr",
        "ul",
    ]
)


def body_html(source: str) -> str:
    """Turn one stored body into sanitised HTML with real paragraphs and figures."""
    written = source.replace("\r\n", "\n").replace("\r", "\n")
    plain = sanitise(_shortcodes(written))
    if "<!-- wp:" not in written:
        plain = sanitise(_Paragraphs().build(plain))
    else:
        plain = _BLANK_LINES.sub("\n\n", plain)
    return sanitise(_linked(plain)).strip()


def opening(source: str) -> str | None:
    """Give what stands before the "more" mark, or None where the author set none."""
    mark = _MORE.search(source)
    return source[: mark.start()] if mark else None


def _shortcodes(source: str) -> str:
    """Replace the shortcodes that stand for content; unknown ones stay as the text they are."""
    source = _EMBED.sub(r"\n\n\1\n\n", source)
    source = _PLAYER.sub(r"\n\n\1\n\n", source)
    source = _GALLERY.sub("\n\n", source)
    parts = _CAPTION.split(source)
    built, index = [parts[0]], 1
    while index < len(parts):
        code, text = parts[index], parts[index + 1]
        closed = index + 2 < len(parts) and parts[index + 2].startswith("[/")
        if closed and not code.startswith("[/"):
            built += [_figure(code, text), parts[index + 3]]
            index += 4
        else:
            built += [code, text]
            index += 2
    return "".join(built)


def _figure(code: str, inside: str) -> str:
    attributes = {found[0]: found[1] or found[2] for found in _CAPTION_ATTRIBUTE.findall(code)}
    picture = _PICTURE.match(inside)
    image, text = (picture[1], picture[2]) if picture else (inside, "")
    caption = text.strip() or attributes.get("caption", "")
    alignment = html.escape(attributes.get("align", ""))
    legend = f"<figcaption>{caption}</figcaption>" if caption else ""
    return f'\n\n<figure class="{alignment}">{image}{legend}</figure>\n\n'


def _linked(source: str) -> str:
    """Make a link of an address alone on its line, where WordPress would embed the page."""
    parts = _TAG.split(source)
    within_link = within_code = 0
    for index, part in enumerate(parts):
        if index % 2:
            step = -1 if part.startswith("</") else 1
            name = _name(part)
            within_link += step if name == "a" else 0
            within_code += step if name in ("pre", "code") else 0
        elif not within_link and not within_code:
            parts[index] = _BARE_ADDRESS.sub(r'<a href="\1">\1</a>', part)
    return "".join(parts)


def _name(tag: str) -> str:
    found = _TAG_NAME.match(tag)
    return found[1] if found else ""


class _Paragraphs:
    """Builds paragraphs from blank lines and line breaks, in well-formed sanitised HTML.

    Only text that stands directly in the page, or in an element that may hold paragraphs and has
    a blank line, is touched; lists, tables, headings and preformatted text stay as they are.
    """

    def __init__(self) -> None:
        self._built: list[str] = []
        self._run: list[str] = []
        self._open: list[str] = []

    def build(self, source: str) -> str:
        for index, part in enumerate(_TAG.split(source)):
            if index % 2 and _name(part) in _BLOCKS:
                self._end_run()
                self._built.append(part)
                self._track(part)
            else:
                self._run.append(part)
        self._end_run()
        return "".join(self._built)

    def _track(self, tag: str) -> None:
        name = _name(tag)
        if tag.startswith("</"):
            if self._open:
                self._open.pop()
        elif name not in _VOID:
            self._open.append(name)

    def _end_run(self) -> None:
        run, self._run = self._run, []
        text = "".join(run)
        paragraphs = _parted(run)
        within = self._open[-1] if self._open else None
        if within is None or (within in _FLOW and len(paragraphs) > 1):
            self._built += [f"<p>{paragraph}</p>\n" for paragraph in paragraphs]
        else:
            self._built.append(text)


def _parted(run: list[str]) -> list[str]:
    """Part inline HTML at blank lines; a single line break becomes a visible one.

    Both are marked with characters that sanitised text does not hold, so that line breaks inside
    a tag are left alone.
    """
    marked = "".join(
        part if part[:1] == "<" else _BLANK_LINES.sub("\x00", part).replace("\n", "\x01")
        for part in run
    )
    stripped = (part.strip(" \t\n\x01") for part in marked.split("\x00"))
    return [
        part.replace("<br>\x01", "<br>\n").replace("\x01", "<br>\n") for part in stripped if part
    ]
