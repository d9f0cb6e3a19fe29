"""Promises of second factors over the API: enrolled, asked for, good once, and told."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session, sessionmaker

from dev.mail_sink import MailSink
from tests.factories import PASSWORD, Caller, run_ready_jobs
from tests.second_factors import Telephone, begin_login, log_in, second_step
from webapp.api.edge import ImprintApp
from webapp.app import create_app
from webapp.jobs.leases import seconds_from_now
from webapp.kit.roles import RoleName
from webapp.models import AccessToken, ActivityLog, PendingSignIn, TotpFactor, User
from webapp.services.accounts import accounts, standing
from webapp.settings import Settings
from workers.context import WorkerContext


@pytest.fixture
def reader(client: FlaskClient) -> Caller:
    """An account that has signed in."""
    return Caller(client, RoleName.READER)


@pytest.fixture
def telephone(reader: Caller, sessions: sessionmaker[Session]) -> Telephone:
    """The reader's authenticator app."""
    return Telephone(reader, sessions)


def opens(caller: Caller, token: str) -> bool:
    """Say whether a token is one of a session."""
    headers = {"Authorization": f"Bearer {token}"}
    return caller.client.get("/api/v1/accounts/me", headers=headers).status_code == 200


def test_an_app_counts_from_its_first_right_code_on(
    reader: Caller, sessions: sessionmaker[Session]
) -> None:
    path = "/auth/second-factors/totp"
    assert reader.call("POST", path, {"password": "not the password"}).status_code == 401
    first = reader.call("POST", path, {"password": PASSWORD}).get_json()
    assert log_in(reader).status_code == 200
    wrong = reader.call("POST", f"{path}/confirm", {"code": "000000"})
    assert wrong.get_json()["errors"][0]["field"] == "body.code"
    telephone = Telephone(reader, sessions)
    assert telephone.secret != first["secret"]
    assert len(set(telephone.recovery_codes)) == 10
    assert reader.login in telephone.uri
    assert telephone.uri.startswith("otpauth://totp/127.0.0.1:")
    assert reader.call("POST", path, {"password": PASSWORD}).status_code == 409
    confirmed = reader.call("POST", f"{path}/confirm", {"code": telephone.code()})
    assert confirmed.status_code == 409
    shown = reader.call("GET", "/auth/second-factors").get_json()
    assert (shown["totp_since"] is not None, shown["recovery_codes_left"]) == (True, 10)
    assert log_in(reader).status_code == 202


def test_nothing_of_a_factor_is_kept_in_clear(
    reader: Caller, telephone: Telephone, sessions: sessionmaker[Session]
) -> None:
    token = begin_login(reader)
    answer = second_step(reader, token, code=telephone.code()).get_json()
    told = [telephone.secret, *telephone.recovery_codes, token, answer["access_token"]]
    told += [code.replace("-", "") for code in telephone.recovery_codes]
    tables = ("totp_factors", "recovery_codes", "pending_sign_ins", "activity_logs", "jobs",
              "idempotency_keys", "access_tokens")  # fmt: skip
    with sessions() as session:
        for table in tables:
            for row in session.scalars(text(f"SELECT t::text FROM {table} t")):
                assert not [secret for secret in told if secret in row], table
        sealed = session.scalars(select(TotpFactor.sealed_secret)).one()
    assert telephone.secret.encode() not in sealed


def test_a_login_takes_both_steps_and_its_first_token_opens_nothing_else(
    reader: Caller, telephone: Telephone
) -> None:
    begun = log_in(reader)
    assert begun.headers["Cache-Control"] == "no-store"
    half = begun.get_json()
    assert set(half) == {"second_factor_token", "expires_at", "methods"}
    assert half["methods"] == ["totp", "recovery_code"]
    token = half["second_factor_token"]
    assert not opens(reader, token)
    assert second_step(reader, token, code="000000").status_code == 401
    done = second_step(reader, token, code=telephone.code())
    assert done.status_code == 200, done.get_json()
    assert opens(reader, done.get_json()["access_token"])
    telephone.forget()
    assert second_step(reader, token, code=telephone.code()).status_code == 401
    assert not opens(reader, token)


def test_a_wrong_password_does_not_tell_that_there_is_a_factor(
    client: FlaskClient, reader: Caller, telephone: Telephone
) -> None:
    plain = Caller(client, RoleName.READER)
    answers = [log_in(caller, "not the password").get_json() for caller in (reader, plain)]
    for answer in answers:
        del answer["request_id"]
    assert answers[0] == answers[1]
    assert answers[0]["status"] == 401


@pytest.mark.parametrize("shown", [{}, {"code": "123456", "recovery_code": "a"}, {"code": "12345"}])
def test_a_second_step_shows_one_thing(
    reader: Caller, telephone: Telephone, shown: dict[str, Any]
) -> None:
    assert second_step(reader, begin_login(reader), **shown).status_code == 422


