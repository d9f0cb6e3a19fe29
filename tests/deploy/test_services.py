"""Every service's own command comes up as a process of this machine, works, and stops.

There is no container engine here. What can be had without one is real: the files that the image
would hold and no others, the commands, the environment and the health checks of the file, a broker
with a password, and the signals and times of a stop.
"""

import os
import shlex
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from signal import Signals
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
import redis as redis_client
from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker

from dev.mail_sink import MailSink
from dev.ports import free_port
from dev.postgres import PostgresServer
from dev.process import log_tail
from dev.redis import RedisServer
from tests.deploy.compose_file import (
    ROOT,
    copied_into_image,
    fill_in,
    own_services,
    queues_of,
    seconds,
)
from tests.deploy.database_roles import APP_ROLE, make_app_role
from tests.deploy.walk import walk
from tests.patience import HANG_SECONDS
from webapp.jobs.account_messages import SendPasswordReset
from webapp.jobs.message import Message
from webapp.jobs.messages import FanOutEvent, FireSchedules, PruneTable, SealVersion, SendEventMails
from webapp.jobs.outbox import enqueue
from webapp.jobs.queues import Queue

REDIS_PASSWORD = "broker0password"
APP_PASSWORD = "rows0only"
VARIABLES = {
    "SECRET_KEY": "a secret key for tests, long enough for production",
    "POSTGRES_PASSWORD": "replaced",
    "POSTGRES_APP_PASSWORD": "replaced",
    "REDIS_PASSWORD": REDIS_PASSWORD,
    "SMTP_URL": "smtp://mailpit:1025",
}
NOWHERE = 1_000_000_000
# Duties about things that are not there: a worker finds nothing to do and is done.
A_JOB_FOR_EACH_QUEUE: tuple[Message, ...] = (
    SendPasswordReset(email_hash="00" * 32),
    FireSchedules(schedule_ids=(NOWHERE,)),
    SealVersion(version_id=NOWHERE),
    FanOutEvent(event_id=NOWHERE),
    SendEventMails(event_id=NOWHERE, after_user_id=0, to_user_id=1),
    PruneTable(table="ticks"),
)


@dataclass
class Servers:
    """Where the services find what they need, in place of the hosts of the Compose network."""

    owner_url: str
    app_url: str
    redis_url: str
    smtp_url: str
    mails: Path
    web_port: int


@dataclass
class Running:
    """A service's process."""

    name: str
    service: dict[str, Any]
    process: subprocess.Popen[bytes]
    log: Path


