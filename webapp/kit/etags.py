"""Entity tags as clients send them back, after the proxies on the way (RFC 9110, 8.8.3)."""

import re

# A member of the list; RFC 9110 (5.6.1) lets a list hold empty ones.
_MEMBER = re.compile(r'[ \t]*(?:(?:W/)?"([\x21\x23-\x7e\x80-\xff]*)")?[ \t]*(?:,|$)')

# What Apache, Caddy and Jetty put behind the tag of an answer that they have compressed.
_OF_A_CODING = re.compile(r"-{1,2}(?:gzip|br|zstd|deflate)$")


def read_tags(header: str) -> list[str] | None:
    """Return the tags in an If-Match or If-None-Match, without quotes; None if it is no such list.

    Proxies that compress an answer make its tag weak (`W/"7"`), or add the coding to it
    (`"7-gzip"`). Both stand for the answer as it was before, so both are taken off here.
    """
    tags, position = [], 0
    while position < len(header):
        found = _MEMBER.match(header, position)
        if found is None:
            return None
        if found[1] is not None:
            tags.append(_OF_A_CODING.sub("", found[1]))
        position = found.end()
    return tags


def is_any(header: str) -> bool:
    """Tell whether the header stands for every tag there is."""
    return header.strip() == "*"


def holds_tag(header: str, etag: str) -> bool:
    """Tell whether an If-None-Match names this tag, compared weakly (RFC 9110, 13.1.2).

    A header that cannot be read names nothing: the answer is then sent whole, which is never wrong.
    """
    if header == etag or is_any(header):
        return True
    return etag.strip('"') in (read_tags(header) or ())
