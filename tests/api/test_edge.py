"""Promises of the edge: bad input gets a clear error, and nothing of the inside is told."""

import hashlib
import json
import logging
from dataclasses import replace

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from dev.ports import free_port
from tests.factories import Caller
from webapp.adapters.broker import BrokerProbe
from webapp.api.edge import ImprintApp
from webapp.api.kept import Kept
from webapp.api.operations.operators import migration_head
from webapp.app import create_app
from webapp.kit.roles import RoleName
from webapp.services import idempotency
from webapp.services.operations import housekeeping
from webapp.settings import Settings


@pytest.fixture
def author(client: FlaskClient) -> Caller:
    """A logged-in author."""
    return Caller(client, RoleName.AUTHOR)


BAD_BODIES = [
    (b"{", 400),
    (b"", 400),
    (b"\xff\xfe{}", 400),
    (b'{"title": "\xff"}', 400),
    (b'{"title": "\\ud800"}', 400),
    (b"[]", 422),
    (b"null", 422),
    (b'"text"', 422),
    (b'{"title": "a\\u0000b"}', 422),
    (b'{"title": 5}', 422),
    (b'{"title": null}', 422),
    (b'{"title": "x", "unknown": 1}', 422),
    (b'{"title": "x", "category_id": 99999999999999999999}', 422),
    (b'{"title": "x", "category_id": 1.5}', 422),
    (b'{"title": "x", "metadata": {"a": 1e999}}', 422),
    (b'{"title": "x", "metadata": {"a": 123456789012345678901234567890}}', 422),
    (b'{"title": "x", "metadata": {"a": 1e300}}', 422),
    (b'{"title": "x", "metadata": {"\\u0000": 1}}', 422),
    (b'{"title": "x", "metadata": ' + b'{"a":' * 50 + b"1" + b"}" * 50 + b"}", 422),
    (b'{"title": "x", "tags": ["' + b"a" * 61 + b'"]}', 422),
    (b'{"title": "x", "slug": "Not A Slug"}', 422),
    (b'{"title": "' + b"x" * 301 + b'"}', 422),
    (b'{"title": ' + b"[" * 100_000, 400),
]


@pytest.mark.parametrize(("body", "status"), BAD_BODIES, ids=range(len(BAD_BODIES)))
def test_a_bad_body_is_refused_with_a_problem(author: Caller, body: bytes, status: int) -> None:
    headers = {"Authorization": f"Bearer {author.token}", "Content-Type": "application/json"}
    answer = author.client.post("/api/v1/content", data=body, headers=headers)
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
    problem = answer.get_json()
    assert problem["request_id"] == answer.headers["X-Request-ID"]
    assert (status == 400) == (problem["errors"] == [])
    assert author.call("GET", "/content").get_json()["items"] == []


def test_a_body_of_another_type_or_too_large_is_refused(author: Caller) -> None:
    headers = {"Authorization": f"Bearer {author.token}"}
    form = author.client.post("/api/v1/content", data={"title": "x"}, headers=headers)
    assert form.status_code == 415
    huge = json.dumps({"title": "x", "body": "y" * 5_000_000})
    headers["Content-Type"] = "application/json"
    answer = author.client.post("/api/v1/content", data=huge, headers=headers)
    assert (answer.status_code, answer.content_type) == (413, "application/problem+json")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nope", 404),
        ("GET", "/api/v1/content/x", 404),
        ("GET", "/api/v1/published/%00", 422),
        ("GET", "/api/v1/published/a%ff", 422),
        ("GET", "/api/v1/published?limit=0", 422),
        ("GET", "/api/v1/published?limit=101", 422),
        ("GET", "/api/v1/published?q=%00", 422),
        ("GET", "/api/v1/published?unknown=1", 422),
        ("GET", "/api/v1/categories?cursor=W3RydWVd", 422),
        ("GET", "/api/v1/published?q=a%27%22%3A%26%7C%21%28", 200),
        ("GET", "/api/v1/published?q=%27%22%3A%26%7C%21%28", 422),
        ("POST", "/health", 405),
        ("GET", "/api/v1/content", 401),
        ("PUT", "/api/v1/follows/planet/1", 401),
    ],
)
def test_every_refusal_is_a_problem_document(
    client: FlaskClient, method: str, path: str, status: int
) -> None:
    answer = client.open(path, method=method)
    assert answer.status_code == status
    if status >= 400:
        assert answer.content_type == "application/problem+json"
        assert answer.get_json()["status"] == status