def test_codes_of_around_now_are_taken_once_and_none_of_before_the_last(
    reader: Caller, telephone: Telephone
) -> None:
    def shows(code: str) -> int:
        return int(second_step(reader, begin_login(reader), code=code).status_code)

    # Far enough away that no machine is slow enough to come near.
    assert shows(telephone.code(-50)) == 401
    assert shows(telephone.code(50)) == 401
    token = begin_login(reader)
    code = telephone.code()
    assert second_step(reader, token, code=code).status_code == 200
    assert shows(code) == 401
    telephone.forget(last_step=telephone.step() + 50)
    assert shows(telephone.code()) == 401


def test_one_code_by_twenty_at_once_opens_one_session(
    app: ImprintApp, reader: Caller, telephone: Telephone
) -> None:
    for kind in ("code", "recovery_code"):
        tokens = [begin_login(reader) for _ in range(20)]
        shown = {kind: telephone.code() if kind == "code" else telephone.recovery_codes[0]}
        ready = Barrier(20)

        def show(token: str, shown: dict[str, Any] = shown, ready: Barrier = ready) -> int:
            mine = Caller.__new__(Caller)
            mine.client = app.test_client()
            ready.wait()
            return int(second_step(mine, token, **shown).status_code)

        with ThreadPoolExecutor(20) as pool:
            statuses = sorted(pool.map(show, tokens))
        assert statuses == [200] + [401] * 19


def test_a_recovery_code_is_good_once_however_it_is_typed(
    reader: Caller, telephone: Telephone
) -> None:
    first, second = telephone.recovery_codes[:2]
    for typed, status in (
        (first, 200),
        (first, 401),
        (f" {second.upper().replace('-', ' ')}", 200),
    ):
        answer = second_step(reader, begin_login(reader), recovery_code=typed)
        assert answer.status_code == status, typed
    left = reader.call("GET", "/auth/second-factors").get_json()["recovery_codes_left"]
    assert left == 8


def test_a_repeated_login_and_second_step_get_their_answers_again(
    reader: Caller, telephone: Telephone, sessions: sessionmaker[Session]
) -> None:
    tokens = {
        log_in(reader, Idempotency_Key="k").get_json()["second_factor_token"] for _ in range(2)
    }
    assert len(tokens) == 1
    (token,) = tokens
    code = telephone.code()
    answers = [second_step(reader, token, key="s", code=code) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].get_json() == answers[1].get_json()
    assert second_step(reader, token, key="other", code=code).status_code == 401
    assert second_step(reader, token, key="s", code="000000").status_code == 401
    assert second_step(reader, token, code=code).status_code == 401
    # What that key's login has led to is over, so the same login once more wants another key.
    assert log_in(reader, Idempotency_Key="k").status_code == 409
    with sessions() as session:
        assert len(session.scalars(select(AccessToken)).all()) == 2


@pytest.mark.parametrize("what", ["password", "off", "ended", "expired", "removed"])
def test_what_ends_a_login_between_its_steps(
    reader: Caller, telephone: Telephone, sessions: sessionmaker[Session], what: str
) -> None:
    token = begin_login(reader)
    with sessions.begin() as session:
        if what == "password":
            accounts.set_password(session, reader.id, "another password for tests")
        elif what == "off":
            standing.disable(session, None, reader.id, "gone")
        elif what == "ended":
            standing.revoke_sessions(session, reader.id)
        elif what == "expired":
            session.execute(update(PendingSignIn).values(expires_at=seconds_from_now(-1)))
        else:
            session.execute(text("DELETE FROM totp_factors"))
    assert second_step(reader, token, code=telephone.code()).status_code == 401


