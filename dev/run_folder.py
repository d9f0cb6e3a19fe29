"""The folder `var/`: everything that `make run` keeps between two runs, and says about itself."""

import fcntl
import json
import os
import secrets
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import IO

_SECRET_BYTES = 32
_PASSWORD_BYTES = 12


class AlreadyRunningError(Exception):
    """Another run holds the folder; the message says which and where it answers."""


class RunFolder:
    """The layout of the folder at `path`, which is made when missing."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.postgres = self.path / "postgres"
        self.redis = self.path / "redis"
        self.mail = self.path / "mail"
        self.logs = self.path / "log"
        self.facts = self.path / "run.json"
        self.environment = self.path / "run.env"
        self._ports = self.path / "ports.json"
        self._own_servers = self.path / "own-servers.json"
        self._lock: IO[str] | None = None
        self.logs.mkdir(parents=True, exist_ok=True)

    def lock(self) -> None:
        """Claim the folder for this process until it ends.

        The kernel gives a lock back when its holder ends in any way, so none can be stale. Raises
        AlreadyRunningError where another process holds it.
        """
        lock = (self.path / "run.lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            lock.close()
            raise AlreadyRunningError(
                f"Imprint already runs from this folder{self._address()} (process {holder}); "
                f"stop it with Ctrl-C in its terminal or `kill {holder}`."
            ) from error
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        self._lock = lock

    def log(self, name: str) -> Path:
        """Return the path of the log of one part."""
        return self.logs / f"{name}.log"

    def secret_key(self) -> str:
        """Return the secret key of this folder, generated on first use."""
        return self._kept_secret("secret-key", _SECRET_BYTES)

    def demo_password(self) -> str:
        """Return the password of the demo login, generated on first use."""
        return self._kept_secret("demo-password", _PASSWORD_BYTES)

    def last_ports(self) -> dict[str, int]:
        """Return the ports that the last run used, by the name of the part."""
        ports = _read_json(self._ports)
        return {name: port for name, port in ports.items() if isinstance(port, int)}

    def keep_ports(self, ports: Mapping[str, int]) -> None:
        """Keep the ports of this run for the next one."""
        _write_private(self._ports, json.dumps(dict(ports), indent=2) + "\n")

    def without_own_servers(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Return `environment` without the addresses of the last run's embedded servers.

        A shell that has read run.env still has them in it, and `make run` from that shell means
        to start those servers, not to look for them.
        """
        own = _read_json(self._own_servers)
        return {name: value for name, value in environment.items() if own.get(name) != value}

    def keep_own_servers(self, addresses: Mapping[str, str]) -> None:
        """Keep the addresses of the embedded servers, by the name of their setting."""
        _write_private(self._own_servers, json.dumps(dict(addresses), indent=2) + "\n")

    def publish(self, facts: Mapping[str, object], environment: Mapping[str, str]) -> None:
        """Write run.json for programs and run.env for an operator's shell."""
        lines = [f"export {name}={shlex.quote(value)}\n" for name, value in environment.items()]
        _write_private(self.environment, "".join(lines))
        _write_private(self.facts, json.dumps(dict(facts), indent=2) + "\n")

    def withdraw(self) -> None:
        """Remove run.json and run.env: nothing answers at those addresses any more."""
        self.facts.unlink(missing_ok=True)
        self.environment.unlink(missing_ok=True)

    def _address(self) -> str:
        url = _read_json(self.facts).get("url")
        return f" at {url}" if url else ""

    def _kept_secret(self, name: str, size_bytes: int) -> str:
        path = self.path / name
        if not path.exists():
            _write_private(path, secrets.token_urlsafe(size_bytes) + "\n")
        return path.read_text(encoding="ascii").strip()


def _read_json(path: Path) -> dict[str, object]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _write_private(path: Path, text: str) -> None:
    # Renamed into place, so that a reader never meets half a file, and readable by its owner
    # alone from the first moment, because there are passwords in it.
    unfinished = path.with_name(f".{path.name}.part")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600)
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)
