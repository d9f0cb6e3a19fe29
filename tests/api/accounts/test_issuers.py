"""Promises of signing in through an issuer, against a real one."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, sessionmaker

from tests.api.accounts.issuer_apis import api_with, me
from tests.factories import PASSWORD, Caller
from tests.issuers import (
    RETURN_URL,
    SECRET,
    RunningIssuer,
    begin,
    finish,
    running_issuer,
    sign_in,
    sign_in_at_issuer,
)
from tests.patience import HANG_SECONDS
from webapp.kit.roles import RoleName
from webapp.kit.tokens import hash_email
from webapp.models import AccessToken, ActivityLog, Identity, IssuerSignIn, User
from webapp.services.accounts.identities import NOT_LET_IN
from webapp.services.accounts.issuer_sign_ins import WRONG_SIGN_IN
from webapp.settings import Settings

ANNA: dict[str, Any] = {
    "email": "anna@example.org",
    "email_verified": True,
    "name": "Anna Example",
    "preferred_username": "Anna.E",
}
PEOPLE: dict[str, dict[str, Any]] = {
    "anna": ANNA,
    "unverified": {**ANNA, "email_verified": False},
    "in-words": {**ANNA, "email_verified": "true"},
    "without-address": {"name": "Nobody"},
    "chief": {**ANNA, "email": "chief@example.org", "groups": ["press", "chiefs"]},
    "guest": {**ANNA, "email": "guest@example.org", "groups": ["others"]},
}
TRUSTED: dict[str, Any] = {"trusts_addresses": True, "makes_accounts": True}


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningIssuer]:
    """An issuer that all tests of this module share."""
    with running_issuer(tmp_path_factory.mktemp("issuer"), people=PEOPLE) as issuer:
        yield issuer


def make_owner(
    client: FlaskClient, sessions: sessionmaker[Session], role: RoleName = RoleName.AUTHOR
) -> Caller:
    """Make an account that has proven the address of anna."""
    owner = Caller(client, role)
    with sessions.begin() as session:
        session.execute(
            update(User)
            .where(User.id == owner.id)
            .values(
                email=ANNA["email"],
                email_hash=hash_email(ANNA["email"]),
                email_proven_at=func.clock_timestamp(),
            )
        )
    return owner


def test_the_issuers_are_listed_and_nothing_secret_of_them(
    settings: Settings, issuer: RunningIssuer
) -> None:
    with api_with(settings, issuer.setting(title="The company")) as client:
        listed = client.get("/api/v1/auth/issuers").get_json()
    assert listed == {
        "items": [{"name": "company", "title": "The company"}],
        "password_sign_in": True,
    }


def test_a_first_sign_in_makes_an_account_and_the_next_opens_it(
    settings: Settings, issuer: RunningIssuer, sessions: sessionmaker[Session]
) -> None:
    with api_with(settings, issuer.setting(**TRUSTED)) as client:
        account = me(client, sign_in(client, "anna"))
        again = me(client, sign_in(client, "anna"))
    assert account["id"] == again["id"]
    assert account["login"] == "anna.e"
    assert account["display_name"] == "Anna Example"
    assert account["email"] == "anna@example.org"
    assert account["email_verified"] is True
    assert account["role"] == "reader"
    with sessions() as session:
        lines = session.scalars(select(ActivityLog).order_by(ActivityLog.id)).all()
        opened = session.scalars(select(AccessToken)).all()
    assert [line.action for line in lines] == ["account.register", "login.ok", "login.ok"]
    assert {line.details["issuer"] for line in lines} == {"company"}
    assert {line.address for line in opened} == {"127.0.0.1"}


def test_what_comes_back_is_good_once_and_for_who_began_it(
    settings: Settings, issuer: RunningIssuer
) -> None:
    with api_with(settings, issuer.setting(**TRUSTED)) as client:
        mine = sign_in_at_issuer(begin(client).get_json(), "anna")
        other = begin(client).get_json()
        refused = [
            finish(client, mine.body(handle=other["handle"])),
            finish(client, mine.body(state="another state")),
            finish(client, mine.body(handle="x" * 43)),
        ]
        assert finish(client, mine.body()).status_code == 200
        refused.append(finish(client, mine.body()))
        # The code of one sign-in, brought back with all that another one began with.
        again = sign_in_at_issuer(begin(client).get_json(), "anna")
        stolen = sign_in_at_issuer(begin(client).get_json(), "anna")
        refused.append(finish(client, stolen.body(code=again.code)))
    assert [answer.status_code for answer in refused] == [401] * 5
    assert {answer.get_json()["detail"] for answer in refused} == {WRONG_SIGN_IN}


def test_twenty_at_once_who_bring_the_same_back_get_one_session(
    settings: Settings, issuer: RunningIssuer, sessions: sessionmaker[Session]
) -> None:
    with api_with(settings, issuer.setting(**TRUSTED)) as client:
        mine = sign_in_at_issuer(begin(client).get_json(), "anna")
        barrier = Barrier(20)

        def bring(_number: int) -> int:
            barrier.wait(HANG_SECONDS)
            return finish(client.application.test_client(), mine.body()).status_code

        with ThreadPoolExecutor(20) as pool:
            statuses = sorted(pool.map(bring, range(20)))
    assert statuses == [200] + [401] * 19
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(AccessToken)) == 1


def test_a_token_for_another_nonce_proves_nobody(settings: Settings, issuer: RunningIssuer) -> None:
    with api_with(settings, issuer.setting(**TRUSTED)) as client:
        came_back = sign_in_at_issuer(begin(client).get_json(), "anna", nonce="another")
        assert finish(client, came_back.body()).status_code == 401


def test_an_answer_of_another_issuer_or_of_none_proves_nobody(
    settings: Settings, issuer: RunningIssuer
) -> None:
    with api_with(settings, issuer.setting(**TRUSTED)) as client:
        for said in ("https://elsewhere.example", None):
            body = sign_in_at_issuer(begin(client).get_json(), "anna").body()
            body = {**body, "iss": said} if said else {k: v for k, v in body.items() if k != "iss"}
            assert finish(client, body).status_code == 401


def test_a_sign_in_that_took_too_long_is_over(
    settings: Settings, issuer: RunningIssuer, sessions: sessionmaker[Session]
) -> None:
    with api_with(settings, issuer.setting(**TRUSTED)) as client:
        late = sign_in_at_issuer(begin(client).get_json(), "anna")
        with sessions.begin() as session:
            session.execute(update(IssuerSignIn).values(expires_at=func.clock_timestamp()))
        assert finish(client, late.body()).status_code == 401


def test_nobody_is_sent_back_to_where_the_settings_do_not_say(
    settings: Settings, issuer: RunningIssuer
) -> None:
    with api_with(settings, issuer.setting()) as client:
        for wrong in (f"{RETURN_URL}/more", RETURN_URL.upper(), "https://elsewhere.example/"):
            answer = client.post(
                "/api/v1/auth/issuers/company/sign-ins", json={"return_url": wrong}
            )
            assert answer.status_code == 422
            assert answer.get_json()["errors"][0]["field"] == "body.return_url"
        assert begin(client, "unknown").status_code == 404


@pytest.mark.parametrize("person", ["unverified", "in-words", "without-address"])
def test_an_address_that_is_not_verified_links_and_makes_nothing(
    settings: Settings, issuer: RunningIssuer, sessions: sessionmaker[Session], person: str
) -> None:
    with api_with(settings, issuer.setting(**TRUSTED)) as client:
        make_owner(client, sessions)
        answer = sign_in(client, person)
    assert answer.status_code == 403
    assert answer.get_json()["detail"] == NOT_LET_IN
    with sessions() as session:
        assert session.scalars(select(Identity)).all() == []
        assert session.scalar(select(func.count()).select_from(User)) == 1


def test_a_verified_address_links_the_account_that_has_proven_it(
    settings: Settings, issuer: RunningIssuer, sessions: sessionmaker[Session]
) -> None:
    with api_with(settings, issuer.setting(trusts_addresses=True)) as client:
        owner = make_owner(client, sessions)
        claimant = Caller(client, RoleName.READER)
        assert me(client, sign_in(client, "anna"))["id"] == owner.id
        assert me(client, sign_in(client, "anna"))["id"] == owner.id
        # It is the same account that the password opens.
        credentials = {"login": owner.login, "password": PASSWORD}
        assert client.post("/api/v1/auth/token", json=credentials).status_code == 200
    assert claimant.id != owner.id
    with sessions() as session:
        actions = session.scalars(select(ActivityLog.action)).all()
    assert actions.count("identity.link") == 1


def test_an_account_that_only_claims_an_address_is_linked_to_nobody(
    settings: Settings, issuer: RunningIssuer, sessions: sessionmaker[Session]
) -> None:
    with api_with(settings, issuer.setting(**TRUSTED)) as client:
        squatter = make_owner(client, sessions)
        with sessions.begin() as session:
            session.execute(update(User).values(email_proven_at=None))
        account = me(client, sign_in(client, "anna"))
    assert account["id"] != squatter.id
    assert account["email_verified"] is True


def test_who_is_not_let_in_is_told_the_same_whatever_the_cause(
    settings: Settings, issuer: RunningIssuer, sessions: sessionmaker[Session]
) -> None:
    told = []
    with api_with(settings, issuer.setting()) as client:
        told.append(sign_in(client, "anna"))  # Nobody is there, and none is made.
        owner = make_owner(client, sessions)
        told.append(sign_in(client, "anna"))  # Somebody is there, and none is linked.
    with api_with(settings, issuer.setting(trusts_addresses=True)) as client:
        with sessions.begin() as session:
            off = update(User).where(User.id == owner.id)
            session.execute(off.values(disabled_at=func.clock_timestamp()))
        told.append(sign_in(client, "anna"))  # Their account is off, and not linked.
        with sessions.begin() as session:
            session.execute(update(User).values(disabled_at=None))
        assert me(client, sign_in(client, "anna"))["id"] == owner.id
        with sessions.begin() as session:
            session.execute(update(User).values(disabled_at=func.clock_timestamp()))
        told.append(sign_in(client, "anna"))  # It is linked, and off.
    bodies = [{**answer.get_json(), "request_id": ""} for answer in told]
    assert bodies == [bodies[0]] * 4
    assert bodies[0]["status"] == 403
    with sessions() as session:
        of_owner = select(ActivityLog).where(ActivityLog.action == "login.failed")
        assert {line.subject_id for line in session.scalars(of_owner)} == {owner.id}


def test_an_issuer_that_is_not_trusted_with_addresses_makes_accounts_that_prove_none(
    settings: Settings, issuer: RunningIssuer, sessions: sessionmaker[Session]
) -> None:
    """Whether somebody has the address makes no difference, so nothing tells of it."""
    with api_with(settings, issuer.setting(makes_accounts=True)) as client:
        owner = make_owner(client, sessions)
        account = me(client, sign_in(client, "anna"))
    assert account["id"] != owner.id
    assert account["email_verified"] is False


def test_another_person_of_the_same_issuer_gets_no_second_key_to_an_account(
    settings: Settings, tmp_path: Path, sessions: sessionmaker[Session]
) -> None:
    """A company gives an address to somebody else; the account stays with who had it."""
    people = {"first": ANNA, "second": ANNA}
    with (
        running_issuer(tmp_path, people=people) as issuer,
        api_with(settings, issuer.setting(**TRUSTED)) as client,
    ):
        make_owner(client, sessions)
        assert sign_in(client, "first").status_code == 200
        assert sign_in(client, "second").status_code == 403


def test_two_first_sign_ins_at_once_make_one_account(
    settings: Settings, issuer: RunningIssuer, sessions: sessionmaker[Session]
) -> None:
    with api_with(settings, issuer.setting(**TRUSTED)) as client:
        came_back = [sign_in_at_issuer(begin(client).get_json(), "anna") for _ in range(4)]
        barrier = Barrier(4)

        def bring(number: int) -> Any:
            barrier.wait(HANG_SECONDS)
            other = client.application.test_client()
            return me(other, finish(other, came_back[number].body()))

        with ThreadPoolExecutor(4) as pool:
            accounts = list(pool.map(bring, range(4)))
    assert len({account["id"] for account in accounts}) == 1
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(User)) == 1
        assert session.scalar(select(func.count()).select_from(Identity)) == 1


def test_an_issuer_that_is_away_is_told_of_and_holds_up_no_other_sign_in(
    settings: Settings, tmp_path: Path, sessions: sessionmaker[Session]
) -> None:
    with (
        running_issuer(tmp_path, people=PEOPLE) as issuer,
        running_issuer(tmp_path, people=PEOPLE) as other,
        api_with(settings, issuer.setting(**TRUSTED), other.setting("other", **TRUSTED)) as client,
    ):
        owner = Caller(client, RoleName.READER)
        under_way = sign_in_at_issuer(begin(client).get_json(), "anna")
        issuer.stop()
        away = finish(client, under_way.body())
        assert away.status_code == 503
        assert int(away.headers["Retry-After"]) > 0
        credentials = {"login": owner.login, "password": PASSWORD}
        assert client.post("/api/v1/auth/token", json=credentials).status_code == 200
        assert sign_in(client, "anna", "other").status_code == 200
        # What it said of itself is kept, so that a sign-in can begin; the next process asks anew.
        assert begin(client).status_code == 201
    with api_with(settings, issuer.setting(**TRUSTED)) as client:
        for _ in range(2):
            away = begin(client)
            assert away.status_code == 503
            assert int(away.headers["Retry-After"]) > 0


def test_a_secret_of_a_client_that_is_wrong_is_the_sites_fault(
    settings: Settings, issuer: RunningIssuer
) -> None:
    with api_with(settings, issuer.setting(client_secret="another")) as client:
        assert sign_in(client, "anna").status_code == 503


def test_no_transaction_is_open_while_the_issuer_is_asked(
    settings: Settings, issuer: RunningIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with api_with(settings, issuer.setting(**TRUSTED)) as client:
        context: Any = client.application.context  # type: ignore[attr-defined]
        known = context.issuers["company"]
        seen = []

        def look(asked: Any) -> Any:
            def ask(*arguments: Any, **named: Any) -> Any:
                seen.append(context.engine.pool.checkedout())
                return asked(*arguments, **named)

            return ask

        for name in ("identify", "authorization_url"):
            monkeypatch.setattr(known, name, look(getattr(known, name)))
        assert sign_in(client, "anna").status_code == 200
    assert seen == [0, 0]


def test_nothing_that_lets_anybody_in_is_kept_in_the_database(
    settings: Settings, issuer: RunningIssuer, sessions: sessionmaker[Session]
) -> None:
    with api_with(settings, issuer.setting(**TRUSTED)) as client:
        came_back = sign_in_at_issuer(begin(client).get_json(), "anna")
        token = finish(client, came_back.body()).get_json()["access_token"]
    secrets = {came_back.handle, came_back.state, came_back.code, token, SECRET}
    with sessions() as session:
        for model in (IssuerSignIn, Identity, ActivityLog, AccessToken):
            for row in session.scalars(select(model)):
                kept = " ".join(str(value) for value in vars(row).values())
                assert not [secret for secret in secrets if secret in kept]