def test_codes_are_braked_for_the_account_and_no_open_session_is(
    braked: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    reader = Caller(braked, RoleName.READER)
    telephone = Telephone(reader, sessions)
    places = [{"REMOTE_ADDR": f"198.51.100.{number}"} for number in range(6)]
    # Each try comes by a login of its own, from a place of its own.
    for place in places[:5]:
        token = begin_login(reader, place)
        assert second_step(reader, token, network=place, code="000000").status_code == 401
    set_waits(sessions, "15 minutes")
    refused = second_step(reader, token, network=places[4], code=telephone.code())
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 600
    assert reader.call("GET", "/accounts/me").status_code == 200
    # The right password alone has made none of these places familiar.
    assert known_places(sessions) == {"127.0.0.1"}
    # The owner gets in from where they were before, whatever strangers have tried.
    own = begin_login(reader)
    assert second_step(reader, own, code=telephone.code()).status_code == 200
    set_waits(sessions, "0")
    telephone.forget()
    token = begin_login(reader, places[5])
    late = second_step(reader, token, network=places[5], code=telephone.code())
    assert late.status_code == 200
    assert known_places(sessions) == {"127.0.0.1", "198.51.100.5"}


def set_waits(sessions: sessionmaker[Session], wait: str) -> None:
    """Let every wait that there is end so long from now: those that begin are a second or two."""
    with sessions.begin() as session:
        session.execute(
            text("UPDATE sign_in_throttles SET blocked_until = now() + CAST(:wait AS interval)"
                 " WHERE failures > 1"),
            {"wait": wait},
        )  # fmt: skip


def known_places(sessions: sessionmaker[Session]) -> set[str]:
    """Return the networks that are familiar to somebody."""
    with sessions() as session:
        return set(session.scalars(text("SELECT network FROM familiar_networks")))


def test_removal_and_new_codes_take_the_password_and_a_factor(
    reader: Caller, telephone: Telephone, sessions: sessionmaker[Session]
) -> None:
    for below in ("totp/remove", "recovery-codes"):
        path = f"/auth/second-factors/{below}"
        for wrong in (
            {"password": "not the password", "code": telephone.code()},
            {"password": PASSWORD, "code": "000000"},
            {"password": PASSWORD, "recovery_code": "00000-00000-00000-00000"},
        ):
            assert reader.call("POST", path, wrong).status_code == 401, (below, wrong)
    both = {"password": PASSWORD, "code": telephone.code()}
    renewed = reader.call("POST", "/auth/second-factors/recovery-codes", both).get_json()
    assert set(renewed["recovery_codes"]).isdisjoint(telephone.recovery_codes)
    old = {"password": PASSWORD, "recovery_code": telephone.recovery_codes[0]}
    assert reader.call("POST", "/auth/second-factors/totp/remove", old).status_code == 401
    new = {"password": PASSWORD, "recovery_code": renewed["recovery_codes"][0]}
    assert reader.call("POST", "/auth/second-factors/totp/remove", new).status_code == 204
    shown = reader.call("GET", "/auth/second-factors").get_json()
    assert shown == {
        "totp_since": None, "passkeys": 0, "recovery_codes_left": 0, "is_required": False,
    }  # fmt: skip
    assert log_in(reader).status_code == 200
    again = reader.call("POST", "/auth/second-factors/totp/remove", new)
    assert again.status_code == 404


def test_each_change_is_told_by_mail_and_in_the_log(
    reader: Caller,
    telephone: Telephone,
    sessions: sessionmaker[Session],
    worker: WorkerContext,
    mail_sink: MailSink,
) -> None:
    second_step(reader, begin_login(reader), recovery_code=telephone.recovery_codes[0])
    second_step(reader, begin_login(reader), code="000000")
    both = {"password": PASSWORD, "code": telephone.code()}
    reader.call("POST", "/auth/second-factors/recovery-codes", both)
    telephone.forget()
    both = {"password": PASSWORD, "code": telephone.code()}
    reader.call("POST", "/auth/second-factors/totp/remove", both)
    run_ready_jobs(worker)
    bodies = "".join(message.as_string() for message in mail_sink.messages())
    for words in ("app was added", "code of your account was used", "new recovery codes were made",
                  "app of your account was removed"):  # fmt: skip
        assert words in bodies, words
    assert {message["To"] for message in mail_sink.messages()} == {reader.email}
    with sessions() as session:
        lines = session.execute(
            select(ActivityLog.action, ActivityLog.details)
            .where(ActivityLog.subject_id == reader.id)
            .order_by(ActivityLog.id)
        ).all()
    actions = [action for action, _ in lines if action != "login.ok"]
    assert actions == [
        "second_factor.totp_begun", "second_factor.totp_added",
        "login.half_done", "second_factor.recovery_code_used",
        "login.half_done", "second_factor.failed",
        "second_factor.recovery_codes_made", "second_factor.totp_removed",
    ]  # fmt: skip


def test_a_former_secret_key_opens_what_is_sealed_and_each_is_sealed_anew(
    settings: Settings, reader: Caller, telephone: Telephone, sessions: sessionmaker[Session]
) -> None:
    later = {
        "secret_key": type(settings.secret_key)("another key for tests, as long as it has to be")
    }
    former = {**later, "former_secret_key": settings.secret_key}
    for changed, status in ((later, 401), (former, 200), (later, 200)):
        app = create_app(settings.model_copy(update=changed))
        moved = Caller.__new__(Caller)
        moved.client, moved.login = app.test_client(), reader.login
        telephone.forget()
        answer = second_step(moved, begin_login(moved), code=telephone.code())
        assert answer.status_code == status, changed
        assert app.context is not None
        app.context.readers.close()
        app.context.engine.dispose()
    with sessions() as session:
        assert session.scalars(select(User.second_factor_at).where(User.id == reader.id)).one()
