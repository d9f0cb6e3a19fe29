"""What a text that cannot be rendered does to publishing, scheduling and everybody else."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import Caller
from webapp.adapters.rendering import configure_rendering, rendering_processes
from webapp.api.edge import ImprintApp
from webapp.kit.clock import utc_now
from webapp.kit.roles import RoleName
from webapp.settings import Settings

LEFT_OPEN = "".join(f'<b title="{n}">' for n in range(700)) + "<p>x" * 1500
LONG = ("*some* words of `prose` and [more](/x)\n" * 40 + "\n") * 1200


@pytest.fixture
def editor(client: FlaskClient) -> Caller:
    """A logged-in editor."""
    return Caller(client, RoleName.EDITOR)


@pytest.fixture
def short_limits(app: ImprintApp, settings: Settings) -> Iterator[None]:
    """One second of the processor for a text."""
    configure_rendering(settings.model_copy(update={"rendering_cpu_seconds": 1}))
    yield
    configure_rendering(settings)


def _draft(editor: Caller, **fields: str) -> str:
    made = editor.call("POST", "/content", {"title": "A text", **fields})
    assert made.status_code == 201
    return f"/content/{made.get_json()['id']}"


@pytest.mark.parametrize("body_format", ["markdown", "html"])
def test_a_text_that_multiplies_is_refused_with_a_sentence(
    editor: Caller, body_format: str
) -> None:
    path = _draft(editor, body=LEFT_OPEN, body_format=body_format)
    plan = {"action": "publish", "at": utc_now().isoformat()}
    for answer in (
        editor.call("POST", f"{path}/publish", {}, If_Match="*"),
        editor.call("POST", f"{path}/schedule", plan, If_Match="*"),
    ):
        assert answer.status_code == 422
        assert answer.content_type == "application/problem+json"
        assert "Close them where they end." in answer.get_json()["detail"]
    assert editor.call("GET", path).get_json()["status"] == "draft"
    assert editor.call("GET", f"{path}/schedule").get_json()["items"] == []


def test_a_text_that_takes_too_long_is_refused_and_a_shorter_one_goes_public(
    short_limits: None, editor: Caller
) -> None:
    path = _draft(editor, body=LONG)
    answer = editor.call("POST", f"{path}/publish", {}, If_Match="*")
    assert answer.status_code == 422
    assert "1 seconds of the processor" in answer.get_json()["detail"]
    assert editor.call("PATCH", path, {"body": "short"}, If_Match="*").status_code == 200
    assert editor.call("POST", f"{path}/publish", {}, If_Match="*").status_code == 200


def test_while_a_text_is_rendered_nothing_is_locked_and_no_transaction_is_open(
    app: ImprintApp, editor: Caller, sessions: sessionmaker[Session]
) -> None:
    path = _draft(editor, body=LONG)
    etag = editor.call("GET", path).headers["ETag"]
    # Whatever an earlier test left idle would take the text, and not be known for the one at work.
    rendering_processes().close()
    before = {child.pid for child in psutil.Process().children()}
    with ThreadPoolExecutor(1) as pool:
        publishing = pool.submit(editor.call, "POST", f"{path}/publish", {}, If_Match=etag)
        while not publishing.done():
            new = [c for c in psutil.Process().children() if c.pid not in before]
            busy = [c for c in new if c.cpu_times().user > 0.6]
            if busy:
                break
        with sessions() as session:
            open_ones = session.scalar(
                text(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                    " AND xact_start IS NOT NULL AND pid <> pg_backend_pid()"
                )
            )
            # The item can be saved meanwhile, and the revision then says no to the publishing.
            session.execute(text("UPDATE content SET revision = revision + 1"))
            session.commit()
        assert not publishing.done()
        assert open_ones == 0
        assert publishing.result().status_code in (412, 422)
    assert editor.call("GET", path).get_json()["status"] == "draft"


def test_a_child_that_dies_is_a_matter_of_trying_again(
    app: ImprintApp, editor: Caller, settings: Settings
) -> None:
    path = _draft(editor, body=LONG)
    before = {child.pid for child in psutil.Process().children()}
    ended = threading.Event()

    def kill_the_child() -> None:
        while not ended.is_set():
            for child in psutil.Process().children():
                if child.pid not in before and child.cpu_times().user > 0.6:
                    child.kill()
                    return

    with ThreadPoolExecutor(1) as pool:
        # Fresh children, so that the one which works at the text is known.
        configure_rendering(settings.model_copy(update={"rendering_cpu_seconds": 60}))
        killing = pool.submit(kill_the_child)
        answer = editor.call("POST", f"{path}/publish", {}, If_Match="*")
        ended.set()
        killing.result()
    configure_rendering(settings)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert editor.call("GET", path).get_json()["status"] == "draft"


def test_four_hostile_publishes_at_once_hold_up_no_reader(app: ImprintApp, editor: Caller) -> None:
    body = "# a\n" * 5000
    assert (
        editor.call("POST", f"{_draft(editor, slug='read')}/publish", {}, If_Match="*").status_code
        == 200
    )
    paths = [_draft(editor, body=body + LEFT_OPEN * (n % 2)) for n in range(4)]
    with ThreadPoolExecutor(5) as pool:
        publishes = [
            pool.submit(editor.call, "POST", f"{path}/publish", {}, If_Match="*") for path in paths
        ]
        reads = 0
        while not all(publish.done() for publish in publishes):
            assert app.test_client().get("/api/v1/published/read").status_code == 200
            reads += 1
        statuses = [publish.result().status_code for publish in publishes]
    assert statuses == [200, 422, 200, 422]
    assert reads > 10


def test_a_version_keeps_the_rendering_that_it_has(
    editor: Caller, sessions: sessionmaker[Session], client: FlaskClient
) -> None:
    path = _draft(editor, body="new", slug="kept")
    assert editor.call("POST", f"{path}/publish", {}, If_Match="*").status_code == 200
    with sessions.begin() as session:
        session.execute(text("UPDATE renderings SET html = '<p>old</p>'"))
    assert editor.call("POST", f"{path}/unpublish", {}, If_Match="*").status_code == 200
    assert editor.call("POST", f"{path}/publish", {}, If_Match="*").status_code == 200
    assert "<p>old</p>" in client.get("/api/v1/published/kept").get_json()["html"]
