"""DATABASE_URL, read once into the parameters that every program which connects is given.

The libraries that connect read a URL each in a way of its own: they differ in a raw `%` or `@`,
in several hosts, in sockets. So none of them is given it. What they get are libpq's parameters, by
the names of https://www.postgresql.org/docs/current/libpq-connect.html, section 34.1.2.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from webapp.kit.url_parts import check_port, decode_part

SCHEMES = frozenset({"postgres", "postgresql", "postgresql+psycopg"})
DEFAULT_PORT = 5432
# Those of libpq 18, without `replication`, which makes another kind of connection.
PARAMETERS = frozenset({
    "application_name", "channel_binding", "client_encoding", "connect_timeout", "dbname",
    "fallback_application_name", "gssdelegation", "gssencmode", "gsslib", "host", "hostaddr",
    "keepalives", "keepalives_count", "keepalives_idle", "keepalives_interval", "krbsrvname",
    "load_balance_hosts", "max_protocol_version", "min_protocol_version", "oauth_client_id",
    "oauth_client_secret", "oauth_issuer", "oauth_scope", "options", "passfile", "password",
    "port", "require_auth", "requirepeer", "scram_client_key", "scram_server_key", "service",
    "ssl_max_protocol_version", "ssl_min_protocol_version", "sslcert", "sslcertmode",
    "sslcompression", "sslcrl", "sslcrldir", "sslkey", "sslkeylogfile", "sslmode",
    "sslnegotiation", "sslpassword", "sslrootcert", "sslsni", "target_session_attrs",
    "tcp_user_timeout", "user",
})  # fmt: skip
_NUMBERS = frozenset({
    "connect_timeout", "keepalives", "keepalives_count", "keepalives_idle",
    "keepalives_interval", "tcp_user_timeout",
})  # fmt: skip
_CHOICES = {
    "channel_binding": {"disable", "prefer", "require"},
    "client_encoding": {"utf8", "utf-8", "unicode", "auto"},
    "gssencmode": {"disable", "prefer", "require"},
    "load_balance_hosts": {"disable", "random"},
    "sslcertmode": {"allow", "disable", "require"},
    "sslmode": {"allow", "disable", "prefer", "require", "verify-ca", "verify-full"},
    "target_session_attrs": {
        "any", "prefer-standby", "primary", "read-only", "read-write", "standby"
    },
}  # fmt: skip
_LISTS = frozenset({"host", "port"})
_HOST = r"(?:\[[^][/?#@]+\]|[^][:/?#@,\s]*)(?::[0-9]*)?"
_PAIR = r"[a-z_]+=[^&]*"
_AFTER_CREDENTIALS = re.compile(
    rf"(?P<hosts>{_HOST}(?:,{_HOST})*)(?:/(?P<dbname>[^/?@]*))?"
    rf"(?:\?(?P<query>{_PAIR}(?:&{_PAIR})*)?)?"
)
_HOST_AND_PORT = re.compile(r"(?P<host>\[[^]]+\]|[^:/@]*)(?::(?P<port>[0-9]*))?")

NO_URL = "must be a PostgreSQL URL, such as postgresql://user:password@host:5432/name"
_ESCAPES = "in user and password write / as %2F, ? as %3F, # as %23, @ as %40 and % as %25"
NO_READING = f"{NO_URL}; {_ESCAPES}"
TWO_READINGS = f"can be read in more than one way; {_ESCAPES}"


@dataclass(frozen=True)
class DatabaseUrl:
    """Where the database is: libpq's parameters by their names, decoded."""

    parameters: Mapping[str, str] = field(repr=False)  # One of them is a password.
    setting: str = "DATABASE_URL"
    """Which setting says so, for what has to be said of it later."""

    @property
    def text(self) -> str:
        """The one spelling of this value that libpq, psycopg and `parse_database_url` agree on."""
        rest = dict(self.parameters)
        user, password = rest.pop("user", None), rest.pop("password", None)
        credentials = "" if user is None else quote(user, safe="")
        if password is not None:
            credentials += f":{quote(password, safe='')}"
        name = quote(rest.pop("dbname", ""), safe="")
        query = "&".join(f"{key}={quote(value, safe='')}" for key, value in rest.items())
        start = f"postgresql://{credentials}@" if credentials else "postgresql://"
        return f"{start}/{name}?{query}" if query else f"{start}/{name}"


