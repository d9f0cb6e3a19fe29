"""`make run` says clearly what stands in its way, and leaves nothing behind."""

import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from dev.ports import free_port, is_free
from dev.programs import WORKER_QUEUES, programs
from dev.run_folder import AlreadyRunningError, RunFolder
from dev.run_options import RunError, check_port, child_environment, read_options
from dev.run_steps import Run
from dev.stop_signal import StopSignal
from dev.supervisor import Program, Supervisor
from tests.patience import HANG_SECONDS

HOLDER = """
import sys, time
from pathlib import Path
from dev.run_folder import RunFolder
folder = RunFolder(Path(sys.argv[1]))
folder.lock()
print("locked", flush=True)
time.sleep(600)
"""
LOOP = """
import os, sys, time
from pathlib import Path
name = sys.argv[1]
Path(f"{name}.seen").write_text(os.environ.get("ONLY_HERE", "-") + os.environ["EVERYWHERE"])
with open(f"{name}.starts", "a") as starts:
    starts.write(f"{os.getpid()} ")
time.sleep(600)
"""

PATIENT = """
from dev.stop_signal import StopRequestedError, StopSignal
stop = StopSignal()
stop.listen()
print("listening", flush=True)
try:
    stop.pause(600)
except StopRequestedError:
    print("stopped")
"""
ROOT = Path(__file__).resolve().parents[2]


def test_a_taken_port_is_one_clear_sentence_before_anything_starts() -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        with pytest.raises(RunError) as refusal:
            check_port(port)

    message = str(refusal.value)
    assert message.startswith(f"Port {port} is taken; choose another one, such as `PORT=")
    assert message.endswith(" make run`.")
    assert "\n" not in message
    suggested = int(message.split("PORT=")[1].split()[0])
    assert suggested != port
    check_port(suggested)


def test_a_taken_port_ends_the_run_with_that_sentence_alone(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "dev", tmp_path / "dev", ignore=shutil.ignore_patterns("__pycache__"))
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = str(holder.getsockname()[1])
        run = subprocess.run(
            [sys.executable, "-m", "dev.run"],
            cwd=tmp_path,
            env={**os.environ, "PORT": port},
            capture_output=True,
            text=True,
            check=False,
        )

    assert run.returncode == 1
    assert run.stdout == ""
    assert run.stderr.startswith(f"Port {port} is taken; choose another one")
    assert run.stderr.count("\n") == 1
    assert not (tmp_path / "var" / "postgres").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_wait_even_where_the_shell_had_sigint_ignored(
    number: signal.Signals,
) -> None:
    # The tests may run under nohup, where SIGHUP would be ignored on purpose.
    heard = f"import signal; signal.signal(signal.SIGHUP, signal.SIG_DFL)\n{PATIENT}"
    command = ["/bin/sh", "-c", "trap '' INT; exec \"$@\"", "sh", sys.executable, "-c", heard]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "listening\n"
        program.send_signal(number)
        assert program.stdout.readline() == "stopped\n"
        assert program.wait(HANG_SECONDS) == 0


@pytest.mark.parametrize("text", ["http", "0", "65536", "-1", "80 80", "٨"])
def test_a_port_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(RunError, match="is not a port number"):
        read_options({"PORT": text})


def test_what_is_set_takes_the_place_of_the_embedded_parts() -> None:
    nothing = read_options({"DATABASE_URL": "", "PATH": "/bin"})
    assert (nothing.port, nothing.url) == (8000, "http://127.0.0.1:8000")
    assert (nothing.database_url, nothing.redis_url, nothing.smtp_url) == (None, None, None)

    options = read_options(
        {"PORT": "8001", "DATABASE_URL": "postgresql://d", "SMTP_URL": "smtp://m"}
    )
    assert (options.port, options.database_url) == (8001, "postgresql://d")
    assert (options.redis_url, options.smtp_url) == (None, "smtp://m")
    assert read_options({"IMPRINT_REDIS_URL": "redis://r"}).redis_url == "redis://r"


def test_children_find_the_virtual_environment_and_no_stray_setting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("IMPRINT_DATABASE_URL", "postgresql://stray")
    monkeypatch.setenv("DATABASE_URL", "postgresql://stray")

    environment = child_environment({"DATABASE_URL": "postgresql://chosen"})

    assert environment["DATABASE_URL"] == "postgresql://chosen"
    assert "IMPRINT_DATABASE_URL" not in environment
    assert environment["PATH"].split(os.pathsep)[0] == str(Path(sys.executable).parent)


def test_a_free_port_is_free_and_a_held_one_is_not() -> None:
    port = free_port()
    assert is_free(port)
    assert free_port(port) == port
    with socket.create_server(("127.0.0.1", port)):
        assert not is_free(port)
        assert free_port(port) != port


