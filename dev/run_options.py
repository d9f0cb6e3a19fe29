"""What `make run` takes from its caller's environment, and what it hands to its processes."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dev.ports import LOOPBACK, free_port, is_free

_DEFAULT_PORT = 8000
_LAST_PORT = 65_535
SERVERS = ("DATABASE_URL", "REDIS_URL", "SMTP_URL")
# The settings read these first, so a stray one would win over what is decided here.
_ALIASES = {name: f"IMPRINT_{name}" for name in SERVERS}


class RunError(Exception):
    """`make run` cannot go on; the message is meant for the person who typed it."""


@dataclass(frozen=True)
class RunOptions:
    """The API's port, and the servers that take the place of embedded ones (None: embedded)."""

    port: int
    database_url: str | None
    redis_url: str | None
    smtp_url: str | None

    @property
    def replaced(self) -> set[str]:
        """The names of the settings whose embedded server is not wanted."""
        addresses = (self.database_url, self.redis_url, self.smtp_url)
        return {name for name, address in zip(SERVERS, addresses, strict=True) if address}

    @property
    def url(self) -> str:
        """The URL of the API."""
        return f"http://{LOOPBACK}:{self.port}"


def read_options(environment: Mapping[str, str]) -> RunOptions:
    """Read PORT, DATABASE_URL, REDIS_URL and SMTP_URL; raises RunError for a PORT that is none."""
    text = environment.get("PORT") or str(_DEFAULT_PORT)
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= _LAST_PORT:
        raise RunError(f"PORT={text} is not a port number: use one from 1 to {_LAST_PORT}.")
    servers = {
        name: environment.get(alias) or environment.get(name) or None
        for name, alias in _ALIASES.items()
    }
    return RunOptions(
        port=int(text),
        database_url=servers["DATABASE_URL"],
        redis_url=servers["REDIS_URL"],
        smtp_url=servers["SMTP_URL"],
    )


def check_port(port: int) -> None:
    """Raise RunError, naming another port, when the API's port is taken."""
    if not is_free(port):
        other = free_port(port + 1 if port < _LAST_PORT else None)
        raise RunError(
            f"Port {port} is taken; choose another one, such as `PORT={other} make run`."
        )


def imprint_environment(
    options: RunOptions, *, database_url: str, redis_url: str, smtp_url: str, secret_key: str
) -> dict[str, str]:
    """Return the settings of this run, as the variables that the processes read."""
    return {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SMTP_URL": smtp_url,
        "SECRET_KEY": secret_key,
        "PORT": str(options.port),
        "IMPRINT_ENVIRONMENT": "development",
        "IMPRINT_BASE_URL": options.url,
    }


def child_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the whole environment of a child: this process's own, the settings, the venv first."""
    dropped = {*_ALIASES.values(), "IMPRINT_SECRET_KEY"}
    inherited = {name: value for name, value in os.environ.items() if name not in dropped}
    programs = str(Path(sys.executable).parent)
    path = os.pathsep.join([programs, inherited.get("PATH", os.defpath)])
    return {**inherited, **settings, "PATH": path, "PYTHONUNBUFFERED": "1"}
