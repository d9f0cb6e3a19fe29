"""Promises of pages and personal answers: nothing from elsewhere, and nothing kept by a cache."""

import pytest
from flask.testing import FlaskClient

from tests.factories import Caller
from webapp.kit.roles import RoleName


@pytest.mark.parametrize("path", ["/docs"])
def test_a_page_loads_and_sends_nothing_elsewhere(client: FlaskClient, path: str) -> None:
    page = client.get(path)
    rules = dict(
        rule.strip().split(" ", 1) for rule in page.headers["Content-Security-Policy"].split(";")
    )
    assert rules["default-src"] == "'none'"
    assert (rules["script-src"], rules["connect-src"]) == ("'self'", "'self'")
    for nothing in ("base-uri", "object-src", "frame-ancestors"):
        assert rules[nothing] == "'none'"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["Cache-Control"] == "no-store"
    assert "http" not in page.get_data(as_text=True)


@pytest.mark.parametrize("path", ["/reset-password", "/verify-email", "/freeze-account"])
def test_a_page_that_mails_lead_to_sends_nothing_but_its_form(
    client: FlaskClient, path: str
) -> None:
    page = client.get(path)
    assert page.headers["Content-Security-Policy"].startswith(
        "default-src 'none'; style-src 'sha256-"
    )
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    shown = page.get_data(as_text=True)
    assert "http" not in shown
    assert '<label for="token">' in shown
    hostile = client.get(path, query_string={"token": '"><script>alert(1)</script>'})
    assert "<script>alert" not in hostile.get_data(as_text=True)


def test_what_is_somebodys_own_is_kept_by_no_cache(client: FlaskClient) -> None:
    manager = Caller(client, RoleName.MANAGER)
    item = manager.call("POST", "/content", {"title": "x"}).get_json()["id"]
    for path in ("/users", "/accounts/me", "/auth/sessions", "/notifications", "/follows",
                 "/notifications/preferences", "/content", f"/content/{item}/versions",
                 f"/content/{item}/versions/1", "/schedule", "/content/999"):  # fmt: skip
        assert manager.call("GET", path).headers["Cache-Control"] == "no-store", path
    assert manager.call("GET", f"/content/{item}").headers["Cache-Control"] == "private, no-cache"
    credentials = {"login": manager.login, "password": "wrong"}
    refused = client.post("/api/v1/auth/token", json=credentials)
    assert (refused.status_code, refused.headers["Cache-Control"]) == (401, "no-store")
