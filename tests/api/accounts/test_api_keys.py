"""Promises about API keys: what they let in, what they never do, and when they end."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, func, select, text, update
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import PASSWORD, Caller
from tests.statements import noting_statements
from webapp.api.edge import ImprintApp
from webapp.jobs.leases import seconds_from_now
from webapp.kit.permissions import Scope
from webapp.kit.roles import RoleName
from webapp.models import ActivityLog, ApiKey, Content, Publication
from webapp.services.accounts import accounts, standing

FUTURE = {"action": "publish", "at": "2099-01-01T00:00:00Z"}


def ask_for_key(owner: Caller, *scopes: str, **fields: Any) -> Any:
    """Ask for a key of an account."""
    key = {
        "name": "agent", "scopes": list(scopes), "expires_in_days": 30, "password": PASSWORD,
    }  # fmt: skip
    return owner.call("POST", "/auth/api-keys", {**key, **fields})


def by_key(owner: Caller, *scopes: str) -> Caller:
    """Return a caller that comes with a new key of an account."""
    made = ask_for_key(owner, *scopes, name=" ".join(scopes)).get_json()
    machine = Caller.__new__(Caller)
    machine.client, machine.id, machine.token = owner.client, owner.id, made["key"]
    return machine


def write_draft(caller: Caller, **headers: str) -> int:
    """Write an item and return its id."""
    answer = caller.call("POST", "/content", {"title": "Draft", "body": "Words"}, **headers)
    assert answer.status_code == 201, answer.get_json()
    return int(answer.get_json()["id"])


def test_a_key_is_shown_once_and_stored_as_a_hash(
    client: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    author = Caller(client, RoleName.AUTHOR)
    answer = ask_for_key(author, "read", "propose", "read")
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    made = answer.get_json()
    key = made.pop("key")
    assert made["scopes"] == ["propose", "read"]
    assert key.startswith(made["prefix"])
    assert len(made["prefix"]) < len(key) / 3
    listed = author.call("GET", "/auth/api-keys")
    assert listed.get_json()["items"] == [made]
    assert key not in listed.get_data(as_text=True)
    with sessions() as session:
        for table in ("api_keys", "activity_logs", "idempotency_keys"):
            rows = session.execute(text(f"SELECT t::text FROM {table} t")).scalars()
            assert not [row for row in rows if key in row], table


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"password": "not the password"}, 401),
        ({"scopes": []}, 422),
        ({"scopes": ["approve"]}, 422),
        ({"expires_in_days": 366}, 422),
        ({"expires_in_days": 0}, 422),
        ({"expires_in_days": None}, 422),
        ({"name": ""}, 422),
        ({"name": "a\nb"}, 422),
    ],
)
def test_a_key_that_is_not_asked_for_rightly_is_not_made(
    client: FlaskClient, sessions: sessionmaker[Session], fields: dict[str, Any], status: int
) -> None:
    author = Caller(client, RoleName.AUTHOR)
    assert ask_for_key(author, "read", **fields).status_code == status
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(ApiKey)) == 0
        failed = select(ActivityLog.subject_id).where(ActivityLog.action == "login.failed")
        assert session.scalars(failed).all() == ([author.id] if status == 401 else [])


def test_names_tell_the_live_keys_of_an_account_apart(
    client: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    author, other = Caller(client, RoleName.AUTHOR), Caller(client, RoleName.AUTHOR)
    first = ask_for_key(author, "read").get_json()
    assert ask_for_key(author, "read").status_code == 409
    assert ask_for_key(other, "read").status_code == 201
    assert other.call("DELETE", f"/auth/api-keys/{first['id']}").status_code == 404
    assert author.call("DELETE", f"/auth/api-keys/{first['id']}").status_code == 204
    assert author.call("DELETE", f"/auth/api-keys/{first['id']}").status_code == 404
    assert ask_for_key(author, "read").status_code == 201
    with sessions.begin() as session:
        session.execute(update(ApiKey).values(expires_at=seconds_from_now(-1)))
    assert author.call("GET", "/auth/api-keys").get_json()["items"] == []
    assert ask_for_key(author, "read").status_code == 201


def test_keys_asked_for_at_once_never_pass_the_quota(app: ImprintApp) -> None:
    author = Caller(app.test_client(), RoleName.AUTHOR)
    assert app.context is not None
    most = app.context.settings.quota_api_keys

    def ask(number: int) -> int:
        mine = Caller.__new__(Caller)
        mine.client, mine.token = app.test_client(), author.token
        return int(ask_for_key(mine, "read", name=str(number)).status_code)

    assert [ask(number) for number in range(most - 1)] == [201] * (most - 1)
    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(ask, range(most, most + 4))) == [201, 409, 409, 409]


def test_a_key_makes_lists_and_ends_no_key_and_no_session(client: FlaskClient) -> None:
    admin = Caller(client, RoleName.ADMIN)
    machine = by_key(admin, *Scope)
    assert ask_for_key(machine, "read", name="mine").status_code == 403
    for method, path in (
        ("GET", "/auth/api-keys"), ("DELETE", "/auth/api-keys/1"), ("GET", "/auth/sessions"),
        ("DELETE", "/auth/sessions/1"), ("DELETE", "/auth/token"),
    ):  # fmt: skip
        assert machine.call(method, path).status_code == 403, path
    assert machine.call("GET", "/accounts/me").get_json()["id"] == admin.id


def test_a_key_to_propose_writes_drafts_and_decides_nothing(
    client: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    admin = Caller(client, RoleName.ADMIN)
    machine = by_key(admin, "propose")
    content_id = write_draft(machine)
    path = f"/content/{content_id}"
    assert machine.call("PATCH", path, {"title": "Better"}, If_Match="*").status_code == 200
    restored = machine.call("POST", f"{path}/versions/1/restore", If_Match="*")
    assert restored.status_code == 200
    for method, below, body in (
        ("POST", "/publish", {}), ("POST", "/publish", {"notify": False}),
        ("POST", "/unpublish", None), ("POST", "/schedule", FUTURE), ("POST", "/trash", None),
        ("POST", "/untrash", None), ("DELETE", "", None),
    ):  # fmt: skip
        answer = machine.call(method, f"{path}{below}", body, If_Match="*")
        assert answer.status_code == 403, (method, below)
    for field in ("status", "is_public", "published_at", "version", "author_id", "import_source"):
        answer = machine.call("PATCH", path, {field: "published"}, If_Match="*")
        assert answer.status_code == 422, field
        answer = machine.call("POST", "/content", {"title": "x", field: "published"})
        assert answer.status_code == 422, field
    with sessions() as session:
        assert session.scalar(select(Content.status)) == "draft"
        assert session.scalar(select(func.count()).select_from(Publication)) == 0


def test_a_key_to_propose_changes_nothing_that_is_public_or_planned(client: FlaskClient) -> None:
    admin = Caller(client, RoleName.ADMIN)
    machine = by_key(admin, "propose")
    content_id = write_draft(admin)
    path = f"/content/{content_id}"
    admin.call("POST", f"{path}/publish", {}, If_Match="*")
    plan = admin.call("POST", f"{path}/schedule", {**FUTURE, "action": "unpublish"}, If_Match="*")
    schedule = f"/schedule/{plan.get_json()['id']}"
    assert machine.call("PATCH", path, {"body": "Other"}, If_Match="*").status_code == 200
    assert "Words" in client.get("/api/v1/published/draft").get_json()["html"]
    assert machine.call("GET", schedule).status_code == 200
    moved = machine.call("PATCH", schedule, {"at": "2098-01-01T00:00:00Z"}, If_Match="*")
    assert moved.status_code == 403
    assert machine.call("DELETE", schedule, If_Match="*").status_code == 403


def test_what_a_person_was_answered_is_not_replayed_to_a_key(client: FlaskClient) -> None:
    admin = Caller(client, RoleName.ADMIN)
    machine, reading = by_key(admin, "propose"), by_key(admin, "read")
    content_id = write_draft(admin, Idempotency_Key="k")
    assert write_draft(machine, Idempotency_Key="k") != content_id
    path = f"/content/{content_id}/publish"
    assert admin.call("POST", path, {}, If_Match="*", Idempotency_Key="p").status_code == 200
    assert machine.call("POST", path, {}, If_Match="*", Idempotency_Key="p").status_code == 403
    body = {"title": "Draft", "body": "Words"}
    assert reading.call("POST", "/content", body, Idempotency_Key="k").status_code == 403
    assert write_draft(admin, Idempotency_Key="k") == content_id


def test_sending_is_a_scope_of_its_own(
    client: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    editor = Caller(client, RoleName.EDITOR)
    quiet, loud = by_key(editor, "publish"), by_key(editor, "publish", "send")
    path = f"/content/{write_draft(editor)}"
    count = text("SELECT count(*) FROM jobs WHERE kind = 'event.fan_out'")
    assert quiet.call("POST", f"{path}/publish", {}, If_Match="*").status_code == 403
    assert quiet.call("POST", f"{path}/schedule", FUTURE, If_Match="*").status_code == 403
    silent = {"notify": False}
    assert quiet.call("POST", f"{path}/publish", silent, If_Match="*").status_code == 200
    with sessions() as session:
        before = session.scalar(text("SELECT count(*) FROM events WHERE fanned_out_at IS NULL"))
        assert (before, session.scalar(count)) == (0, 0)
    assert quiet.call("POST", f"{path}/unpublish", If_Match="*").status_code == 200
    assert loud.call("POST", f"{path}/publish", {}, If_Match="*").status_code == 200


def test_a_key_has_no_more_than_its_owner_at_that_moment(
    client: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    editor, foreign = Caller(client, RoleName.EDITOR), Caller(client, RoleName.AUTHOR)
    machine = by_key(editor, *Scope)
    theirs, own = write_draft(foreign), write_draft(machine)
    assert machine.call("GET", f"/content/{theirs}").status_code == 200
    assert machine.call("GET", "/users").status_code == 403
    with sessions.begin() as session:
        demoted = "UPDATE users SET role_id = (SELECT id FROM roles WHERE name = 'author')"
        session.execute(text(f"{demoted} WHERE id = :id"), {"id": editor.id})
    assert machine.call("GET", f"/content/{theirs}").status_code == 404
    publish = machine.call("POST", f"/content/{own}/publish", {}, If_Match="*")
    assert publish.status_code == 403
    assert machine.call("GET", f"/content/{own}").status_code == 200
    with sessions.begin() as session:
        standing.disable(session, None, editor.id, "gone")
    assert machine.call("GET", f"/content/{own}").status_code == 401
    with sessions.begin() as session:
        standing.enable(session, None, editor.id)
    assert machine.call("GET", f"/content/{own}").status_code == 401


def test_a_key_ends_with_the_password_and_with_its_days(
    client: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    author, other = Caller(client, RoleName.AUTHOR), Caller(client, RoleName.AUTHOR)
    machine, late = by_key(author, "read"), by_key(other, "read")
    with sessions.begin() as session:
        accounts.set_password(session, author.id, "another password for tests")
        session.execute(
            update(ApiKey).where(ApiKey.user_id == other.id).values(expires_at=seconds_from_now(-1))
        )
    for caller in (machine, late):
        refused = caller.call("GET", "/accounts/me")
        assert refused.status_code == 401
        assert refused.get_json()["detail"] == "The API key is unknown, expired or revoked."


def test_writes_by_a_key_tell_the_key_and_the_session_of_its_agent(
    client: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    author = Caller(client, RoleName.AUTHOR)
    machine = by_key(author, "propose")
    write_draft(machine, Agent_Session="run-7")
    write_draft(machine)
    write_draft(author, Agent_Session="run-7")
    refused = machine.call("POST", "/content/1/publish", {}, If_Match="*", Agent_Session="run-8")
    assert refused.status_code == 403
    with sessions() as session:
        key_id = session.scalar(select(ApiKey.id))
        named = select(
            ActivityLog.api_key_id, ActivityLog.agent_session, ActivityLog.session_id.is_(None)
        ).order_by(ActivityLog.id)
        created = session.execute(named.where(ActivityLog.action == "content.create")).all()
        assert [tuple(row) for row in created] == [
            (key_id, "run-7", True), (key_id, None, True), (None, None, False),
        ]  # fmt: skip
        traced = session.execute(named.where(ActivityLog.action == "role.refused")).one()
        assert tuple(traced) == (key_id, "run-8", True)
    for wrong in ("", "a b", "é", "x" * 101):
        answer = machine.call("POST", "/content", {"title": "x"}, Agent_Session=wrong)
        assert answer.status_code == 400, wrong


def test_the_use_of_a_key_is_noted_once_a_minute(
    client: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    machine = by_key(Caller(client, RoleName.AUTHOR), "read")

    def use() -> Any:
        assert machine.call("GET", "/accounts/me").status_code == 200
        with sessions() as session:
            return session.scalar(select(ApiKey.last_used_at))

    first = use()
    assert first is not None
    assert use() == first
    with sessions.begin() as session:
        earlier = session.scalar(
            update(ApiKey).values(last_used_at=seconds_from_now(-61)).returning(ApiKey.last_used_at)
        )
    again = use()
    assert again > earlier
    assert use() == again


def test_no_request_that_begins_after_the_revocation_succeeds(app: ImprintApp) -> None:
    author = Caller(app.test_client(), RoleName.AUTHOR)
    made = ask_for_key(author, "propose").get_json()
    revoked, in_use = Event(), Event()

    def keep_using(_number: int) -> list[tuple[bool, int]]:
        mine = Caller.__new__(Caller)
        mine.client, mine.token = app.test_client(), made["key"]
        seen: list[tuple[bool, int]] = []
        while len([late for late, _ in seen if late]) < 5:
            late = revoked.is_set()
            seen.append((late, mine.call("POST", "/content", {"title": "x"}).status_code))
            if seen[-1][1] == 201:
                in_use.set()
        return seen

    with ThreadPoolExecutor(3) as pool:
        futures = [pool.submit(keep_using, number) for number in range(3)]
        assert in_use.wait(60)
        ended = author.call("DELETE", f"/auth/api-keys/{made['id']}").status_code
        revoked.set()
        seen = [one for future in futures for one in future.result()]
    assert ended == 204
    assert {status for late, status in seen if late} == {401}
    assert {status for _, status in seen} == {201, 401}


def test_an_account_is_shown_by_the_one_read_that_says_who_asks(client: FlaskClient) -> None:
    app: ImprintApp = client.application  # type: ignore[assignment]
    assert app.context is not None
    owner = Caller(client, RoleName.EDITOR)
    reads: list[str] = []

    def note_read(*_: Any) -> None:
        reads.append("a connection for one read")

    shown = []
    for caller in (owner, by_key(owner, "read")):
        assert caller.call("GET", "/accounts/me").status_code == 200  # The use of a key is noted.
        event.listen(app.context.engine, "checkout", note_read)
        with noting_statements(app.context.engine) as in_sessions:
            shown.append(caller.call("GET", "/accounts/me").get_json())
        event.remove(app.context.engine, "checkout", note_read)
        assert (len(reads), in_sessions) == (1, [])
        reads.clear()
    assert shown[0] == shown[1]
    assert (shown[0]["id"], shown[0]["email"]) == (owner.id, owner.email)
