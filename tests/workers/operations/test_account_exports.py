"""Promise: a copy whose worker is killed is begun anew, and is there once, with each row once."""

import io
import json
import time
from zipfile import ZipFile

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import make_actor
from tests.patience import HANG_SECONDS
from tests.workers.operations.killed_worker import start_process, take_back
from webapp.models import AccountExport, AccountExportFile, Job
from webapp.services.operations import account_exports
from webapp.settings import Settings

ROWS = 20_000
KILLS = 2


def files_there(sessions: sessionmaker[Session]) -> int:
    """Return how many files of the copy there are."""
    with sessions() as session:
        return session.scalar(select(func.count()).select_from(AccountExportFile)) or 0


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
    process = start_process(settings, "export_process")
    while process.poll() is None:
        assert time.monotonic() < give_up_at
        if kills < KILLS and files_there(sessions) > kills:
            process.kill()
            process.wait()
            kills += 1
            take_back(sessions)
            process = start_process(settings, "export_process")
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
