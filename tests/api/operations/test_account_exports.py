"""Promises of the copy of their data: whole, without hashes, fetched by its owner for a time."""

import io
import json
import re
from typing import Any
from zipfile import ZipFile

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session, sessionmaker

from dev.mail_sink import MailSink
from tests.at_once import at_once
from tests.factories import PASSWORD, Caller, make_content, run_ready_jobs
from tests.services.content.versions_in_numbers import make_versions, seal_all, switch_on
from webapp.kit.roles import RoleName
from webapp.models import AccountExport, AccountExportFile, Job
from webapp.services.accounts.actors import Actor
from webapp.services.operations import housekeeping, personal_files
from webapp.settings import Settings
from workers.context import WorkerContext

EXPORTS = "/accounts/me/exports"


@pytest.fixture
def author(client: FlaskClient, sessions: sessionmaker[Session]) -> Caller:
    """An author with three items and a key."""
    author = Caller(client, RoleName.AUTHOR)
    with sessions.begin() as session:
        for number in range(3):
            actor = Actor(author.id, author.login, RoleName.AUTHOR)
            make_content(session, actor, title=f"Mine {number}")
    asked = {"name": "agent", "scopes": ["read"], "expires_in_days": 1, "password": PASSWORD}
    assert author.call("POST", "/auth/api-keys", asked).status_code == 201
    return author


def ask(caller: Caller) -> str:
    """Ask for a copy and return where it is."""
    answer = caller.call("POST", EXPORTS)
    assert answer.status_code == 202, answer.get_json()
    return str(answer.headers["Location"]).removeprefix("/api/v1")


def read(*zips: bytes) -> dict[str, list[Any]]:
    """Return the rows of each table in the files of a copy."""
    rows: dict[str, list[Any]] = {}
    for data in zips:
        with ZipFile(io.BytesIO(data)) as archive:
            assert archive.testzip() is None
            for name in archive.namelist():
                if name.endswith(".jsonl"):
                    lines = archive.read(name).decode().splitlines()
                    rows.setdefault(name[:-6], []).extend(map(json.loads, lines))
    return rows


def test_a_copy_holds_all_that_is_theirs_and_nothing_of_others(
    client: FlaskClient, worker: WorkerContext, author: Caller
) -> None:
    other = Caller(client, RoleName.AUTHOR)
    place = ask(author)
    assert author.call("GET", place).get_json()["state"] == "making"
    run_ready_jobs(worker)
    shown = author.call("GET", place).get_json()
    assert (shown["state"], shown["files"]) == ("ready", 1)
    answer = author.call("POST", f"{place}/files/1")
    assert (answer.status_code, answer.content_type) == (200, "application/zip")
    rows = read(answer.data)
    assert shown["rows_done"] == sum(map(len, rows.values()))
    assert rows["users"][0]["login"] == author.login
    assert {row["title"] for row in rows["content"]} == {"Mine 0", "Mine 1", "Mine 2"}
    assert len(rows["content_versions"]) == 3
    assert (rows["api_keys"][0]["name"], len(rows["access_tokens"])) == ("agent", 1)
    assert "api_key.create" in {row["action"] for row in rows["activity_logs"]}
    names = {name for table in rows.values() for row in table for name in row}
    assert not {name for name in names if name.endswith("_hash") or name == "salt"}
    assert other.email not in json.dumps(rows)
    # Nobody else has it, and no machine.
    for path in (place, f"{place}/files/1"):
        method = "POST" if "files" in path else "GET"
        assert other.call(method, path).status_code == 404
    assert author.call("POST", f"{place}/files/2").status_code == 404


def test_a_link_opens_until_it_ends_and_to_look_at_it_takes_nothing(
    client: FlaskClient, sessions: sessionmaker[Session], worker: WorkerContext,
    mail_sink: MailSink, author: Caller, settings: Settings,
) -> None:  # fmt: skip
    ask(author)
    run_ready_jobs(worker)
    (mail,) = mail_sink.messages()
    assert mail["To"] == author.email
    body = mail.get_body(("plain",))
    assert body is not None
    found = re.search(r"/export\?token=([\w-]+)", body.get_content())
    assert found is not None
    token = found[1]
    page = client.get(f"/export?token={token}")
    assert (page.status_code, b"Fetch it" in page.data) == (200, True)
    with sessions() as session:
        assert session.scalars(select(AccountExport.fetched_at)).one() is None
    fetched = client.post("/export", data={"token": token, "number": "1"})
    assert read(fetched.data)["users"][0]["login"] == author.login
    assert fetched.headers["Cache-Control"] == "no-store"
    for form in ({"token": token, "number": "2"}, {"token": token, "number": "x"},
                 {"token": "wrong", "number": "1"}, {}):  # fmt: skip
        assert client.post("/export", data=form).status_code == 404
    with sessions.begin() as session:
        session.execute(update(AccountExport).values(expires_at=func.clock_timestamp()))
    assert client.get(f"/export?token={token}").status_code == 404
    assert client.post("/export", data={"token": token, "number": "1"}).status_code == 404
    with sessions.begin() as session:
        assert housekeeping.prune(session, "account_exports", settings) is False
        assert session.scalar(select(func.count()).select_from(AccountExportFile)) == 0