@pytest.mark.parametrize("number", ["0", "9223372036854775808", "99999999999999999999999"])
def test_an_id_beyond_the_databases_is_refused(author: Caller, number: str) -> None:
    assert author.call("GET", f"/content/{number}").status_code == 422


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic x", "Bearer nobody", "é"])
def test_a_token_that_is_none_is_nobody(client: FlaskClient, header: str) -> None:
    answer = client.get("/api/v1/accounts/me", headers={"Authorization": header})
    assert answer.status_code == 401


def test_all_wrong_fields_are_named_at_once(author: Caller) -> None:
    answer = author.call("POST", "/content", {"title": "\u200b", "slug": "A B", "tags": "x"})
    fields = {error["field"] for error in answer.get_json()["errors"]}
    assert fields == {"body.title", "body.slug", "body.tags"}


def test_a_request_id_is_kept_when_it_is_sane_and_made_when_not(client: FlaskClient) -> None:
    kept = client.get("/health", headers={"X-Request-ID": "abcdef-123456"})
    assert kept.headers["X-Request-ID"] == "abcdef-123456"
    made = client.get("/health", headers={"X-Request-ID": "a b<script>"})
    assert len(made.headers["X-Request-ID"]) == 32


def test_a_request_id_goes_into_the_job_that_it_causes(author: Caller, app: ImprintApp) -> None:
    author.call("POST", "/content", {"title": "x"}, X_Request_ID="request-of-this-test")
    assert app.context is not None
    with app.context.sessions() as session:
        rows = session.execute(text("SELECT kind, request_id FROM jobs")).all()
    assert [tuple(row) for row in rows] == [("version.seal", "request-of-this-test")]


def test_without_its_database_the_api_says_so_and_when_to_come_back(settings: Settings) -> None:
    away = settings.model_copy(
        update={"database_url": f"postgresql+psycopg://x@127.0.0.1:{free_port()}/x"}
    )
    client = create_app(away).test_client()
    credentials = {"login": "x", "password": "y"}
    for answer in (
        client.get("/api/v1/published"),
        client.get("/api/v1/published/x"),
        client.post("/api/v1/auth/token", json=credentials),
    ):
        assert answer.status_code == 503
        assert answer.headers["Retry-After"]
        assert "127.0.0.1" not in answer.get_data(as_text=True)
    assert client.get("/health").status_code == 200
    report = client.get("/ready")
    assert report.status_code == 503
    assert report.get_json()["database"] is False


