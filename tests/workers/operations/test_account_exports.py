"""Promise: a copy whose worker is killed is begun anew, and is there once, with each row once."""

import io
import json
import subprocess
import sys
import time
from pathlib import Path
from zipfile import ZipFile

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session, sessionmaker

from dev.run_options import child_environment
from tests.factories import make_actor
from tests.patience import HANG_SECONDS
from webapp.adapters.database import plain_url
from webapp.jobs.leases import take_back_expired
from webapp.models import AccountExport, AccountExportFile, Job
from webapp.services.operations import account_exports
from webapp.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
ROWS = 20_000
KILLS = 2


def start_process(settings: Settings) -> "subprocess.Popen[bytes]":
    """Start the worker process of this test."""
    environment = child_environment(
        {"DATABASE_URL": plain_url(settings), "SECRET_KEY": settings.require_secret_key()}
    )
    command = [sys.executable, "-m", "tests.workers.operations.export_process"]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)


def files_there(sessions: sessionmaker[Session]) -> int:
    """Return how many files of the copy there are."""
    with sessions() as session:
        return session.scalar(select(func.count()).select_from(AccountExportFile)) or 0


def take_back(sessions: sessionmaker[Session]) -> None:
    """Let the time pass that the lease of a dead process has left."""
    with sessions.begin() as session:
        session.execute(
            update(Job).where(Job.state == "running").values(lease_until=func.clock_timestamp())
        )
        take_back_expired(session)
        session.execute(update(Job).values(run_at=func.clock_timestamp()))


@pytest.mark.long
@pytest.mark.timeout(12 * HANG_SECONDS)
def test_killed_in_its_middle_it_is_begun_anew_and_made_once(
    settings: Settings, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        user_id = make_actor(session).user_id
        session.execute(
            text("INSERT INTO notifications (user_id, event_id)"
                 " SELECT :id, n FROM generate_series(1, :rows) AS n"),
            {"id": user_id, "rows": ROWS},
        )  # fmt: skip
        account_exports.ask(session, user_id)
    kills, give_up_at = 0, time.monotonic() + 8 * HANG_SECONDS
    process = start_process(settings)
    while process.poll() is None:
        assert time.monotonic() < give_up_at
        if kills < KILLS and files_there(sessions) > kills:
            process.kill()
            process.wait()
            kills += 1
            take_back(sessions)
            process = start_process(settings)
        time.sleep(0.01)
    assert (process.returncode, kills) == (0, KILLS)
    with sessions() as session:
        made = session.scalars(select(AccountExport)).one()
        files = session.scalars(select(AccountExportFile).order_by(AccountExportFile.number)).all()
        assert made.ready_at is not None
        assert [file.number for file in files] == list(range(1, len(files) + 1))
        assert made.byte_count == sum(len(file.data) for file in files)
        mails = select(func.count()).where(Job.kind == "account_export.send")
        assert session.scalar(mails) == 1
    told = [
        json.loads(line)["event_id"]
        for file in files
        for line in _member(file.data, "notifications.jsonl")
    ]
    assert sorted(told) == list(range(1, ROWS + 1))


def _member(data: bytes, name: str) -> list[bytes]:
    with ZipFile(io.BytesIO(data)) as archive:
        return archive.read(name).splitlines() if name in archive.namelist() else []