def test_a_second_run_in_the_same_folder_is_refused_until_the_first_is_gone(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a folder" / "var"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        with pytest.raises(AlreadyRunningError, match=rf"already runs .*process {holder.pid}"):
            RunFolder(path).lock()
        holder.kill()

    RunFolder(path).lock()


def test_the_facts_are_private_and_can_be_sourced(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "var")
    awkward = "postgresql://u:p'a$(x)@h/d b"
    folder.publish({"url": "http://x", "mail_dir": None}, {"DATABASE_URL": awkward})

    assert json.loads(folder.facts.read_text()) == {"url": "http://x", "mail_dir": None}
    script = f'. {shlex.quote(str(folder.environment))} && printf %s "$DATABASE_URL"'
    sourced = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True)
    assert sourced.stdout == awkward
    for path in (folder.facts, folder.environment):
        assert path.stat().st_mode & 0o777 == 0o600

    folder.withdraw()
    assert not folder.facts.exists()
    assert not folder.environment.exists()


def test_a_shell_that_has_read_run_env_can_start_the_next_run(tmp_path: Path) -> None:
    RunFolder(tmp_path / "var").keep_own_servers({"DATABASE_URL": "postgresql://own"})
    folder = RunFolder(tmp_path / "var")

    shell = {"DATABASE_URL": "postgresql://own", "REDIS_URL": "redis://other"}
    assert folder.without_own_servers(shell) == {"REDIS_URL": "redis://other"}
    other = {"DATABASE_URL": "postgresql://other"}
    assert folder.without_own_servers(other) == other
    assert read_options(shell).replaced == {"DATABASE_URL", "REDIS_URL"}


def test_secrets_and_ports_stay_the_same_in_the_next_run(tmp_path: Path) -> None:
    first = RunFolder(tmp_path / "var")
    key, password = first.secret_key(), first.demo_password()
    first.keep_ports({"postgres": 20001})

    second = RunFolder(tmp_path / "var")

    assert (second.secret_key(), second.demo_password()) == (key, password)
    assert len(key) >= 32
    assert key != password
    assert second.last_ports() == {"postgres": 20001}
    assert (second.path / "secret-key").stat().st_mode & 0o777 == 0o600


def test_every_queue_has_one_worker_and_accounts_has_its_own() -> None:
    queues = [queue for names in WORKER_QUEUES.values() for queue in names.split(",")]
    assert sorted(queues) == [
        "accounts",
        "housekeeping",
        "mail",
        "notifications",
        "publishing",
        "versions",
    ]
    assert WORKER_QUEUES["accounts"] == "accounts"
    names = [program.name for program in programs(8000, 2525, Path("var/mail"))]
    assert {"web", "dispatcher", "mail-sink", "worker-mail"} <= set(names)
    assert "mail-sink" not in [program.name for program in programs(8000, None, Path("m"))]


def test_the_supervisor_restarts_what_ends_and_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "100% a folder; with #signs"
    (folder / "var" / "log").mkdir(parents=True)
    (folder / "loop.py").write_text(LOOP)
    loops = [
        Program(name, ["python", "loop.py", name], stage, 5, {"ONLY_HERE": "50%h "})
        for name, stage in (("one", "1-low"), ("two", "2-high"))
    ]
    supervisor = Supervisor(
        loops,
        folder=folder,
        configuration_path=Path("var/supervisord.conf"),
        logs=Path("var/log"),
        environment=child_environment({"EVERYWHERE": "a%b 'c'"}),
    )
    supervisor.start()
    try:
        first = wait_for_starts(folder / "one.starts", 1)
        wait_for_starts(folder / "two.starts", 1)
        assert (folder / "one.seen").read_text() == "50%h a%b 'c'"
        psutil.Process(first[0]).kill()
        started = wait_for_starts(folder / "one.starts", 2)
        started += wait_for_starts(folder / "two.starts", 1)
        assert supervisor.is_running()
        assert supervisor.most_ends() == 1
    finally:
        supervisor.stop()

    assert not supervisor.is_running()
    assert [pid for pid in started if psutil.pid_exists(pid)] == []


def test_a_start_is_given_up_when_a_process_ends_again_and_again(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "var")
    folder.lock()
    supervisor = Supervisor(
        [Program("web", ["python", "-c", "print('No room.')"], "1-edge", 5)],
        folder=tmp_path,
        configuration_path=Path("var/supervisord.conf"),
        logs=folder.logs.relative_to(tmp_path),
        environment=child_environment({}),
    )
    options = read_options({"PORT": str(free_port())})
    supervisor.start()
    try:
        with ExitStack() as stack, pytest.raises(RunError, match="did not become ready") as told:
            Run(folder, options, stack, StopSignal()).wait_until_ready(supervisor)
    finally:
        supervisor.stop()
    assert "No room." in str(told.value)


def wait_for_starts(path: Path, count: int) -> list[int]:
    deadline = time.monotonic() + HANG_SECONDS
    while time.monotonic() < deadline:
        pids = [int(pid) for pid in path.read_text().split()] if path.exists() else []
        if len(pids) >= count:
            return pids
        time.sleep(0.02)
    raise AssertionError(f"{path} did not see {count} starts")
