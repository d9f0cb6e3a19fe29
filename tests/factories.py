"""What tests need to exist, made through the services, with defaults for what does not matter."""

from functools import cache
from itertools import count
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from webapp.api.context import WebContext
from webapp.kit.passwords import hash_password
from webapp.kit.roles import RoleName
from webapp.kit.tokens import hash_email
from webapp.models import Role, User
from webapp.services.accounts.actors import Actor
from webapp.services.accounts.holders import FindRow
from webapp.services.accounts.sessions import Login, open_session
from webapp.services.content import content
from webapp.services.content.content import Draft
from workers.context import WorkerContext
from workers.handlers import HANDLERS
from workers.runner import run_job

PASSWORD = "a password for tests"
_numbers = count(1)


def make_actor(
    session: Session, role: RoleName = RoleName.ADMIN, password_hash: str = "no password"
) -> Actor:
    """Make an account without hashing a password, which is slow on purpose, and act as it."""
    login = f"{role.value}{next(_numbers)}"
    role_id = session.scalars(select(Role.id).where(Role.name == role.value)).one()
    user = User(
        login=login,
        email=f"{login}@example.org",
        email_hash=hash_email(f"{login}@example.org"),
        password_hash=password_hash,
        display_name=login.title(),
        role_id=role_id,
    )
    session.add(user)
    session.flush()
    return Actor(user.id, login, role)


def make_content(session: Session, actor: Actor, **fields: Any) -> int:
    """Make an item and return its id."""
    draft = Draft(**{"title": f"Item {next(_numbers)}", "body": "Some text.", **fields})
    return content.create(session, actor, draft)


@cache
def password_hash() -> str:
    """Return a hash of PASSWORD. To make one is slow on purpose, so all accounts share it."""
    return hash_password(PASSWORD)


def rows_of(session: Session) -> FindRow:
    """Find rows within a session, which also sees what its transaction has not committed."""
    return lambda statement, parameters: session.execute(statement, parameters).one_or_none()


def as_it_is(_row: object) -> bool:
    """Change a thing whatever it has become, as `If-Match: *` does."""
    return True


class Caller:
    """A logged-in account that calls the API and parses its answers."""

    def __init__(self, client: FlaskClient, role: RoleName) -> None:
        """Make the account and open its session, without the work of Argon2."""
        self.client = client
        context: WebContext = client.application.context  # type: ignore[attr-defined]
        with context.sessions.begin() as session:
            actor = make_actor(session, role, password_hash())
            session.get_one(User, actor.user_id).display_name = actor.login
            login = Login(actor.user_id, password_hash(), PASSWORD)
            opened = open_session(
                session, login, days=1, user_agent="tests", repeat_key=None, secret_key=""
            )
        self.id, self.login = actor.user_id, actor.login
        self.email = f"{self.login}@example.org"
        self.token = opened.access_token

    def call(self, method: str, path: str, json: Any = None, **headers: str) -> Any:
        """Call the API; underscores in header names stand for hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named["Authorization"] = f"Bearer {self.token}"
        return self.client.open(f"/api/v1{path}", method=method, json=json, headers=named)


def run_ready_jobs(worker: WorkerContext, *, kinds: set[str] | None = None) -> int:
    """Run every job that is ready and due, until none is left, as the workers would."""
    ran = 0
    while ids := _ready_job_ids(worker, kinds):
        for job_id in ids:
            run_job(worker, HANDLERS, job_id)
            ran += 1
    return ran


def _ready_job_ids(worker: WorkerContext, kinds: set[str] | None) -> list[int]:
    from_kinds = "AND kind = ANY (:kinds)" if kinds else ""
    with worker.transaction() as session:
        statement = (
            "SELECT id FROM jobs WHERE state = 'ready' AND run_at <= clock_timestamp() "
            f"{from_kinds} ORDER BY id LIMIT 100"
        )
        return list(session.scalars(text(statement), {"kinds": sorted(kinds or ())}))
