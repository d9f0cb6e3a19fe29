"""A person who has left something everywhere, and a look for them in every table."""

from datetime import timedelta

import psycopg
from flask.testing import FlaskClient
from psycopg import sql
from sqlalchemy import insert, select, text, update
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import PASSWORD, Caller, make_actor, make_content
from webapp.kit.clock import utc_now
from webapp.kit.roles import RoleName
from webapp.kit.tokens import hash_email
from webapp.models import (
    ActivityLog,
    Event,
    ImportedAuthor,
    ImportRecord,
    MailDelivery,
    Notification,
    Role,
    User,
)
from webapp.services.accounts.actors import Actor
from webapp.services.interchange.authors import ensure_author
from webapp.services.publishing import publishing, schedules
from webapp.services.publishing.schedules import SchedulePlan
from workers.context import WorkerContext

LOGIN, ADDRESS, NAME = "zebulonquux", "zebulonquux.mail@example.org", "Zebulonquux Person"
BIO = "Zebulonquux writes of the sea."
NEEDLES = (b"zebulonquux", hash_email(ADDRESS))


class Person:
    """Somebody with an account that has been used for all that there is."""

    def __init__(
        self, client: FlaskClient, sessions: sessionmaker[Session], worker: WorkerContext
    ) -> None:
        """Register by the API, so that its answer is kept, and do everything once."""
        self.client, self.sessions = client, sessions
        registered = {"login": LOGIN, "email": ADDRESS, "password": PASSWORD, "display_name": NAME}
        self._post("/accounts", registered, 201)
        with sessions.begin() as session:
            self.id = session.scalars(select(User.id).where(User.login == LOGIN)).one()
            editor = select(Role.id).where(Role.name == RoleName.EDITOR.value).scalar_subquery()
            session.execute(update(User).where(User.id == self.id).values(role_id=editor))
            self.colleague = make_actor(session, RoleName.EDITOR)
        answer = self._post("/auth/token", {"login": LOGIN, "password": PASSWORD}, 200)
        self.token = answer["access_token"]
        self.write_and_read()
        self.leave_traces()

    def write_and_read(self) -> None:
        """Publish, plan, follow, and be told of something."""
        actor = Actor(self.id, LOGIN, RoleName.EDITOR)
        assert self.call("PATCH", "/accounts/me", {"bio": BIO}) == 200
        with self.sessions.begin() as session:
            self.public = make_content(session, actor, title="Public")
            publishing.publish(session, actor, self.public, None)
            self.draft = make_content(session, actor, title="Draft")
            soon = utc_now() + timedelta(days=1)
            plan = SchedulePlan(action="publish", due_at=soon)
            schedules.create(session, actor, self.draft, None, plan)
            theirs = make_content(session, self.colleague)
            publishing.publish(session, self.colleague, theirs, None)
            told = session.scalars(select(Event.id).where(Event.content_id == theirs)).one()
            session.execute(insert(Notification).values(user_id=self.id, event_id=told))
            session.execute(
                insert(MailDelivery).values(user_id=self.id, event_id=told, answer=f"550 {ADDRESS}")
            )
        assert self.call("PUT", f"/follows/author/{self.colleague.user_id}") == 204
        reader = Caller(self.client, RoleName.READER)
        assert reader.call("PUT", f"/follows/author/{self.id}").status_code == 204

    def leave_traces(self) -> None:
        """Have a key, a mail about a password, an import that names them, and lines by others."""
        asked = {"name": LOGIN, "scopes": ["read"], "expires_in_days": 1, "password": PASSWORD}
        assert self.call("POST", "/auth/api-keys", asked) == 201
        self._post("/auth/password-reset", {"email": ADDRESS}, 202)
        with self.sessions.begin() as session:
            session.execute(
                insert(ImportRecord).values(
                    content_id=self.public, collection="site", slug="public", author_id=self.id,
                    said={"title": "Public", "author": NAME}, private={"authors": [NAME], "x": 1},
                )
            )  # fmt: skip
            session.execute(insert(ImportedAuthor).values(name=NAME, user_id=self.id))
            session.execute(
                insert(ActivityLog).values(
                    actor_id=self.colleague.user_id, action="thing.do", subject_kind="user",
                    subject_id=self.id, details={"of": NAME}, user_agent=LOGIN,
                )
            )  # fmt: skip
            assert ensure_author(session, NAME).user_id == self.id

    def call(self, method: str, path: str, json: object = None) -> int:
        """Call the API as this person and return the status."""
        headers = {"Authorization": f"Bearer {self.token}", "If-Match": "*"}
        if method == "POST":
            headers["Idempotency-Key"] = f"{LOGIN}{path}"
        answer = self.client.open(f"/api/v1{path}", method=method, json=json, headers=headers)
        return answer.status_code

    def _post(self, path: str, json: dict[str, str], status: int) -> dict[str, str]:
        headers = {"Idempotency-Key": path, "User-Agent": f"{LOGIN}/1.0"}
        answer = self.client.post(f"/api/v1{path}", json=json, headers=headers)
        assert answer.status_code == status, answer.get_json()
        return dict(answer.get_json())


def find_traces(url: str) -> list[str]:
    """Return each table in which something of the person stands, with what stands there."""
    found = []
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "SELECT table_name FROM information_schema.tables"
            " WHERE table_schema = 'public' ORDER BY table_name"
        ).fetchall()
        for (table,) in tables:
            rows = connection.execute(
                sql.SQL("SELECT row::text FROM {} AS row").format(sql.Identifier(table))
            )
            for (row,) in rows:
                lowered = row.lower()
                if any(_stands_in(lowered, needle) for needle in NEEDLES):
                    found.append(f"{table}: {row[:300]}")
    return found


def _stands_in(row: str, needle: bytes) -> bool:
    """Say whether a needle stands in a row, as text or as PostgreSQL writes bytes."""
    as_text = needle.decode("ascii", errors="replace")
    return as_text in row or needle.hex() in row


def pass_last_look(sessions: sessionmaker[Session]) -> None:
    """Let the time pass in which something under way might still be written."""
    with sessions.begin() as session:
        session.execute(text("UPDATE erasures SET began_at = began_at - interval '1 hour'"))
        session.execute(text("UPDATE jobs SET run_at = now() WHERE kind = 'account.erase'"))
