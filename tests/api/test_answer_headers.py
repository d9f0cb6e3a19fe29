"""Promise: every answer tells browsers what they may do with it, whoever of us gives it."""

import pytest
from flask.testing import FlaskClient
from pydantic import ValidationError

from tests.factories import Caller
from webapp.api.answer_headers import SAME_FOR_ALL
from webapp.app import create_app
from webapp.kit.roles import RoleName
from webapp.settings import Settings

APP, OTHER = "https://app.example.org", "http://localhost:5173"
PREFLIGHT = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "if-match"}


def published(client: FlaskClient) -> str:
    """Return the path of a public item."""
    editor = Caller(client, RoleName.EDITOR)
    made = editor.call("POST", "/content", {"title": "Hello", "slug": "hello"}).get_json()
    path = f"/content/{made['id']}/publish"
    assert editor.call("POST", path, {"notify": False}, If_Match="*").status_code == 200
    return "/api/v1/published/hello"


def test_whoever_answers_says_the_same(client: FlaskClient) -> None:
    public = published(client)
    etag = client.get(public).headers["ETag"]
    answers = [
        client.get(public),
        client.get(public, headers={"If-None-Match": etag}),
        client.get("/api/v1/published"),
        client.get("/api/v1/published?limit=1"),
        client.get("/api/v1/published/nowhere"),
        client.get("/api/v1/accounts/me"),
        client.get("/nowhere"),
        client.get("/health"),
        client.options("/api/v1/content"),
        client.post("/api/v1/auth/token", data=b"{", content_type="application/json"),
    ]
    assert {answer.status_code for answer in answers} >= {200, 204, 304, 400, 401, 404}
    for answer in answers:
        for name, value in SAME_FOR_ALL:
            assert answer.headers.getlist(name) == [value], (answer.request.path, name)
        assert "Strict-Transport-Security" not in answer.headers
        assert "Access-Control-Allow-Origin" not in answer.headers


def test_https_is_kept_to_where_people_reach_the_site_by_it(settings: Settings) -> None:
    secure = settings.model_copy(update={"base_url": "https://example.org"})
    answer = create_app(secure).test_client().get("/health")
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    silent = secure.model_copy(update={"hsts_seconds": 0})
    assert (
        "Strict-Transport-Security" not in create_app(silent).test_client().get("/health").headers
    )


def test_a_page_of_an_origin_that_is_named_may_read_answers(settings: Settings) -> None:
    named = settings.model_copy(update={"cors_origins": f"{APP}, {OTHER}"})
    client = create_app(named).test_client()
    public = published(client)
    for path in (public, "/api/v1/published", "/api/v1/content", "/api/v1/published/nowhere"):
        for origin in (APP, OTHER):
            answer = client.get(path, headers={"Origin": origin})
            assert answer.headers["Access-Control-Allow-Origin"] == origin
            assert "ETag" in answer.headers["Access-Control-Expose-Headers"]
            assert "Origin" in answer.vary
        for stranger in ({}, {"Origin": "https://example.org"}, {"Origin": "null"}):
            answer = client.get(path, headers=stranger)
            assert "Access-Control-Allow-Origin" not in answer.headers
            # A cache between the two must not mix them up.
            assert "Origin" in answer.vary
    for elsewhere in ("/reset-password", "/health"):
        answer = client.get(elsewhere, headers={"Origin": APP})
        assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_preflight_is_answered_without_a_token_and_to_named_origins_alone(
    settings: Settings,
) -> None:
    client = create_app(settings.model_copy(update={"cors_origins": APP})).test_client()
    answer = client.options("/api/v1/content/1", headers={**PREFLIGHT, "Origin": APP})
    assert (answer.status_code, answer.get_data()) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == APP
    assert "PATCH" in answer.headers["Access-Control-Allow-Methods"]
    allowed = {name.strip() for name in answer.headers["Access-Control-Allow-Headers"].split(",")}
    assert allowed >= {"Authorization", "Content-Type", "Idempotency-Key", "If-Match"}
    assert "Access-Control-Allow-Credentials" not in answer.headers
    refused = client.options("/api/v1/content/1", headers={**PREFLIGHT, "Origin": OTHER})
    assert not [name for name, _ in refused.headers if name.startswith("Access-Control")]


def test_every_origin_is_admitted_by_a_star_and_caches_may_share(settings: Settings) -> None:
    client = create_app(settings.model_copy(update={"cors_origins": "*"})).test_client()
    answer = client.get(published(client), headers={"Origin": OTHER})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Origin" not in answer.vary


@pytest.mark.parametrize(
    "wrong",
    ["app.example.org", f"{APP}/", f"{APP}/x", "https://App.example.org", "https://a:443", "null",
     "http://a:80", "https://a:0", "https://u@a", f"{APP},*", f"{APP} {OTHER}", "https://é.org"],
)  # fmt: skip
def test_an_origin_that_no_browser_sends_is_refused_at_the_start(wrong: str) -> None:
    with pytest.raises(ValidationError):
        Settings(_env_file=None, cors_origins=wrong)


def test_costly_doors_tell_what_is_left(settings: Settings) -> None:
    client = create_app(settings.model_copy(update={"rate_limits": True})).test_client()
    client.environ_base["REMOTE_ADDR"] = "198.51.100.41"  # The counts are in the shared Redis.
    reset = {"email": "nobody@example.org"}
    answers = [client.post("/api/v1/auth/password-reset", json=reset) for _ in range(11)]
    told = [answer.headers["RateLimit"].rpartition(";t=") for answer in answers]
    assert [left for left, _, _ in told] == [
        f'"request_password_reset";r={left}' for left in (*reversed(range(10)), 0)
    ]
    assert {answer.headers["RateLimit-Policy"] for answer in answers} == {
        '"request_password_reset";q=10;w=60'
    }
    assert (answers[-1].status_code, answers[-1].headers["Retry-After"]) == (429, told[-1][2])
    assert "RateLimit" not in client.get("/api/v1/published").headers


def test_costly_doors_stay_open_while_redis_is_away(settings: Settings) -> None:
    away = {"rate_limits": True, "redis_url": "redis://127.0.0.1:9/0"}
    client = create_app(settings.model_copy(update=away)).test_client()
    answer = client.post("/api/v1/auth/password-reset", json={"email": "nobody@example.org"})
    assert (answer.status_code, "RateLimit" in answer.headers) == (202, True)
