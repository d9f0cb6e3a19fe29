"""XML as other systems write it, mended while it is read.

One control character, one bare ampersand or one byte of another encoding makes a file no XML at
all, and a strict reader loses everything that follows. Here each is mended, and a mark is left in
its place that XML allows and no text holds, so that the reader can name the item that it was in.
"""

import codecs
import html
import re
from typing import IO, Final

FORBIDDEN: Final = "\ufdd0"
"""Stands where a character was taken out that XML forbids."""

AS_HTML: Final = "\ufdd1"
"""Stands behind an ampersand or a "<" that XML does not know and HTML reads as a character."""

UNDECODED: Final = "\ufdd2"
"""Stands behind the sign that replaces a byte that the file's encoding does not have."""

# Unicode keeps these for the use inside a program; no text that is exchanged may hold them.
_MARKS = re.compile("[\ufdd0-\ufdef]")

# XML 1.0, production 2 (Char), turned round; escaped bytes (U+DC80 to U+DCFF) are told apart.
_NO_CHARACTER = "[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
_NEXT = {
    "text": re.compile(
        rf"(?P<cdata><!\[CDATA\[)|(?P<comment><!--)|(?P<instruction><\?)|(?P<root></?rss\b)"
        rf"|(?P<bare><(?![\w/!?:]))|(?P<end>\]\]>)|(?P<none>{_NO_CHARACTER})"
        r"|(?P<reference>&(?:(?:\#[0-9]{1,7}|\#x[0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{0,31});)?)"
    ),
    "cdata": re.compile(rf"(?P<close>\]\]>)|(?P<none>{_NO_CHARACTER})"),
    "comment": re.compile(rf"(?P<close>-->)|(?P<none>{_NO_CHARACTER})"),
    "instruction": re.compile(rf"(?P<close>\?>)|(?P<none>{_NO_CHARACTER})"),
}
# What may be the beginning of one of these, cut by the end of a part that was read.
_UNFINISHED = {
    "text": re.compile(r"(?:&[#\w]{0,40}|<(?:!(?:-|\[[CDAT]{0,5})?|/?r?s{0,2})?|\]{1,2})\Z"),
    "cdata": re.compile(r"\]{1,2}\Z"),
    "comment": re.compile(r"-{1,2}\Z"),
    "instruction": re.compile(r"\?\Z"),
}
_DECLARED = re.compile(rb"""\A\s*<\?xml\b[^>]{0,200}?\bencoding\s*=\s*["']([\w.:-]{1,40})["']""")
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"<\x00", "utf-16-le"),
    (b"\x00<", "utf-16-be"),
)
_TEXT_ENCODING = re.compile(r"ascii|big5|cp\d|euc_|gb|iso8859|koi8|latin|mac|shift_jis|utf-8")
_PART_BYTES = 16_384


class MendedXml:
    """A binary stream of XML, given as text that a strict parser takes.

    Takes the memory of one part, whatever the file's size. Raises LookupError for a declared
    encoding that is not known, UnicodeDecodeError for a file that is not in it at all.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._first = stream.read(_PART_BYTES)
        self._decoder = codecs.getincrementaldecoder(_encoding(self._first))("surrogateescape")
        self._held = ""
        self._state = "text"
        self._is_inside = False
        self._is_begun = False

    def read(self, _size: int = -1) -> str:
        """Give the next part, "" only at the end."""
        while True:
            part, self._first = self._first or self._stream.read(_PART_BYTES), b""
            text = self._held + self._decoder.decode(part, final=not part)
            if not self._is_begun:
                # Blank lines before the declaration, of a careless plugin, are an error to XML.
                text = re.sub(rf"\A(?:\s|{_NO_CHARACTER})+", "", text)
                self._is_begun = bool(text)
            mended = self._mended(text, is_last=not part)
            if mended or not part:
                return mended

    def _mended(self, text: str, *, is_last: bool) -> str:
        built, place, self._held = [], 0, ""
        while found := _NEXT[self._state].search(text, place):
            if not is_last and _UNFINISHED[self._state].match(text, found.start()):
                break
            built += [text[place : found.start()], self._mended_token(found)]
            place = found.end()
        rest = text[place:]
        if not is_last and (cut := _UNFINISHED[self._state].search(rest)):
            rest, self._held = rest[: cut.start()], rest[cut.start() :]
        return "".join([*built, rest])

    def _mended_token(self, found: re.Match[str]) -> str:
        kind, token = str(found.lastgroup), found[0]
        if kind in ("cdata", "comment", "instruction"):
            self._state = kind
        elif kind == "close":
            self._state = "text"
        elif kind == "root":
            self._is_inside = not token.startswith("</")
        elif kind == "bare":
            return self._mark("&lt;", AS_HTML)
        elif kind == "end":
            return self._mark("]]&gt;", AS_HTML)
        elif kind == "none":
            is_byte = "\udc80" <= token <= "\udcff"
            return self._mark("\ufffd", UNDECODED) if is_byte else self._mark("", FORBIDDEN)
        elif kind == "reference":
            return self._reference(token)
        return token

    def _reference(self, token: str) -> str:
        if token in ("&amp;", "&lt;", "&gt;", "&quot;", "&apos;"):
            return token
        if token.startswith("&#"):
            digits = token[2:-1]
            code = int(digits[1:], 16) if digits[0] == "x" else int(digits)
            allowed = code <= 0x10FFFF and not re.match(_NO_CHARACTER, chr(code))
            return token if allowed else self._mark("", FORBIDDEN)
        meant = html.unescape(token) if len(token) > 1 else token
        return self._mark(html.escape(meant), AS_HTML)

    def _mark(self, text: str, mark: str) -> str:
        return text + mark if self._is_inside and self._state in ("text", "cdata") else text


def without_marks(text: str) -> tuple[str, frozenset[str]]:
    """Give a text without the marks of a mended file, and which there were."""
    marks = frozenset(_MARKS.findall(text))
    return (_MARKS.sub("", text) if marks else text), marks


def _encoding(opening: bytes) -> str:
    """Tell a file's encoding as XML 1.0 has it: by its first bytes, then by its declaration."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if opening.startswith(mark):
            return encoding
    declared = _DECLARED.match(opening)
    if declared is None or declared[1].lower().startswith(b"utf-16"):
        # A declaration that can be read byte by byte is not in the encoding that it names there.
        return "utf-8"
    name = codecs.lookup(declared[1].decode("ascii")).name
    if not _TEXT_ENCODING.match(name):
        raise LookupError(f"unknown encoding: {name}")
    return name
