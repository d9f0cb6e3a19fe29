"""Promises of passkeys: beside a password or alone, each answer once, and no copy of a device."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session, sessionmaker

from dev.mail_sink import MailSink
from tests.factories import PASSWORD, Caller, run_ready_jobs
from tests.passkeys import add, added, ask_to_add, options_for, sign_in
from tests.second_factors import Telephone, begin_login, log_in, second_step
from tests.soft_authenticator import PRESENT, SoftAuthenticator
from webapp.api.edge import ImprintApp
from webapp.jobs.leases import seconds_from_now
from webapp.kit.roles import RoleName
from webapp.models import ActivityLog, Passkey, PasskeyChallenge
from webapp.services.accounts import passkeys, standing
from workers.context import WorkerContext


@pytest.fixture
def reader(client: FlaskClient) -> Caller:
    """An account that has signed in."""
    return Caller(client, RoleName.READER)


def test_a_passkey_is_added_with_the_password_and_asked_for_after_it(
    client: FlaskClient, reader: Caller
) -> None:
    wrong = {"password": "not the password"}
    assert reader.call("POST", "/auth/passkeys/creation-options", wrong).status_code == 401
    device = SoftAuthenticator()
    made = add(reader, device)
    assert made.status_code == 201, made.get_json()
    assert len(made.get_json()["recovery_codes"]) == 10
    assert add(reader, SoftAuthenticator()).get_json()["recovery_codes"] == []
    half = log_in(reader)
    assert (half.status_code, half.get_json()["methods"]) == (202, ["passkey", "recovery_code"])
    token = half.get_json()["second_factor_token"]
    options = options_for(client, token)
    assert len(options["allowCredentials"]) == 2
    assert options["userVerification"] == "required"
    said = device.say(options)
    done = second_step(reader, token, passkey=said)
    assert done.status_code == 200, done.get_json()
    assert second_step(reader, begin_login(reader), passkey=said).status_code == 401
    assert reader.call("GET", "/auth/second-factors").get_json()["passkeys"] == 2


def test_a_passkey_alone_opens_a_session_whoever_asks_and_tells_nobody_who_has_one(
    client: FlaskClient, reader: Caller
) -> None:
    before = options_for(client)
    device = added(reader)
    after = options_for(client)
    assert {**before, "challenge": ""} == {**after, "challenge": ""}
    assert after["allowCredentials"] == []
    answer = sign_in(client, device.say(after))
    assert answer.status_code == 200, answer.get_json()
    token = {"Authorization": f"Bearer {answer.get_json()['access_token']}"}
    assert client.get("/api/v1/accounts/me", headers=token).get_json()["id"] == reader.id
    assert client.get("/api/v1/auth/second-factors", headers=token).status_code == 200
    unknown = SoftAuthenticator(user_handle=device.user_handle)
    refused = [
        sign_in(client, unknown.say(options_for(client))), sign_in(client, device.say(before)),
        sign_in(client, {**device.say(after)}),
    ]  # fmt: skip
    assert [answer.status_code for answer in refused] == [401, 200, 401]
    assert refused[0].get_json()["detail"] == refused[2].get_json()["detail"]


@pytest.mark.parametrize(
    "device",
    [
        {"origin": "https://evil.example"}, {"domain": "evil.example"}, {"flags": PRESENT},
        {"flags": 0},
    ],
)  # fmt: skip
def test_what_is_for_another_site_or_verified_nobody_is_refused(
    client: FlaskClient, reader: Caller, sessions: sessionmaker[Session], device: dict[str, Any]
) -> None:
    assert add(reader, SoftAuthenticator(**device)).status_code == 422
    good = added(reader)
    for name, value in device.items():
        setattr(good, name, value)
    assert sign_in(client, good.say(options_for(client))).status_code == 401
    token = begin_login(reader)
    said = good.say(options_for(client, token))
    assert second_step(reader, token, passkey=said).status_code == 401
    with sessions() as session:
        failed = select(ActivityLog.id).where(ActivityLog.action == "second_factor.failed")
        assert len(session.scalars(failed).all()) == 2


def test_a_challenge_is_good_for_its_purpose_its_owner_and_five_minutes(
    client: FlaskClient, reader: Caller, sessions: sessionmaker[Session]
) -> None:
    other = Caller(client, RoleName.READER)
    device, foreign = added(reader), added(other)
    token = begin_login(reader)
    # Made for the second step, it opens nothing alone; and the other way round.
    assert sign_in(client, device.say(options_for(client, token))).status_code == 401
    assert second_step(reader, token, passkey=device.say(options_for(client))).status_code == 401
    # What another account's passkey says to it is nothing.
    said = foreign.say(options_for(client, token))
    assert second_step(reader, token, passkey=said).status_code == 401
    theirs = SoftAuthenticator().make(ask_to_add(other))
    mine = {"name": "x", "credential": theirs}
    assert reader.call("POST", "/auth/passkeys", mine).status_code == 422
    late = options_for(client)
    with sessions.begin() as session:
        session.execute(update(PasskeyChallenge).values(expires_at=seconds_from_now(-1)))
    assert sign_in(client, device.say(late)).status_code == 401


def test_a_wrong_answer_uses_up_what_was_asked(client: FlaskClient, reader: Caller) -> None:
    device, careless = added(reader), SoftAuthenticator(flags=PRESENT)
    asked = ask_to_add(reader)
    for maker in (careless, SoftAuthenticator()):
        made = {"name": "x", "credential": maker.make(asked)}
        assert reader.call("POST", "/auth/passkeys", made).status_code == 422
    token, right = begin_login(reader), device.flags
    alone, second = options_for(client), options_for(client, token)
    for flags in (PRESENT, right):
        device.flags = flags
        assert sign_in(client, device.say(alone)).status_code == 401
        assert second_step(reader, token, passkey=device.say(second)).status_code == 401
    assert sign_in(client, device.say(options_for(client))).status_code == 200
    again = options_for(client, token)
    assert second_step(reader, token, passkey=device.say(again)).status_code == 200
    assert add(reader, SoftAuthenticator()).status_code == 201


def test_one_answer_by_twenty_at_once_opens_one_session(app: ImprintApp, reader: Caller) -> None:
    for counts in (True, False):
        device = added(reader, counts=counts)
        said = device.say(options_for(reader.client))
        ready = Barrier(20)

        def show(_: int, said: dict[str, Any] = said, ready: Barrier = ready) -> int:
            client = app.test_client()
            ready.wait()
            return int(sign_in(client, said).status_code)

        with ThreadPoolExecutor(20) as pool:
            assert sorted(pool.map(show, range(20))) == [200] + [401] * 19


def test_a_copy_of_a_device_is_found_by_its_count(
    client: FlaskClient, reader: Caller, sessions: sessionmaker[Session]
) -> None:
    device = added(reader)
    for _ in range(3):
        assert sign_in(client, device.say(options_for(client))).status_code == 200
    device.sign_count = 1
    assert sign_in(client, device.say(options_for(client))).status_code == 401
    with sessions() as session:
        assert session.scalars(select(Passkey.sign_count)).one() == 3


def test_a_repeated_login_by_a_passkey_gets_its_token_again(
    client: FlaskClient, reader: Caller
) -> None:
    said = added(reader).say(options_for(client))
    answers = [sign_in(client, said, key) for key in ("k", "k", "other", None)]
    assert [answer.status_code for answer in answers] == [200, 200, 401, 401]
    assert answers[0].get_json() == answers[1].get_json()


def test_passkeys_are_listed_renamed_and_removed_with_a_factor(
    client: FlaskClient,
    reader: Caller,
    sessions: sessionmaker[Session],
    worker: WorkerContext,
    mail_sink: MailSink,
) -> None:
    other = Caller(client, RoleName.READER)
    device = added(reader)
    (line,) = reader.call("GET", "/auth/passkeys").get_json()["items"]
    assert (line["name"], line["last_used_at"]) == ("Telephone", None)
    path = f"/auth/passkeys/{line['id']}"
    assert other.call("PATCH", path, {"name": "Mine"}).status_code == 404
    assert reader.call("PATCH", path, {"name": "Old\nphone"}).status_code == 422
    assert reader.call("PATCH", path, {"name": "Old phone"}).get_json()["name"] == "Old phone"
    assert sign_in(client, device.say(options_for(client))).status_code == 200
    (line,) = reader.call("GET", "/auth/passkeys").get_json()["items"]
    assert line["last_used_at"] is not None

    def remove(caller: Caller, **shown: Any) -> int:
        answer = caller.call("POST", f"{path}/remove", {"password": PASSWORD, **shown})
        return int(answer.status_code)

    assert remove(reader, code="000000") == 401
    telephone = Telephone(other, sessions)
    assert remove(other, code=telephone.code()) == 404
    own = reader.call("POST", "/auth/passkeys/proof-options").get_json()["options"]
    assert remove(reader, passkey=device.say(own)) == 204
    assert reader.call("GET", "/auth/passkeys").get_json()["items"] == []
    assert log_in(reader).status_code == 200
    assert sign_in(client, device.say(options_for(client))).status_code == 401
    run_ready_jobs(worker)
    bodies = "".join(message.as_string() for message in mail_sink.messages())
    assert "passkey was added" in bodies
    assert "passkey of your account was removed" in bodies


def test_a_passkey_opens_no_account_that_is_off(
    client: FlaskClient, reader: Caller, sessions: sessionmaker[Session]
) -> None:
    device = added(reader)
    with sessions.begin() as session:
        standing.disable(session, None, reader.id, "gone")
    assert sign_in(client, device.say(options_for(client))).status_code == 401


def test_a_passkey_is_kept_once_and_an_account_has_a_bounded_number(
    client: FlaskClient, reader: Caller, sessions: sessionmaker[Session]
) -> None:
    device = added(reader)
    assert device.credential_id
    other = Caller(client, RoleName.READER)
    assert add(other, device).status_code == 422
    assert len(ask_to_add(reader)["excludeCredentials"]) == 1
    waiting = SoftAuthenticator().make(ask_to_add(reader))
    with sessions.begin() as session:
        session.execute(
            text("INSERT INTO passkeys (user_id, name, credential_id, public_key, user_handle,"
                 " sign_count) SELECT :id, 'x', sha256(n::text::bytea), '', '', 0"
                 " FROM generate_series(1, :number) n"),
            {"id": reader.id, "number": passkeys.MOST_PASSKEYS - 1},
        )  # fmt: skip
    full = reader.call("POST", "/auth/passkeys", {"name": "one more", "credential": waiting})
    assert full.status_code == 409
    more = reader.call("POST", "/auth/passkeys/creation-options", {"password": PASSWORD})
    assert more.status_code == 409


@pytest.mark.parametrize("door", ["proof-options", "sign-in-options"])
def test_nobody_fills_the_table_of_challenges(
    braked: FlaskClient, sessions: sessionmaker[Session], door: str
) -> None:
    reader = Caller(braked, RoleName.READER)
    made = 0
    # So many that it takes no luck with the minutes, which begin anew meanwhile.
    while (answer := reader.call("POST", f"/auth/passkeys/{door}")).status_code == 200:
        made += 1
        assert made < 400
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    with sessions() as session:
        assert len(session.scalars(select(PasskeyChallenge.id)).all()) == made


@pytest.mark.parametrize(
    "broken",
    [
        {"id": "AAAA"}, {"rawId": "A"}, {"type": "password"}, {"response": {}},
        {"response": {"clientDataJSON": "AAAA", "attestationObject": "AAAA"}},
        {"response": {"clientDataJSON": "e30", "attestationObject": "oA"}},
    ],
)  # fmt: skip
def test_what_is_no_passkey_is_refused_with_the_field_named(
    reader: Caller, broken: dict[str, Any]
) -> None:
    made = {**SoftAuthenticator().make(ask_to_add(reader)), **broken}
    answer = reader.call("POST", "/auth/passkeys", {"name": "x", "credential": made})
    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["field"].startswith("body.credential")
