"""As whom PostgreSQL runs.

PostgreSQL refuses to run with user id 0, and containers and build machines are often nothing but
root. The project, its data and the server's programs may then lie in a folder that only root can
enter, and no folder outside the data may change its mode or owner for this. Hence, tried in this
order:

1. The caller, when that is a plain user with an entry in the password file (initdb wants one).
2. A user namespace in which the caller's id appears as an unprivileged one. To the kernel it is
   still the caller: what it owns stays its own and readable, nothing changes its owner, and the
   server holds no capability. Some containers forbid this, and old util-linux lacks the option.
3. As root: the user `nobody`, with the data handed over to it. It holds no capability either, and
   works wherever the path may be entered by anyone.
4. As root: `nobody` with the right to pass over file modes. This also works in a folder that only
   a third user can enter. Last, because a server with that right could read anybody's files.

Each is tried on the real program and the real folder before it is taken.
"""

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dev.process import ServerError

_CAPABILITIES = "-all,+dac_override,+dac_read_search"
_PROBE_SECONDS = 120


@dataclass(frozen=True)
class Identity:
    """How to start the server: a command prefix, and who must own its files (None: the caller)."""

    description: str
    prefix: tuple[str, ...] = ()
    owner: tuple[int, int] | None = None

    def own(self, path: Path) -> None:
        """Make a file, or a folder with all it holds, belong to the user the server runs as."""
        user_id, group_id = self.owner or (os.geteuid(), os.getegid())
        if path.stat().st_uid == user_id:
            return
        os.chown(path, user_id, group_id)
        for folder, folder_names, file_names in os.walk(path):
            for name in (*folder_names, *file_names):
                os.chown(Path(folder, name), user_id, group_id, follow_symlinks=False)


def _unprivileged_user() -> pwd.struct_passwd | None:
    entries = pwd.getpwall()
    named = [entry for entry in entries if entry.pw_name == "nobody"]
    others = [entry for entry in entries if entry.pw_uid != 0]
    return next(iter([*named, *others]), None)


def _is_known(user_id: int) -> bool:
    try:
        pwd.getpwuid(user_id)
    except KeyError:
        return False
    return True


def _candidates() -> Iterator[Identity]:
    caller = os.geteuid()
    if caller != 0 and _is_known(caller):
        yield Identity("the calling user")
        return
    user = _unprivileged_user()
    if user is None:
        return
    ids = f"--map-user={user.pw_uid}", f"--map-group={user.pw_gid}"
    yield Identity("a user namespace", ("unshare", "--user", *ids, "--"))
    if caller == 0:
        drop = ("setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups")
        # PostgreSQL looks for itself with access(2), which disregards the capabilities of anybody
        # but root unless this bit is set.
        bits = "--securebits=+no_setuid_fixup"
        raised = (bits, f"--inh-caps={_CAPABILITIES}", f"--ambient-caps={_CAPABILITIES}")
        owner = (user.pw_uid, user.pw_gid)
        yield Identity(f"user {user.pw_name}", (*drop, "--"), owner)
        yield Identity(f"user {user.pw_name}, any path", (*drop, *raised, "--"), owner)


def _refusal(identity: Identity, program: Path, data_dir: Path) -> str | None:
    if identity.prefix and shutil.which(identity.prefix[0]) is None:
        return f"{identity.prefix[0]} is not installed"
    # The program's own --version proves that it and its libraries can be loaded. It answers root
    # too, so the user id is looked at as well; and `test` is asked as a program, because a shell's
    # own may go by other rights than the access(2) that PostgreSQL uses.
    script = '"$0" --version && env test -x "$0" && cd "$1" && test -w . && test "$(id -u)" != 0'
    command = [*identity.prefix, "/bin/sh", "-c", script, str(program), str(data_dir)]
    try:
        identity.own(data_dir)
        outcome = subprocess.run(
            command, cwd="/", capture_output=True, text=True, timeout=_PROBE_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return None if outcome.returncode == 0 else outcome.stderr.strip() or "refused"


def choose_identity(program: Path, data_dir: Path) -> Identity:
    """Return the first identity that can run `program` and write in the existing `data_dir`.

    The folder then belongs to that identity. Raises ServerError, with what each attempt answered.
    """
    refusals: list[str] = []
    for identity in _candidates():
        refusal = _refusal(identity, program, data_dir)
        if refusal is None:
            return identity
        refusals.append(f"as {identity.description}: {refusal}")
    reasons = "; ".join(refusals) or "there is no unprivileged user on this machine"
    raise ServerError(f"PostgreSQL does not run as root, and found no other way: {reasons}.")
