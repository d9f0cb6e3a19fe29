"""Promises of the links between accounts and issuers, and of the roles that groups give."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session, sessionmaker

from dev.mail_sink import MailSink
from tests.api.accounts.issuer_apis import api_with
from tests.factories import Caller, run_ready_jobs
from tests.issuers import (
    RunningIssuer,
    begin,
    finish,
    running_issuer,
    sign_in,
    sign_in_at_issuer,
)
from tests.patience import HANG_SECONDS
from tests.statements import noting_statements
from webapp.kit.roles import RoleName
from webapp.kit.tokens import hash_email
from webapp.models import ActivityLog, Identity, Role, User
from webapp.services.accounts.identities import NOT_LET_IN
from webapp.settings import Settings
from workers.context import WorkerContext

NAMES = ("anna", "boris")
PEOPLE: dict[str, dict[str, Any]] = {
    name: {
        "email": f"{name}@example.org",
        "email_verified": True,
        "preferred_username": name,
        "groups": ["press", "chiefs"],
    }
    for name in NAMES
}
# A sign-in: the use of its row, the link and its use, the role, the account's lock, the session,
# those beyond the quota, the login, the network and its count, the line of the log, two commits,
# and what a connection sends every five seconds to drop its plans.
MOST_STATEMENTS = 15
TRUSTED: dict[str, Any] = {"trusts_addresses": True, "makes_accounts": True}


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningIssuer]:
    """An issuer that all tests of this module share."""
    with running_issuer(tmp_path_factory.mktemp("issuer"), people=PEOPLE) as issuer:
        yield issuer


def link(sessions: sessionmaker[Session], user_id: int, issuer_url: str, subject: str) -> int:
    """Link an account, as a first sign-in would."""
    with sessions.begin() as session:
        added = insert(Identity).values(user_id=user_id, issuer=issuer_url, subject=subject)
        return session.scalars(added.returning(Identity.id)).one()


def role_of(sessions: sessionmaker[Session], user_id: int) -> str:
    with sessions() as session:
        held = select(Role.name).join(User, User.role_id == Role.id).where(User.id == user_id)
        return session.scalars(held).one()


def test_links_are_listed_and_ended_with_the_other_sessions(
    settings: Settings, issuer: RunningIssuer, sessions: sessionmaker[Session]
) -> None:
    with api_with(settings, issuer.setting(trusts_addresses=True)) as client:
        owner, other = Caller(client, RoleName.AUTHOR), Caller(client, RoleName.AUTHOR)
        prove(sessions, owner)
        mine = link(sessions, owner.id, issuer.url, "anna")
        forgotten = link(sessions, owner.id, "https://elsewhere.example", "anna")
        first = owner.call("GET", "/auth/identities?limit=1").get_json()
        rest = owner.call("GET", f"/auth/identities?cursor={first['next']}").get_json()
        assert [line["id"] for line in first["items"] + rest["items"]] == [mine, forgotten]
        assert [line["name"] for line in first["items"] + rest["items"]] == ["company", None]
        assert other.call("GET", "/auth/identities").get_json()["items"] == []
        assert other.call("DELETE", f"/auth/identities/{mine}").status_code == 404

        signed_in = sign_in(client, "anna").get_json()["access_token"]
        assert owner.call("DELETE", f"/auth/identities/{mine}").status_code == 204
        assert owner.call("DELETE", f"/auth/identities/{mine}").status_code == 404
        assert owner.call("GET", "/accounts/me").status_code == 200
        headers = {"Authorization": f"Bearer {signed_in}"}
        assert client.get("/api/v1/accounts/me", headers=headers).status_code == 401
        # The address of the issuer's anna is not that of the owner.
        assert sign_in(client, "anna").status_code == 403
    with sessions() as session:
        actions = session.scalars(select(ActivityLog.action)).all()
    assert actions.count("identity.unlink") == 1


def prove(sessions: sessionmaker[Session], owner: Caller) -> None:
    with sessions.begin() as session:
        proven = update(User).where(User.id == owner.id)
        session.execute(proven.values(email_proven_at=func.clock_timestamp()))


def test_the_only_way_into_an_account_is_not_ended(
    settings: Settings, issuer: RunningIssuer, sessions: sessionmaker[Session]
) -> None:
    with api_with(settings, issuer.setting()) as client:
        owner = Caller(client, RoleName.AUTHOR)
        mine = link(sessions, owner.id, issuer.url, "anna")
        refused = owner.call("DELETE", f"/auth/identities/{mine}")
        assert refused.status_code == 409
        assert "Prove its address first" in refused.get_json()["detail"]
        prove(sessions, owner)
        only_door = api_with(settings, issuer.setting(), password_sign_in=False)
        with only_door as closed:
            headers = {"Authorization": f"Bearer {owner.token}"}
            path = f"/api/v1/auth/identities/{mine}"
            assert closed.delete(path, headers=headers).status_code == 409
        assert owner.call("DELETE", f"/auth/identities/{mine}").status_code == 204


def test_of_two_links_that_are_ended_at_once_one_stays(
    settings: Settings, issuer: RunningIssuer, sessions: sessionmaker[Session]
) -> None:
    with api_with(settings, issuer.setting()) as client:
        owner = Caller(client, RoleName.AUTHOR)
        links = [link(sessions, owner.id, f"https://{n}.example", "anna") for n in range(2)]
        barrier = Barrier(2)

        def end(number: int) -> int:
            barrier.wait(HANG_SECONDS)
            headers = {"Authorization": f"Bearer {owner.token}"}
            path = f"/api/v1/auth/identities/{links[number]}"
            return client.application.test_client().delete(path, headers=headers).status_code

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(end, range(2))) == [204, 409]


def test_the_owner_of_a_linked_account_is_told_once(
    settings: Settings,
    issuer: RunningIssuer,
    sessions: sessionmaker[Session],
    worker: WorkerContext,
    mail_sink: MailSink,
) -> None:
    with api_with(settings, issuer.setting(trusts_addresses=True)) as client:
        owner = Caller(client, RoleName.AUTHOR)
        from_issuer = PEOPLE["anna"]["email"]
        give_address(sessions, owner, from_issuer)
        for _ in range(2):
            assert sign_in(client, "anna").status_code == 200
        run_ready_jobs(worker)
    (mail,) = mail_sink.messages()
    assert mail["To"].endswith(f"<{from_issuer}>")
    assert mail["Subject"] == "Another way to sign in"
    assert issuer.url.removeprefix("http://") in str(mail)


def give_address(sessions: sessionmaker[Session], owner: Caller, email: str) -> None:
    """Let an account have proven an address."""
    with sessions.begin() as session:
        user = session.get_one(User, owner.id)
        user.email, user.email_hash = email, hash_email(email)
    prove(sessions, owner)


def test_groups_give_roles_at_each_sign_in_up_and_down_and_over_what_was_given_by_hand(
    settings: Settings, issuer: RunningIssuer, sessions: sessionmaker[Session]
) -> None:
    def signed_in(**mapping: str) -> str:
        setting = issuer.setting(role_of_group=mapping, **TRUSTED)
        with api_with(settings, setting, new_account_role="author") as client:
            assert sign_in(client, "anna").status_code == 200
            headers = {"Authorization": f"Bearer {boss.token}"}
            listed = client.get("/api/v1/users", headers=headers).get_json()["items"]
        return str(next(line["role"] for line in listed if line["login"] == "anna"))

    with api_with(settings) as client:
        boss = Caller(client, RoleName.ADMIN)
        assert signed_in(press="author", chiefs="editor", others="admin") == "editor"
        assert signed_in(press="author") == "author"
        (anna,) = [
            line["id"] for line in boss.call("GET", "/users").get_json()["items"]
            if line["login"] == "anna"
        ]  # fmt: skip
        given = boss.call("PUT", f"/users/{anna}/role", {"role": "manager"}, If_Match="*")
        assert given.status_code == 200
        assert signed_in(press="author") == "author"
        assert signed_in(others="admin") == "reader"
        # An issuer that rules no roles leaves them alone.
        assert (
            boss.call("PUT", f"/users/{anna}/role", {"role": "manager"}, If_Match="*").status_code
            == 200
        )
        assert signed_in() == "manager"
    assert given_by_issuer(sessions) == [
        {"old": "editor", "new": "author"},
        {"old": "manager", "new": "author"},
        {"old": "author", "new": "reader"},
    ]


def given_by_issuer(sessions: sessionmaker[Session]) -> list[Any]:
    """Return the changes of roles of which the activity log says that the company made them."""
    with sessions() as session:
        lines = session.scalars(
            select(ActivityLog)
            .where(ActivityLog.action == "account.set_role", ActivityLog.actor_id.is_(None))
            .order_by(ActivityLog.id)
        ).all()
    assert {line.details["issuer"] for line in lines} == {"company"}
    return [line.changes["role"] for line in lines]


def test_who_has_no_group_that_counts_is_not_let_in_where_the_settings_say_so(
    settings: Settings, issuer: RunningIssuer, sessions: sessionmaker[Session]
) -> None:
    only = issuer.setting(role_of_group={"others": "editor"}, role_without_group=None, **TRUSTED)
    with api_with(settings, only) as client:
        answer = sign_in(client, "anna")
    assert (answer.status_code, answer.get_json()["detail"]) == (403, NOT_LET_IN)
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(User)) == 0


def test_of_two_last_admins_who_lose_their_group_at_once_one_stays(
    settings: Settings, issuer: RunningIssuer, sessions: sessionmaker[Session]
) -> None:
    setting = issuer.setting(role_of_group={"others": "admin"})
    with api_with(settings, setting) as client:
        admins = [Caller(client, RoleName.ADMIN) for _ in NAMES]
        for admin, name in zip(admins, NAMES, strict=True):
            link(sessions, admin.id, issuer.url, name)
        came_back = [sign_in_at_issuer(begin(client).get_json(), name) for name in NAMES]
        barrier = Barrier(2)

        def bring(number: int) -> int:
            barrier.wait(HANG_SECONDS)
            other: FlaskClient = client.application.test_client()
            return finish(other, came_back[number].body()).status_code

        with ThreadPoolExecutor(2) as pool:
            assert list(pool.map(bring, range(2))) == [200, 200]
    assert sorted(role_of(sessions, admin.id) for admin in admins) == ["admin", "reader"]
    with sessions() as session:
        kept = session.scalars(select(ActivityLog).where(ActivityLog.action == "role.kept")).one()
    assert kept.details == {"issuer": "company", "wanted": "reader"}


def test_a_sign_in_asks_the_database_as_little_however_many_sessions_there_are(
    settings: Settings, issuer: RunningIssuer
) -> None:
    setting = issuer.setting(role_of_group={"press": "author"}, **TRUSTED)
    with api_with(settings, setting, quota_sessions=5) as client:
        assert sign_in(client, "anna").status_code == 200
        counted = []
        for _ in range(6):
            came_back = sign_in_at_issuer(begin(client).get_json(), "anna")
            engine = client.application.context.engine  # type: ignore[attr-defined]
            with noting_statements(engine) as noted:
                assert finish(client, came_back.body()).status_code == 200
            counted.append(len(noted))
    assert max(counted) <= MOST_STATEMENTS, counted


def test_a_link_ends_with_its_account(
    settings: Settings, sessions: sessionmaker[Session], tmp_path: Path
) -> None:
    with api_with(settings) as client:
        owner = Caller(client, RoleName.READER)
    link(sessions, owner.id, "https://issuer.example", "anna")
    with sessions.begin() as session:
        session.delete(session.get_one(User, owner.id))
    with sessions() as session:
        assert session.scalars(select(Identity)).all() == []