@pytest.fixture
def servers(postgres: PostgresServer, redis: RedisServer, tmp_path: Path) -> Iterator[Servers]:
    """An empty database with its two roles, a broker that wants a password, and a mail server."""
    postgres.create_database("compose")
    url = postgres.url("compose")
    app_url = make_app_role(url, APP_PASSWORD)
    with redis_client.Redis.from_url(redis.url) as client, MailSink(tmp_path / "mail") as sink:
        client.config_set("requirepass", REDIS_PASSWORD)
        with_password = redis.url.replace("redis://", f"redis://:{REDIS_PASSWORD}@")
        yield Servers(url, app_url, with_password, sink.url, tmp_path / "mail", free_port())
        client.execute_command("AUTH", REDIS_PASSWORD)
        client.config_set("requirepass", "")
        client.flushall()
    postgres.drop_database("compose")
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
        connection.execute(f"DROP ROLE {APP_ROLE}")


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A folder with the files that the Dockerfile copies, in a place of their own."""
    folder = tmp_path / "app"
    folder.mkdir()
    for name in copied_into_image():
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name)
        else:
            shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.mark.long
def test_every_service_comes_up_works_and_stops(
    servers: Servers, image: Path, tmp_path: Path
) -> None:
    where = servers
    before = sorted(image.rglob("*"))
    services = own_services()
    migrate = start("migrate", services["migrate"], where, image, tmp_path)
    assert migrate.process.wait(HANG_SECONDS) == 0, log_tail(migrate.log)

    running = [
        start(name, service, where, image, tmp_path)
        for name, service in services.items()
        if name != "migrate"
    ]
    try:
        web_answers(running, where)
        every_queue_is_worked_off(running, where.owner_url)
        base = f"http://127.0.0.1:{where.web_port}"
        walk(base, where.owner_url, where.mails, lambda is_so: wait_until(is_so, running))
        every_health_check_passes(running, where, image)
        every_service_stops_in_good_order(running)
    finally:
        for service in running:
            with suppress(ProcessLookupError):
                os.killpg(service.process.pid, Signals.SIGKILL)
            service.process.wait()
    # In the container these files are read-only, as all others are.
    assert sorted(image.rglob("*")) == before


def web_answers(running: list[Running], where: Servers) -> None:
    base = f"http://127.0.0.1:{where.web_port}"
    wait_until(lambda: status_of(f"{base}/health") == 200, running)
    wait_until(lambda: status_of(f"{base}/ready") == 200, running)
    with urllib.request.urlopen(f"{base}/metrics", timeout=HANG_SECONDS) as answer:
        assert b'imprint_requests_total{endpoint="ready"' in answer.read()


def every_queue_is_worked_off(running: list[Running], database_url: str) -> None:
    assert {message.queue for message in A_JOB_FOR_EACH_QUEUE} == set(Queue)
    with psycopg.connect(database_url, autocommit=True) as connection:
        ids = enqueue_all(database_url)

        def all_done() -> bool:
            query = "SELECT bool_and(state = 'done') FROM jobs WHERE id = ANY(%s)"
            row = connection.execute(query, (ids,)).fetchone()
            return row is not None and bool(row[0])

        wait_until(all_done, running)
    for service in running:
        for queue in queues_of(service.service):
            kinds = {m.kind for m in A_JOB_FOR_EACH_QUEUE if m.queue == queue}
            words = service.log.read_text(encoding="utf-8", errors="replace")
            assert all(f'"{kind}"' in words for kind in kinds), f"{service.name}: {kinds}"


def every_health_check_passes(running: list[Running], where: Servers, image: Path) -> None:
    checks: dict[str, subprocess.Popen[str]] = {}
    for service in running:
        command = service.service["healthcheck"]["test"]
        assert command[0] == "CMD"
        local = [word.replace(":8000/", f":{where.web_port}/") for word in command[1:]]
        if "workers.liveness" in local:
            local.append(str(service.process.pid))
        checks[service.name] = start_check(local, environment_of(service.service, where), image)
    nowhere = {**environment_of(running[-1].service, where), "REDIS_URL": "redis://127.0.0.1:1/0"}
    stranger = ["python", "-m", "workers.liveness", "worker", str(os.getpid())]
    refused = start_check(stranger, nowhere, image)

    for name, check in checks.items():
        _, complaint = check.communicate(timeout=HANG_SECONDS)
        assert check.returncode == 0, f"{name}: {complaint}"
    _, complaint = refused.communicate(timeout=HANG_SECONDS)
    assert refused.returncode == 1
    assert "has no connection to the broker" in complaint


def start_check(
    command: list[str], environment: dict[str, str], image: Path
) -> subprocess.Popen[str]:
    """Start a health check, so that several run at once."""
    return subprocess.Popen(
        command,
        cwd=image,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def every_service_stops_in_good_order(running: list[Running]) -> None:
    asked_at = time.monotonic()
    for service in running:
        service.process.send_signal(Signals[service.service["stop_signal"]])
    for service in running:
        left = asked_at + seconds(service.service["stop_grace_period"]) - time.monotonic()
        assert service.process.wait(left) == 0, f"{service.name}: {log_tail(service.log)}"


def read_only_root(writable: Sequence[Path]) -> list[str]:
    """Return what makes a command see all files as read-only but some folders, where that can be.

    It takes the right to mount, which a test has as root alone.
    """
    mounts = [f"mount -t tmpfs tmpfs {shlex.quote(str(folder))}" for folder in writable]
    script = " && ".join(["mount -o remount,bind,ro /", *mounts, 'exec "$@"'])
    prefix = ["unshare", "--mount", "sh", "-c", script, "sh"]
    tried = subprocess.run([*prefix, "true"], capture_output=True, check=False)
    return prefix if tried.returncode == 0 else []


def start(name: str, service: dict[str, Any], where: Servers, image: Path, folder: Path) -> Running:
    """Start a service's command in a session of its own."""
    command = [
        word.replace("--host=0.0.0.0", "--host=127.0.0.1").replace(
            "--port=8000", f"--port={where.web_port}"
        )
        for word in fill_in(service["command"], VARIABLES)
    ]
    assert service["read_only"]
    environment = environment_of(service, where)
    writable = [folder / f"{name}-tmp"]
    environment["TMPDIR"] = str(writable[0])
    if "PROMETHEUS_MULTIPROC_DIR" in environment:
        writable.append(folder / "metrics")
        environment["PROMETHEUS_MULTIPROC_DIR"] = str(writable[1])
    assert len(service["tmpfs"]) == len(writable)
    for each in writable:
        each.mkdir()
    log = folder / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*read_only_root(writable), *command],
            cwd=image,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Running(name, service, process, log)


def environment_of(service: dict[str, Any], where: Servers) -> dict[str, str]:
    """Return the service's environment and nothing of this process's but the programs' path."""
    given: dict[str, str] = fill_in(service["environment"], VARIABLES)
    address = urlsplit(given["DATABASE_URL"])
    assert (address.hostname, address.port) == ("db", 5432)
    assert given["REDIS_URL"] == f"redis://:{REDIS_PASSWORD}@redis:6379/0"
    assert given["SMTP_URL"] == "smtp://mailpit:1025"
    urls = {"imprint": where.owner_url, APP_ROLE: where.app_url}
    return {
        **given,
        "DATABASE_URL": urls[address.username or ""],
        "REDIS_URL": where.redis_url,
        "SMTP_URL": where.smtp_url,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.defpath]),
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def enqueue_all(database_url: str) -> list[int]:
    """Write a job for each queue and return their ids."""
    engine = create_engine(database_url.replace("postgresql://", "postgresql+psycopg://", 1))
    with sessionmaker(engine).begin() as session:
        ids = [enqueue(session, message) for message in A_JOB_FOR_EACH_QUEUE]
    engine.dispose()
    return [job_id for job_id in ids if job_id is not None]


def wait_until(condition: Callable[[], bool], running: list[Running]) -> None:
    """Wait for a condition; fail with the logs when it does not come, or a process ends."""
    deadline = time.monotonic() + HANG_SECONDS
    while not condition():
        ended = [service for service in running if service.process.poll() is not None]
        if ended or time.monotonic() > deadline:
            logs = [f"--- {service.name}\n{log_tail(service.log)}" for service in ended or running]
            raise AssertionError("\n".join(logs))
        time.sleep(0.1)


def status_of(url: str) -> int:
    """Return the status that a URL answers with, 0 while nothing answers."""
    try:
        with urllib.request.urlopen(url, timeout=HANG_SECONDS) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0
