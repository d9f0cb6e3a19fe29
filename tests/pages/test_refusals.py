"""Promise: what a page that a mail leads to refuses is a page too, which says what to do."""

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from webapp.app import create_app
from webapp.pages.refusals import PATHS
from webapp.settings import Settings

# Networks of their own: the counts are in the Redis that the tests share.
TRYING, ELSEWHERE = {"REMOTE_ADDR": "198.51.100.51"}, {"REMOTE_ADDR": "198.51.100.50"}


@pytest.fixture
def braked(settings: Settings) -> Iterator[FlaskClient]:
    """A client of an API that limits its costly doors, and takes small bodies."""
    changed = {"rate_limits": True, "max_body_bytes": 2_048}
    app = create_app(settings.model_copy(update=changed))
    yield app.test_client()
    assert app.context is not None
    app.context.readers.close()
    app.context.engine.dispose()


def test_too_many_tries_are_told_by_a_page(braked: FlaskClient) -> None:
    form = {"token": "made up", "password": "a new and better one"}
    answers = [braked.post("/reset-password", data=form, environ_base=TRYING) for _ in range(21)]
    assert {answer.status_code for answer in answers[:20]} == {401}
    refused = answers[20]
    assert (refused.status_code, refused.mimetype) == (429, "text/html")
    seconds = int(refused.headers["Retry-After"])
    assert f"try again in {seconds} seconds" in refused.text
    assert "Error: This did not work" in refused.text
    assert refused.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert refused.headers["Cache-Control"] == "no-store"
    assert refused.headers["X-Request-ID"]
    assert refused.headers["RateLimit-Policy"] == '"reset_password";q=20;w=60'
    api = braked.post("/api/v1/auth/password-reset/confirm", json=form)
    assert api.mimetype == "application/problem+json"


def test_whatever_else_is_refused_there_is_told_by_a_page(braked: FlaskClient) -> None:
    assert braked.post("/preview").mimetype == "text/html", "it has no form"
    for path in sorted(PATHS - {"/preview"}):
        large = braked.post(path, data={"token": "x" * 4_096}, environ_base=ELSEWHERE)
        assert (large.status_code, large.mimetype) == (413, "text/html"), path
        other = braked.put(path)
        assert (other.status_code, other.mimetype) == (405, "text/html"), path
        assert "POST" in other.headers["Allow"]
