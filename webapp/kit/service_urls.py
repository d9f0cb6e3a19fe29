"""The URLs of mail servers, brokers and web pages among the settings, checked before any is used.

Every check raises ValueError, whose words never hold a part of the URL: it may be a password.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from string import Formatter
from urllib.parse import SplitResult, urlsplit

from webapp.kit.url_parts import check_port, decode_part

SMTP_SCHEMES = ("smtp", "smtps", "smtp+starttls")
REDIS_SCHEMES = ("redis", "rediss")
_ESCAPES = "in user and password write / as %2F, ? as %3F, # as %23, @ as %40 and % as %25"
_PLACES = frozenset({"base_url", "slug"})


@dataclass(frozen=True)
class SmtpServer:
    """A mail server: where it is, how TLS begins, and who we are there (empty: nobody)."""

    scheme: str
    host: str
    port: int
    user: str
    password: str = field(repr=False)

    @property
    def is_secure(self) -> bool:
        """Whether TLS comes before the first word."""
        return self.scheme == "smtps"


def read_smtp_url(url: str) -> SmtpServer:
    """Return what a URL says of a mail server."""
    parts = _split(url, SMTP_SCHEMES)
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        message = f"ends with the port of the mail server; {_ESCAPES}"
        raise ValueError(message)
    user, password = decode_part(parts.username or ""), decode_part(parts.password or "")
    if not (user + password).isascii():
        message = "may hold ASCII in user and password only, which is what the protocol can carry"
        raise ValueError(message)
    if password and not user:
        message = "has a password and no user"
        raise ValueError(message)
    port = parts.port or (465 if parts.scheme == "smtps" else 25)
    return SmtpServer(parts.scheme, parts.hostname or "", port, user, password)


def check_broker_url(url: str) -> None:
    """Accept one URL of Redis, or of RabbitMQ; several of RabbitMQ with `;` between them."""
    urls = url.split(";") if url.startswith("amqp") else [url]
    for each in urls:
        check_redis_url(each) if each.startswith("redis") else _check_amqp_url(each)


def check_redis_url(url: str) -> None:
    """Accept `redis://` and `rediss://` with the number of a database, or none."""
    parts = _split(url, REDIS_SCHEMES)
    number = parts.path.strip("/")
    if number and not (number.isascii() and number.isdecimal()):
        message = f"names a database that is no number; {_ESCAPES}"
        raise ValueError(message)
    if parts.fragment or "@" in parts.query:
        raise ValueError(f"holds # or @ where none belongs; {_ESCAPES}")
    _decode_credentials(parts)


def check_web_url(url: str) -> str:
    """Accept where people reach a site, and return it without a `/` at its end."""
    parts = _split(url, ("http", "https"))
    if parts.username or parts.password:
        message = "may hold no user and no password, because everybody is shown it"
        raise ValueError(message)
    if parts.query or parts.fragment:
        message = "may hold no ? and no #, because addresses are made by adding to it"
        raise ValueError(message)
    return url.rstrip("/")


def check_link(template: str, wanted: Collection[str] = ()) -> None:
    """Accept the pattern of a link: `{base_url}` and `{slug}` in it, and the latter if wanted."""
    try:
        places = [part[1:] for part in Formatter().parse(template) if part[1] is not None]
    except ValueError:
        places = [("", "", None)]
    if any(name not in _PLACES or form or change for name, form, change in places):
        message = "may hold {base_url} and {slug}, and no other braces"
        raise ValueError(message)
    missing = set(wanted) - {name for name, _, _ in places}
    if missing:
        message = f"must hold {{{missing.pop()}}}, or all links would be the same"
        raise ValueError(message)
    parts = _split(template.format(base_url="http://localhost", slug="slug"), ("http", "https"))
    if parts.fragment and not wanted:
        message = "may hold no #, because the token is added behind one"
        raise ValueError(message)


def _check_amqp_url(url: str) -> None:
    parts = _split(url, ("amqp", "amqps"))
    if parts.fragment or "@" in parts.path + parts.query:
        raise ValueError(f"holds # or @ where none belongs; {_ESCAPES}")
    decode_part(parts.path)
    _decode_credentials(parts)


def _split(url: str, schemes: Collection[str]) -> SplitResult:
    """Return the parts of a URL with a host and, where there is one, a port that can be."""
    scheme, separator, _ = url.partition("://")
    if not separator or scheme not in schemes:
        raise ValueError(f"must start with {' or '.join(f'{each}://' for each in schemes)}")
    if any(character.isspace() or not character.isprintable() for character in url):
        message = "holds a space or a control character"
        raise ValueError(message)
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        host = None
    if not host or "@" in host:
        raise ValueError(f"names no host; {_ESCAPES}")
    _check_host(host)
    _, _, port = parts.netloc.rpartition("@")[2].rpartition("]")[2].partition(":")
    if port:
        check_port(port)
    elif parts.netloc.endswith(":"):
        message = "ends its host with : and names no port"
        raise ValueError(message)
    return parts


def _check_host(host: str) -> None:
    try:
        name = host if host.isascii() else host.encode("idna").decode("ascii")
        labels = name.removesuffix(".").split(".")
    except UnicodeError:
        labels = [""]
    if not all(labels) or not set("".join(labels)) <= _OF_HOSTS:
        message = f"names a host that cannot be one; {_ESCAPES}"
        raise ValueError(message)


def _decode_credentials(parts: SplitResult) -> None:
    decode_part(parts.username or "")
    decode_part(parts.password or "")


_OF_HOSTS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_:%")
