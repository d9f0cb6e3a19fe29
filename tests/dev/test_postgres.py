"""The embedded PostgreSQL keeps what was committed, and never outlives its owner."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psutil
import psycopg
import pytest

from dev.postgres import PostgresServer
from dev.process import ServerError
from tests.patience import HANG_SECONDS

OWNER = """
import sys, time
from pathlib import Path
from dev.postgres import PostgresServer
server = PostgresServer(Path(sys.argv[1]), durable=False)
server.start()
print(server.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PostgresServer]:
    """A throw-away server in a folder whose name has a space, not started."""
    server = PostgresServer(tmp_path / "a folder" / "data", durable=False)
    yield server
    server.stop()


def insert(server: PostgresServer, value: str) -> None:
    with psycopg.connect(server.url("postgres")) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (value text)")
        connection.execute("INSERT INTO kept VALUES (%s)", (value,))


def kept(server: PostgresServer) -> list[str]:
    with psycopg.connect(server.url("postgres")) as connection:
        return [row[0] for row in connection.execute("SELECT value FROM kept ORDER BY value")]


def test_a_stopped_server_finds_its_data_again(server: PostgresServer) -> None:
    server.start()
    insert(server, "before the stop")
    first_url = server.url("postgres")
    server.stop()
    assert not server.is_running()

    server.start()

    assert server.is_running()
    assert server.url("postgres") == first_url
    assert kept(server) == ["before the stop"]


def test_committed_rows_survive_a_crash_and_open_transactions_do_not(
    server: PostgresServer,
) -> None:
    server.start()
    insert(server, "committed")
    with psycopg.connect(server.url("postgres")) as connection:
        connection.execute("INSERT INTO kept VALUES ('open')")
        server.crash()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")

    server.start()

    assert kept(server) == ["committed"]


def test_starts_after_its_postmaster_was_killed(server: PostgresServer) -> None:
    server.start()
    insert(server, "committed")
    os.kill(server.pid, signal.SIGKILL)
    wait_until(lambda: not server.is_running())
    lock_file = server.data_dir / "postmaster.pid"
    # The process id of the dead server has been given to somebody else since: to this test.
    lines = lock_file.read_text().splitlines()
    lock_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")

    server.start()

    assert kept(server) == ["committed"]


def test_a_second_server_on_the_same_data_is_refused(server: PostgresServer) -> None:
    server.start()

    with pytest.raises(ServerError, match=f"already runs on .*process {server.pid}"):
        PostgresServer(server.data_dir, durable=False).start()
    with pytest.raises(ServerError, match="already runs"):
        server.start()

    assert server.is_running()


def test_a_failed_start_shows_the_log(server: PostgresServer) -> None:
    server.start()
    server.stop()
    with (server.data_dir / "postgresql.conf").open("a") as configuration:
        configuration.write("\nno_such_setting = 1\n")

    with pytest.raises(ServerError, match="no_such_setting"):
        server.start()

    assert not server.is_running()


def test_copies_and_drops_databases(server: PostgresServer) -> None:
    server.start()
    server.create_database("origin")
    with psycopg.connect(server.url("origin")) as connection:
        connection.execute("CREATE TABLE here (value text)")

    server.create_database("a copy", template="origin")

    with closing(psycopg.connect(server.url("a copy"))) as connection:
        assert connection.execute("SELECT count(*) FROM here").fetchone() == (0,)
        server.drop_database("a copy")
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    assert server.has_database("origin")
    assert not server.has_database("a copy")


def test_wants_the_password_and_knows_letters(server: PostgresServer) -> None:
    server.start()
    password_file = server.data_dir.with_name("data.password")
    assert password_file.stat().st_mode & 0o777 == 0o600
    wrong = server.url("postgres").replace(password_file.read_text(), "wrong")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)

    with psycopg.connect(server.url("postgres")) as connection:
        row = connection.execute("SELECT lower('ÄÉ'), current_setting('server_encoding')")
        assert row.fetchone() == ("äé", "UTF8")


def test_a_durable_server_syncs_its_writes(tmp_path: Path) -> None:
    with (
        PostgresServer(tmp_path / "data", durable=True) as server,
        psycopg.connect(server.url("postgres")) as connection,
    ):
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            assert connection.execute(f"SHOW {setting}").fetchone() == ("on",)


def test_starts_where_user_namespaces_cannot_be_made(
    server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("setpriv", "env", "test", "id", "sh"):
        for folder in ("/usr/bin", "/bin"):
            if Path(folder, name).exists() and not (programs / name).exists():
                (programs / name).symlink_to(Path(folder, name))
    monkeypatch.setenv("PATH", str(programs))

    server.start()
    insert(server, "by another user")
    server.stop()
    monkeypatch.undo()
    server.start()

    assert kept(server) == ["by another user"]


def test_a_throw_away_server_ends_with_an_owner_that_is_killed(tmp_path: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path / "data")], stdout=subprocess.PIPE, text=True
    )
    with owner:
        assert owner.stdout is not None
        postmaster = psutil.Process(int(owner.stdout.readline()))
        family = [postmaster, *postmaster.children(recursive=True)]
        owner.kill()

    gone, alive = psutil.wait_procs(family, timeout=HANG_SECONDS)

    assert not alive
    assert len(gone) > 1


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + HANG_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
