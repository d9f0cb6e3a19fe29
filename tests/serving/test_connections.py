"""Promise: no class waits for another's connections; who finds none is told to come again."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dev.ports import LOOPBACK
from tests.factories import PASSWORD, Caller
from tests.serving.mute_server import mute_server
from webapp.adapters import database
from webapp.api.context import WebContext
from webapp.api.edge import ImprintApp
from webapp.app import create_app
from webapp.serving.classes import CLASSES, WITH_SESSIONS, RequestClass, class_of
from webapp.settings import Settings

API = "/api/v1"
LOGIN = {"login": "nobody", "password": PASSWORD}
# At least one request of each class; the token and the key make it go all the way to the database.
REQUESTS = (
    ("GET", "/health", None),
    ("GET", f"{API}/published/hello", None),
    ("GET", f"{API}/published", None),
    ("GET", f"{API}/published?limit=1", None),
    ("GET", f"{API}/published?q=hello", None),
    ("POST", f"{API}/auth/token", LOGIN),
    ("POST", f"{API}/accounts", {**LOGIN, "email": "nobody@example.org"}),
    ("POST", f"{API}/content", {"title": "New"}),
    ("GET", "/metrics", None),
    ("GET", "/ready", None),
    ("GET", f"{API}/content", None),
    ("GET", f"{API}/accounts/me", None),
    ("POST", f"{API}/auth/password-reset", {"email": "nobody@example.org"}),
)


def class_of_request(method: str, path: str) -> RequestClass:
    path, _, query = path.partition("?")
    return class_of(method, path, query)


def ask_all(client: FlaskClient, headers: dict[str, str]) -> dict[tuple[str, str], TestResponse]:
    return {
        (method, path): client.open(path, method=method, json=body, headers=headers)
        for method, path, body in REQUESTS
    }


@contextmanager
def exhausted(app: ImprintApp) -> Iterator[None]:
    """Take every connection that the pool may open."""
    context = app.context
    assert isinstance(context, WebContext)
    with ExitStack() as stack:
        for _ in range(2 * context.settings.database_pool_size):
            stack.enter_context(context.engine.connect())
        yield
    context.engine.dispose()


def test_the_threads_of_all_classes_fit_the_pool_of_connections() -> None:
    threads = sum(each.threads for each in WITH_SESSIONS)
    kept: int = Settings.model_fields["database_pool_size"].default
    assert threads <= 2 * kept


def test_a_request_whose_class_has_no_share_of_the_pool_takes_nothing_from_it(
    app: ImprintApp, editor: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert {class_of_request(method, path) for method, path, _ in REQUESTS} == set(CLASSES)
    small = small_app(app, monkeypatch)
    with exhausted(small):
        answers = ask_all(small.test_client(), {"Authorization": f"Bearer {editor.token}"})
    for (method, path), response in answers.items():
        expected = 503 if class_of_request(method, path) in WITH_SESSIONS else 200
        assert (path, response.status_code) == (path, expected)


def test_who_finds_no_connection_in_the_pool_is_told_when_to_come_again(
    app: ImprintApp, editor: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = small_app(app, monkeypatch)
    client = small.test_client()
    keyed = {"Authorization": f"Bearer {editor.token}", "Idempotency-Key": "one-key-for-all"}
    with exhausted(small):
        refused = [r for r in ask_all(client, keyed).values() if r.status_code != 200]
    assert {response.status_code for response in refused} == {503}
    for response in refused:
        assert int(response.headers["Retry-After"]) > 0
        if response.request.path != "/ready":
            assert response.get_json()["detail"].startswith("The database is busy or away")
        assert "QueuePool" not in response.get_data(as_text=True)
    # Nothing was done, nothing was kept, and with the connections back all goes on.
    made = client.post(f"{API}/content", json={"title": "New"}, headers=keyed)
    assert (made.status_code, made.headers.get("Idempotency-Replayed")) == (201, None)


def test_a_database_that_never_answers_a_connection_is_away(
    settings: Settings,
) -> None:
    with mute_server() as port:
        url = f"postgresql://nobody@{LOOPBACK}:{port}/nothing?connect_timeout=2"
        client = create_app(settings.model_copy(update={"database_url": url})).test_client()
        answers = [
            client.get(f"{API}/published/hello"),
            client.post(f"{API}/auth/token", json=LOGIN),
        ]
        assert client.get("/health").status_code == 200
    for response in answers:
        assert response.status_code == 503
        assert int(response.headers["Retry-After"]) > 0


def small_app(app: ImprintApp, monkeypatch: pytest.MonkeyPatch) -> ImprintApp:
    """Return an app like `app` that soon has no connection left, and does not wait for one long."""
    context = app.context
    assert isinstance(context, WebContext)
    monkeypatch.setattr(database, "POOL_WAIT_SECONDS", 0.2)
    return create_app(context.settings.model_copy(update={"database_pool_size": 1}))
