"""The headers of a mail, written out by Imprint itself.

The standard library folds and encodes headers in ways that some names break: a long one can end
the header block, another loses its quotes and shows other addresses. So what is not plain becomes
encoded words (RFC 2047) of letters and digits here, and the library writes them as they stand.
"""

import re
from base64 import b64encode
from email.errors import MessageError
from email.header import decode_header, make_header
from email.headerregistry import Address
from email.policy import EmailPolicy, default
from typing import Any

from webapp.kit.visible_lines import make_line

NAME_LIMIT = 60
SUBJECT_LIMIT = 150

_PLAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 '&/:;?!.,()-]{0,58}[A-Za-z0-9.!?)])?")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 '-]{0,58}[A-Za-z0-9])?")
# Encoded they would still look like an address to a person, or to a program that decodes first.
_LOOKS_LIKE_AN_ADDRESS = re.compile(r"[@<>\uff20\uff1c\uff1e\ufe64\ufe65\ufe6b]")
# A line with an encoded word has at most 76 characters (RFC 2047, 2): 39 bytes make 52 of them,
# what stands around the word 12, and the longest name of a header 9.
_BYTES_A_WORD = 39


class UnmailableAddressError(ValueError):
    """An address cannot stand in a mail; the message does not tell which."""


class WrittenHeaders(EmailPolicy):
    """The policy of mails whose headers are written as they were given."""

    def header_store_parse(self, name: str, value: Any) -> tuple[str, Any]:  # noqa: ANN401
        """Keep the text of a header; raises ValueError for one that could begin another header."""
        text = str(value)
        if not text.isascii() or re.search(r"[\r\n](?![\n ])|[\x00-\x09\x0b\x0c\x0e-\x1f]", text):
            raise ValueError(f"the header {name} is not written as it has to be")
        return name, text


WRITTEN = WrittenHeaders(linesep="\r\n", refold_source="none", cte_type="7bit")


def text_header(text: str) -> str:
    """Return a text as the value of a header, cut to `SUBJECT_LIMIT`."""
    line = make_line(text, SUBJECT_LIMIT)
    return line if _PLAIN.fullmatch(line) else _encoded(line)


def mailbox_header(name: str, address: str) -> str:
    """Return a mailbox as the value of a header; without its name where that would not survive.

    Raises UnmailableAddressError.
    """
    try:
        parsed = Address(addr_spec=address).addr_spec
    except (ValueError, MessageError, IndexError) as error:
        raise UnmailableAddressError(f"the address is refused: {type(error).__name__}") from None
    if parsed != address or not re.fullmatch(r"[!-~]{3,254}", address):
        raise UnmailableAddressError("the address is refused: it is not one in ASCII")
    line = make_line(name, NAME_LIMIT)
    if not line or _LOOKS_LIKE_AN_ADDRESS.search(line):
        return address
    plain = _PLAIN_NAME.fullmatch(line) is not None
    value = f"{line} <{address}>" if plain else f"{_encoded(line)}\r\n <{address}>"
    return value if _reads_as(value, line, address) else address


def address_of(value: str) -> str:
    """Return the address in the value of a header that `mailbox_header` has written."""
    return value.rpartition("<")[2].rstrip(">")


def _reads_as(value: str, name: str, address: str) -> bool:
    """Say whether a reader of mail finds this name and this address, and nothing else.

    The name is decoded apart: the parser of addresses keeps the space between two encoded words,
    which is none of the name (RFC 2047, 6.2).
    """
    line = value.replace("\r\n", "")
    try:
        found = default.header_factory("To", line).addresses
        shown = str(make_header(decode_header(line.rpartition(" <")[0])))
    except (ValueError, MessageError, IndexError):
        return False
    return ([one.addr_spec for one in found], shown) == ([address], name)


def _encoded(text: str) -> str:
    words, word = [], b""
    for character in text:
        encoded = character.encode(errors="replace")
        if len(word) + len(encoded) > _BYTES_A_WORD:
            words.append(word)
            word = b""
        word += encoded
    return "\r\n ".join(f"=?utf-8?b?{b64encode(each).decode()}?=" for each in [*words, word])