def test_one_is_made_at_a_time_and_three_a_day(
    sessions: sessionmaker[Session], worker: WorkerContext, author: Caller
) -> None:
    answers = at_once(lambda _turn: str(_another(author).call("POST", EXPORTS).status_code), 3)
    assert answers == ["202", "409", "409"]
    with sessions.begin() as session:
        session.execute(update(Job).where(Job.kind == "account_export.make").values(state="failed"))
        failed = session.scalars(select(AccountExport.id)).one()
    assert author.call("GET", f"{EXPORTS}/{failed}").get_json()["state"] == "failed"
    for _ in range(3):
        ask(author)
        run_ready_jobs(worker)
    refused = author.call("POST", EXPORTS)
    assert (refused.status_code, int(refused.headers["Retry-After"]) > 0) == (429, True)


def test_a_large_copy_has_several_files_with_each_row_once(
    sessions: sessionmaker[Session], worker: WorkerContext, author: Caller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(personal_files, "FILE_BYTES", 2_000)
    with sessions.begin() as session:
        session.execute(
            text("INSERT INTO notifications (user_id, event_id)"
                 " SELECT :id, n FROM generate_series(1, 5000) AS n"),
            {"id": author.id},
        )  # fmt: skip
    place = ask(author)
    run_ready_jobs(worker)
    files = author.call("GET", place).get_json()["files"]
    assert files > 1
    zips = [author.call("POST", f"{place}/files/{n}").data for n in range(1, files + 1)]
    rows = read(*zips)
    assert sorted(row["event_id"] for row in rows["notifications"]) == list(range(1, 5001))


def _another(caller: Caller) -> Caller:
    """Return the same account with a client of its own, for a thread."""
    other = Caller.__new__(Caller)
    other.client, other.token = caller.client.application.test_client(), caller.token
    return other


def test_no_file_of_a_copy_holds_many_large_rows_beyond_its_bound(
    sessions: sessionmaker[Session], author: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So many large rows as are fetched at once is what a worker holds beside the file."""
    monkeypatch.setattr(personal_files, "FILE_BYTES", 50_000)
    with sessions.begin() as session:
        session.execute(
            text("INSERT INTO content_versions (content_id, number, author_id, title, slug, body,"
                 " digest) SELECT (SELECT min(id) FROM content), 100 + n, :id, 't', 't',"
                 " (SELECT string_agg(md5(n || '-' || k), '') FROM generate_series(1, 1000) AS k),"
                 " decode(repeat('00', 32), 'hex') FROM generate_series(1, 100) AS n"),
            {"id": author.id},
        )  # fmt: skip
    with sessions.begin() as session:
        pieces = list(personal_files.pieces(session, author.id))
    assert len([piece for piece in pieces if piece.file is not None]) >= 10


def test_the_texts_of_packed_versions_are_in_a_copy(
    sessions: sessionmaker[Session], worker: WorkerContext, author: Caller
) -> None:
    with sessions.begin() as session:
        actor = Actor(author.id, author.login, RoleName.AUTHOR)
        content_id, bodies = make_versions(session, 5, actor=actor)
        switch_on(session)
        seal_all(session, content_id)
        session.execute(text("UPDATE content_versions SET packed = 'no' WHERE number = 4"))
    place = ask(author)
    run_ready_jobs(worker)
    rows = read(author.call("POST", f"{place}/files/1").data)["content_versions"]
    mine = {row["number"]: row for row in rows if row["content_id"] == content_id}
    assert [mine[n + 1]["body"] == bodies[n] for n in range(5)] == [True] * 3 + [False, True]
    assert "is damaged and cannot be read" in mine[4]["body"]
    assert mine[1]["excerpt"] == "In short."
    assert "packed" not in mine[1]
