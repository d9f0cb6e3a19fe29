"""Origins of web pages, as browsers write them (RFC 6454, 6.2)."""

import re

from webapp.kit.url_parts import check_port

ANY = "*"
_ORIGIN = re.compile(r"(https?)://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([0-9]+))?")
_USUAL_PORTS = {"http": "80", "https": "443"}


def read_origins(text: str) -> frozenset[str]:
    """Return the origins of a list with commas between them; `*` alone stands for every one.

    Raises ValueError for what no browser would send, because it would never match.
    """
    origins = frozenset(each.strip() for each in text.split(",") if each.strip())
    if ANY in origins and len(origins) > 1:
        message = "names every origin by * and others beside it; leave one of them out"
        raise ValueError(message)
    for origin in origins - {ANY}:
        _check(origin)
    return origins


def _check(origin: str) -> None:
    parts = _ORIGIN.fullmatch(origin)
    if parts is None:
        message = (
            "holds something else than https://host or https://host:port: the host in small "
            "letters and as IDNA, and nothing behind it, not even a /"
        )
        raise ValueError(message)
    scheme, port = parts.groups()
    if port is None:
        return
    check_port(port)
    if port == _USUAL_PORTS[scheme]:
        message = "names the usual port of its scheme, which browsers leave out"
        raise ValueError(message)