def test_a_crash_is_logged_and_tells_nothing(
    app: ImprintApp, author: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    assert app.context is not None
    with app.context.engine.begin() as connection:
        connection.execute(text("ALTER TABLE activity_logs RENAME TO gone"))
    with caplog.at_level(logging.ERROR):
        answer = author.call("POST", "/content", {"title": "x"})
    assert answer.status_code == 500
    problem = answer.get_json()
    assert "gone" not in str(problem)
    assert "activity" not in str(problem)
    assert problem["request_id"] in caplog.text
    assert author.call("GET", "/content").get_json()["items"] == []


def test_an_error_of_the_database_is_logged_without_the_values_of_a_row(
    app: ImprintApp, author: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    assert app.context is not None
    with app.context.engine.begin() as connection:
        # A guard that PostgreSQL reports with the failing row, but not as a clash of two writes.
        connection.execute(
            text(
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                " RAISE EXCEPTION 'no such thing' USING DETAIL = NEW.body; END $$"
            )
        )
        connection.execute(
            text("CREATE TRIGGER x BEFORE INSERT ON content FOR EACH ROW EXECUTE FUNCTION refuse()")
        )
    with caplog.at_level(logging.INFO):
        answer = author.call("POST", "/content", {"title": "x", "body": "a secret draft"})
    assert answer.status_code == 500
    assert "no such thing" in caplog.text
    assert "webapp/services/content/content.py" in caplog.text
    assert "a secret draft" not in caplog.text


def test_an_error_of_the_database_does_not_tell_the_parameters(app: ImprintApp) -> None:
    assert app.context is not None
    statement = text("SELECT CAST(:value AS text), 1 / 0")
    with app.context.engine.connect() as connection, pytest.raises(DBAPIError) as raised:
        connection.execute(statement, {"value": "a secret draft"})
    assert "a secret draft" not in str(raised.value)


def test_a_kept_fingerprint_cannot_be_guessed_without_the_secret_key(
    app: ImprintApp, author: Caller
) -> None:
    author.call("POST", "/content", {"title": "x"}, Idempotency_Key="once")
    assert app.context is not None
    with app.context.sessions() as session:
        kept = session.scalar(text("SELECT fingerprint FROM idempotency_keys"))
    request = ("POST", "/api/v1/content", "", "author", b'{"title": "x"}')
    secret = app.context.settings.require_secret_key()
    assert kept == idempotency.fingerprint_of(secret, *request)
    assert kept != idempotency.fingerprint_of("another secret", *request)
    parts = [*(part.encode() for part in request[:4]), request[4]]
    assert kept != hashlib.sha256(b"\n".join(parts)).digest()


def test_ready_wants_a_broker_and_a_dispatcher(app: ImprintApp, client: FlaskClient) -> None:
    assert app.context is not None
    app.context = replace(app.context, readiness=Kept(0))
    assert client.get("/ready").status_code == 503
    with app.context.sessions.begin() as session:
        housekeeping.write_heartbeat(session)
    ready = client.get("/ready")
    assert ready.status_code == 200
    report = ready.get_json()
    assert report["migration"] == report["migration_head"]
    assert report["dispatcher_tick_age"] < 10

    nobody = BrokerProbe(f"redis://127.0.0.1:{free_port()}/0")
    app.context = replace(app.context, broker=nobody)
    assert client.get("/ready").get_json()["broker"] is False


@pytest.mark.parametrize(
    ("revisions", "status"),
    [
        ([], 503),
        (["a1f2c3d4e5f6"], 503),
        (["of_the_future"], 200),
        ([migration_head(), "of_a_branch"], 200),
        (["a1f2c3d4e5f6", "of_a_branch"], 503),
    ],
)
def test_ready_wants_a_schema_that_lacks_no_step_of_this_code(
    app: ImprintApp, client: FlaskClient, revisions: list[str], status: int
) -> None:
    assert app.context is not None
    with app.context.sessions.begin() as session:
        housekeeping.write_heartbeat(session)
        session.execute(text("DELETE FROM alembic_version"))
        insertion = text("INSERT INTO alembic_version SELECT unnest(CAST(:revisions AS text[]))")
        session.execute(insertion, {"revisions": revisions})
    answer = client.get("/ready")
    assert answer.status_code == status
    assert answer.get_json()["migration"] == (", ".join(sorted(revisions)) or None)


def test_metrics_tell_of_requests_and_jobs(client: FlaskClient, author: Caller) -> None:
    author.call("POST", "/content", {"title": "x"})
    figures = client.get("/metrics").get_data(as_text=True)
    assert 'imprint_requests_total{endpoint="content.create",method="POST",status="201"}' in figures
    assert 'imprint_oldest_due_job_seconds{queue="versions"}' in figures
    assert "imprint_failed_jobs 0.0" in figures


def test_the_documentation_needs_nothing_from_elsewhere(client: FlaskClient) -> None:
    page = client.get("/docs")
    assert page.content_type.startswith("text/html")
    assert (
        "http" not in page.get_data(as_text=True).replace("https://", "http://x").split("<body")[0]
    )
    assert client.get("/docs/scalar.standalone.js").status_code == 200
    assert client.get("/openapi.json").get_json()["openapi"].startswith("3.1")


def test_costly_doors_are_limited_by_address(settings: Settings) -> None:
    client = create_app(settings.model_copy(update={"rate_limits": True})).test_client()
    client.environ_base["REMOTE_ADDR"] = "198.51.100.40"  # The counts are in the shared Redis.
    answers = [
        client.post("/api/v1/auth/password-reset", json={"email": "x@example.org"})
        for _ in range(12)
    ]
    assert [answer.status_code for answer in answers] == [202] * 10 + [429] * 2
    assert "Retry-After" not in answers[0].headers
    refused = client.post("/api/v1/auth/password-reset", json={"email": "x@example.org"})
    assert refused.content_type == "application/problem+json"
    assert int(refused.headers["Retry-After"]) > 0
