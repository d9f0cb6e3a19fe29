"""Where passkeys are good; apart from what passes about them, which settings do not need."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from webapp.kit.web_origins import ANY, read_origins

_DOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*")
_DIGITS_LAST = re.compile(r"(?:.*\.)?[0-9]+")


@dataclass(frozen=True)
class Site:
    """A domain that passkeys belong to, and the origins of the pages that may ask for one."""

    domain: str
    origins: tuple[str, ...]


def site_of(domain: str, origins: str, base_url: str) -> Site:
    """Return where passkeys are good: at the public address, unless the others say otherwise."""
    own = urlsplit(base_url)
    named = tuple(each.strip() for each in origins.split(",") if each.strip())
    return Site(domain or own.hostname or "", named or (f"{own.scheme}://{own.netloc}",))


def check_domain(domain: str) -> str:
    """Return a domain of passkeys (WebAuthn, 5.1.2), or the empty text for none.

    Raises ValueError for what browsers take as no such domain.
    """
    if not domain:
        return domain
    if _DOMAIN.fullmatch(domain) is None:
        message = (
            "must be a domain such as example.org: in small letters and as IDNA, without a scheme, "
            "a port or a /"
        )
        raise ValueError(message)
    if _DIGITS_LAST.fullmatch(domain):
        message = "must be a domain: browsers make no passkeys for an address"
        raise ValueError(message)
    return domain


def check_origins(origins: str, domain: str, base_url: str) -> None:
    """Raise ValueError where an origin of a list is none, or lies outside of the domain.

    Without a domain and a list there is nothing to check: then the public address is both.
    """
    if not domain and not origins:
        return
    site = site_of(domain, origins, base_url)
    if ANY in read_origins(origins):
        message = "must name each origin: * is none"
        raise ValueError(message)
    for origin in site.origins:
        host = urlsplit(origin).hostname or ""
        if host != site.domain and not host.endswith(f".{site.domain}"):
            message = (
                "must lie in the domain of the passkeys or below it, in IMPRINT_PASSKEY_DOMAIN or "
                "else the host of IMPRINT_BASE_URL; browsers refuse every other origin"
            )
            raise ValueError(message)
