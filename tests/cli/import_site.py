"""A site that is imported again and again, for the tests of the import."""

from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskCliRunner
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import run_ready_jobs
from webapp.cli import import_sources
from webapp.jobs.messages import FireSchedules
from webapp.jobs.outbox import enqueue
from webapp.kit.clock import utc_now
from webapp.models import Content, Publication, Schedule
from workers.context import WorkerContext

SOON = (utc_now() + timedelta(hours=2)).replace(microsecond=0)
LATER = SOON + timedelta(hours=5)
NEXT_DAY = SOON + timedelta(days=1)
PAST = "2020-01-01T00:00:00Z"


class Site:
    """A folder with one post, which is imported again and again."""

    def __init__(
        self,
        folder: Path,
        commands: FlaskCliRunner,
        worker: WorkerContext,
        sessions: sessionmaker[Session],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Begin with an empty folder."""
        self.folder, self.commands, self.worker, self.sessions = folder, commands, worker, sessions
        self.monkeypatch = monkeypatch
        self.output = ""

    def write(self, body: str, name: str = "post.md", **fields: object) -> None:
        """Write the post with a title, a date and more fields of front matter."""
        front = {"title": "Post", **fields}
        lines = "".join(f"{key}: {value}\n" for key, value in front.items())
        (self.folder / name).write_text(f"---\n{lines}---\n{body}\n")

    def load(self, *options: str, publish: bool = True) -> dict[str, int]:
        """Import the folder and return the figures of the summary."""
        flags = ["--publish"] if publish else []
        args = ["content", "import", str(self.folder), *flags, *options]
        result = self.commands.invoke(args=args)
        self.output = result.output
        rows = [line.split() for line in result.output.splitlines()]
        return {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdigit()}

    def pass_moment(self) -> None:
        """Let the next day come: what is due by then is handed over and run, as at its moment."""
        self.monkeypatch.setattr(import_sources, "utc_now", lambda: NEXT_DAY)
        with self.sessions.begin() as session:
            ids = session.scalars(
                update(Schedule)
                .where(Schedule.state == "pending", Schedule.due_at < NEXT_DAY)
                .values(state="handed")
                .returning(Schedule.id)
            ).all()
            for schedule_id in ids:
                enqueue(session, FireSchedules(schedule_ids=(schedule_id,)))
        run_ready_jobs(self.worker)

    def public(self) -> str | None:
        """Return the public HTML of the post, None where it is not public."""
        with self.sessions() as session:
            document = session.scalar(select(Publication.document))
        return None if document is None else str(document["html"]).strip()

    def item(self) -> Content:
        """Return the item that the post is."""
        with self.sessions() as session:
            return session.scalars(select(Content)).one()
