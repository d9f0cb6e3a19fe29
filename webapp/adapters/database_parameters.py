"""What each connection to PostgreSQL is opened with, whoever opens it.

The operator's word wins over the defaults here, be it in DATABASE_URL, in a service file or in
libpq's own environment (PGOPTIONS, PGCONNECT_TIMEOUT, …), but over nothing in `FIXED`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from psycopg import pq

from webapp.kit.database_url import DatabaseUrl
from webapp.kit.server_options import read_options, write_options
from webapp.settings import Settings

# In seconds, but the last, which is in milliseconds.
DEFAULTS = {
    "connect_timeout": "5",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "15000",
}
# What the code relies on, whatever the operator, libpq's environment (PGTZ, PGDATESTYLE) and the
# database say: the forms of moments and spans, and that a statement sees what was committed.
FIXED = {
    "timezone": "UTC",
    "datestyle": "ISO, MDY",
    "intervalstyle": "postgres",
    "default_transaction_isolation": "read committed",
}
# Tells that the options of a connection have arrived; a pooler may have dropped them.
MARK = "imprint.session"
MARK_VALUE = "direct"
_NO_SERVER = "/nonexistent/imprint"


@dataclass(frozen=True)
class ConnectionPlan:
    """How to connect, what to set then, and what in each transaction where a pooler stands before.

    `once_connected` holds what wins over all that libpq sends, and what would keep libpq from
    finding a server: it takes a session that begins as read-only for one on a standby.
    """

    parameters: Mapping[str, str]
    each_transaction: Mapping[str, str]
    once_connected: Mapping[str, str]

    @property
    def is_pooled(self) -> bool:
        """Whether another server may answer each transaction."""
        return MARK not in self.parameters.get("options", "")


def limits_of(settings: Settings) -> dict[str, str]:
    """Return the time-outs of the sessions that serve requests and jobs, in milliseconds."""
    return {
        "statement_timeout": str(int(settings.statement_timeout_seconds * 1000)),
        "lock_timeout": "5000",
        "idle_in_transaction_session_timeout": "30000",
    }


def plan_connection(
    settings: Settings,
    *,
    application_name: str,
    session: Mapping[str, str],
    fixed: Mapping[str, str] | None = None,
) -> ConnectionPlan:
    """Return how to reach the database that serves requests and jobs. Raises MissingSettingError.

    `session` are defaults, over which the operator's `options` win; over `fixed` they do not.
    """
    url = settings.database()
    if settings.database_pooler == "none":
        return plan_direct(url, application_name=application_name, session=session, fixed=fixed)
    parameters = _merge(url, application_name)
    try:
        asked = read_options(parameters.pop("options", ""))
    except ValueError as error:
        raise _wrong(url, str(error)) from None
    return ConnectionPlan(parameters, {**session, **asked, **FIXED, **(fixed or {})}, {})


def plan_direct(
    url: DatabaseUrl,
    *,
    application_name: str,
    session: Mapping[str, str],
    fixed: Mapping[str, str] | None = None,
) -> ConnectionPlan:
    """Return how to reach PostgreSQL itself."""
    parameters = _merge(url, application_name)
    defaults = write_options({MARK: MARK_VALUE, **session})
    parameters["options"] = " ".join(filter(None, (defaults, parameters.get("options", ""))))
    return ConnectionPlan(parameters, {}, {**FIXED, **(fixed or {})})


def _merge(url: DatabaseUrl, application_name: str) -> dict[str, str]:
    defaults = {**DEFAULTS, "application_name": application_name}
    asked = _ask_libpq(url)
    # The port too, so that who looks at a connection from outside knows it (workers/liveness.py).
    found = {name: asked[name] for name in (*defaults, "options", "port") if name in asked}
    return {**defaults, **found, **url.parameters, **_options(found), "client_encoding": "UTF8"}


def _options(found: Mapping[str, str]) -> dict[str, str]:
    return {"options": found["options"]} if "options" in found else {}


def _ask_libpq(url: DatabaseUrl) -> dict[str, str]:
    """Return the parameters as libpq completes them, from service files and its environment.

    It completes and checks them before it looks for a server, of which there is none where it is
    sent. Ends the process with a sentence where it does not take them.
    """
    # What only makes sense together with the real hosts.
    with_hosts = {"host", "hostaddr", "port", "gssencmode"}
    probe = {name: value for name, value in url.parameters.items() if name not in with_hosts}
    probe["host"] = _NO_SERVER
    line = " ".join(f"{name}={_quote(value)}" for name, value in probe.items())
    attempt = pq.PGconn.connect_start(line.encode())
    try:
        complaint = attempt.error_message.decode(errors="replace")
        if not complaint.startswith("connection to server"):
            raise _wrong(url, _describe(complaint, url))
        return {
            option.keyword.decode(): option.val.decode() for option in attempt.info if option.val
        }
    finally:
        attempt.finish()


def _quote(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _describe(complaint: str, url: DatabaseUrl) -> str:
    """Say which parameter libpq complains of, without its value."""
    if complaint.startswith("definition of service"):
        return "names a service that no service file defines"
    named = sorted(name for name in url.parameters if name in complaint)
    return f"has parameters that libpq does not take: {', '.join(named) or 'see its documentation'}"


def _wrong(url: DatabaseUrl, sentence: str) -> SystemExit:
    return SystemExit(f"Imprint's settings are wrong.\n{url.setting}: {sentence}")