def parse_database_url(text: str, setting: str = "DATABASE_URL") -> DatabaseUrl:
    """Return what a URL says.

    A password may hold any character as itself, as long as only one reading of the whole comes of
    it. Raises ValueError, whose words hold nothing of the URL but the names of parameters.
    """
    scheme, separator, rest = text.strip().partition("://")
    if not separator or scheme not in SCHEMES:
        raise ValueError(NO_URL)
    readings = list(_readings(rest))
    if len(readings) != 1:
        raise ValueError(TWO_READINGS if readings else NO_READING)
    credentials, parts = readings[0]
    user, colon, password = credentials.partition(":")
    parameters = {"user": decode_part(user), "password": decode_part(password) if colon else ""}
    hosts = _read_hosts(parts["hosts"])
    parameters |= {name: decode_part(value) for name, value in hosts.items()}
    parameters["dbname"] = decode_part(parts["dbname"] or "")
    parameters |= _read_query(parts["query"] or "")
    given = {name: value for name, value in parameters.items() if value}
    _check_hosts(given)
    return DatabaseUrl(given, setting)


def ports_of(parameters: Mapping[str, str]) -> frozenset[int]:
    """Return the ports of all hosts."""
    ports = parameters.get("port", "").split(",")
    return frozenset(int(port) if port else DEFAULT_PORT for port in ports)


def _readings(rest: str) -> Iterator[tuple[str, re.Match[str]]]:
    """Yield each way to tell the credentials from what follows: every `@` may end them."""
    ends = [-1, *(place for place, character in enumerate(rest) if character == "@")]
    for end in ends:
        parts = _AFTER_CREDENTIALS.fullmatch(rest, end + 1)
        if parts is not None:
            yield rest[: max(end, 0)], parts


def _read_hosts(hosts: str) -> dict[str, str]:
    """Return the parameters of hosts with their ports; a socket (`/run/…`) shows none."""
    names, ports = [], []
    for host in hosts.split(","):
        found = _HOST_AND_PORT.fullmatch(host)
        names.append(host if found is None else found["host"].strip("[]"))
        ports.append("" if found is None else found["port"] or "")
    read = {"host": ",".join(names)} if any(names) else {}
    return read | ({"port": ",".join(ports)} if any(ports) else {})


def _read_query(query: str) -> dict[str, str]:
    """Return the parameters behind the `?`; they win over what stands before it, as in libpq."""
    found: dict[str, list[str]] = {}
    for pair in query.split("&") if query else ():
        name, _, value = pair.partition("=")
        if (name, value) == ("ssl", "true"):  # As Java spells it, which libpq takes too.
            name, value = "sslmode", "require"
        found.setdefault(name, []).append(decode_part(value))
    for name, values in found.items():
        _check_parameter(name, values)
    read = {name: ",".join(values) for name, values in found.items()}
    if "host" in read:
        hosts = _read_hosts(read.pop("host"))
        if "port" in hosts and "port" in read:
            message = "names ports both beside the hosts and on their own"
            raise ValueError(message)
        read |= hosts
    return read


def _check_parameter(name: str, values: list[str]) -> None:
    if name not in PARAMETERS:
        message = "has a parameter that libpq does not know"
        raise ValueError(message)
    if len(values) > 1 and name not in _LISTS:
        message = f"names the parameter {name} twice"
        raise ValueError(message)
    if name in _NUMBERS and not re.fullmatch(r"-?[0-9]{1,9}", values[0]):
        message = f"wants a whole number as {name}"
        raise ValueError(message)
    if name in _CHOICES and values[0].lower() not in _CHOICES[name]:
        message = f"wants one of these as {name}: {', '.join(sorted(_CHOICES[name]))}"
        raise ValueError(message)


def _check_hosts(parameters: Mapping[str, str]) -> None:
    hosts = parameters.get("host", parameters.get("hostaddr", "")).split(",")
    ports = parameters["port"].split(",") if "port" in parameters else []
    for port in filter(None, ports):
        check_port(port)
    if len(ports) not in {0, 1, len(hosts)}:
        message = f"names {len(ports)} ports for {len(hosts)} hosts"
        raise ValueError(message)
    if len(hosts) > 1 and not all(hosts):
        message = "names a host that is empty"
        raise ValueError(message)
