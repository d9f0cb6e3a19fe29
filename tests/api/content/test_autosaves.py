"""Promises about unsaved changes: kept apart, never written over unseen, offered when they meet."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text, update
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import Caller, run_ready_jobs
from webapp.api.edge import ImprintApp
from webapp.kit.clock import utc_now
from webapp.kit.roles import RoleName
from webapp.models import Autosave, User
from webapp.services.content import autosaves, merging
from workers.context import WorkerContext


@pytest.fixture
def editor(client: FlaskClient) -> Caller:
    """A logged-in editor."""
    return Caller(client, RoleName.EDITOR)


@pytest.fixture
def path(editor: Caller) -> str:
    """An item of one version."""
    made = editor.call("POST", "/content", {"title": "First", "body": "One two three four."})
    return f"/content/{made.get_json()['id']}"


def unsaved(base_version: int = 1, **changes: Any) -> dict[str, Any]:
    """Return the body of an autosave."""
    return {"base_version": base_version, "changes": changes}


def leave_alone(sessions: sessionmaker[Session]) -> None:
    """Let the time pass after which unsaved changes become a version."""
    with sessions.begin() as session:
        session.execute(text("UPDATE jobs SET run_at = now() WHERE kind = 'autosave.keep'"))
        session.execute(
            update(Autosave).values(updated_at=utc_now() - autosaves.QUIET - timedelta(seconds=1))
        )


def test_what_is_typed_is_kept_and_is_neither_a_version_nor_a_deed(
    editor: Caller, path: str, sessions: sessionmaker[Session]
) -> None:
    before = editor.call("GET", path)

    first = editor.call("PUT", f"{path}/autosave", unsaved(title="Sec"))
    second = editor.call(
        "PUT", f"{path}/autosave", unsaved(title="Second"), If_Match=first.headers["ETag"]
    )

    assert (first.status_code, second.status_code) == (200, 200)
    read = editor.call("GET", f"{path}/autosave").get_json()
    assert (read["base_version"], read["changes"]) == (1, {"title": "Second"})
    assert (read["item_version"], read["merge"]) == (1, None)
    assert editor.call("GET", path).get_json() == before.get_json()
    with sessions() as session:
        lines = "SELECT count(*) FROM activity_logs WHERE action LIKE 'content.%'"
        assert session.scalar(text(lines)) == 1


def test_each_person_has_their_own_and_sees_no_other(
    editor: Caller, path: str, client: FlaskClient
) -> None:
    colleague = Caller(client, RoleName.EDITOR)
    editor.call("PUT", f"{path}/autosave", unsaved(title="Mine"))

    assert colleague.call("GET", f"{path}/autosave").status_code == 404
    colleague.call("PUT", f"{path}/autosave", unsaved(title="Theirs"))

    for who, title in ((editor, "Mine"), (colleague, "Theirs")):
        assert who.call("GET", f"{path}/autosave").get_json()["changes"] == {"title": title}


def test_two_windows_do_not_write_over_each_other(editor: Caller, path: str) -> None:
    first = editor.call("PUT", f"{path}/autosave", unsaved(title="A")).headers["ETag"]
    editor.call("PUT", f"{path}/autosave", unsaved(title="B"), If_Match=first)

    assert editor.call("PUT", f"{path}/autosave", unsaved(title="C")).status_code == 412
    stale = editor.call("PUT", f"{path}/autosave", unsaved(title="C"), If_Match=first)
    assert stale.status_code == 412
    assert editor.call("GET", f"{path}/autosave").get_json()["changes"] == {"title": "B"}


def test_of_many_windows_that_begin_at_once_one_is_kept(
    editor: Caller, path: str, app: ImprintApp
) -> None:
    def begin(number: int) -> int:
        caller = app.test_client()
        headers = {"Authorization": f"Bearer {editor.token}"}
        body = unsaved(title=f"Title {number}")
        answer = caller.put(f"/api/v1{path}/autosave", json=body, headers=headers)
        return answer.status_code

    with ThreadPoolExecutor(8) as threads:
        statuses = sorted(threads.map(begin, range(8)))

    assert statuses == [200, *[412] * 7]


def test_it_is_saved_as_a_version_and_forgotten(editor: Caller, path: str) -> None:
    editor.call("PUT", f"{path}/autosave", unsaved(title="Second", tags=["x"]))
    etag = editor.call("GET", path).headers["ETag"]

    saved = editor.call("POST", f"{path}/autosave/save", If_Match=etag).get_json()

    assert (saved["title"], saved["version"], saved["tags"][0]["name"]) == ("Second", 2, "x")
    assert editor.call("GET", f"{path}/autosave").status_code == 404
    assert editor.call("POST", f"{path}/autosave/save", If_Match="*").status_code == 404


def test_where_the_item_has_moved_on_both_changes_are_offered_together(
    editor: Caller, path: str
) -> None:
    editor.call("PUT", f"{path}/autosave", unsaved(title="Mine", body="ONE two three four."))
    other = {"excerpt": "New", "body": "One two three four. Five."}
    now = editor.call("PATCH", path, other, If_Match="*")

    assert editor.call("POST", f"{path}/autosave/save", If_Match="*").status_code == 409
    read = editor.call("GET", f"{path}/autosave").get_json()
    merge = read["merge"]
    assert (read["item_version"], merge["conflicts"]) == (2, [])
    assert merge["changes"] == {"title": "Mine", "body": "ONE two three four. Five."}
    assert editor.call("GET", path).get_json() == now.get_json(), "it was offered, not applied"
    merged = editor.call("PATCH", path, merge["changes"], If_Match=now.headers["ETag"]).get_json()
    assert (merged["body"], merged["excerpt"]) == ("ONE two three four. Five.", "New")


def test_places_that_both_changed_are_named(editor: Caller, path: str) -> None:
    editor.call("PUT", f"{path}/autosave", unsaved(title="Mine", body="One 2 three four."))
    editor.call("PATCH", path, {"title": "Theirs", "body": "One zwei three four."}, If_Match="*")

    merge = editor.call("GET", f"{path}/autosave").get_json()["merge"]

    assert merge["changes"] == {}
    assert merge["conflicts"] == [
        {"field": "title", "base": "First", "mine": "Mine", "theirs": "Theirs"},
        {"field": "body", "base": "two ", "mine": "2 ", "theirs": "zwei "},
    ]


def test_what_is_left_alone_becomes_a_version_once(
    editor: Caller, path: str, sessions: sessionmaker[Session], worker: WorkerContext
) -> None:
    editor.call("PUT", f"{path}/autosave", unsaved(title="Second"))
    leave_alone(sessions)

    run_ready_jobs(worker, kinds={"autosave.keep"})

    item = editor.call("GET", path).get_json()
    assert (item["title"], item["version"]) == ("Second", 2)
    assert editor.call("GET", f"{path}/versions/2").get_json()["reason"] == "autosave"
    assert editor.call("GET", f"{path}/autosave").status_code == 404


def test_what_is_typed_on_is_not_made_a_version_yet(
    editor: Caller, path: str, sessions: sessionmaker[Session], worker: WorkerContext
) -> None:
    etag = editor.call("PUT", f"{path}/autosave", unsaved(title="Sec")).headers["ETag"]
    leave_alone(sessions)
    editor.call("PUT", f"{path}/autosave", unsaved(title="Second"), If_Match=etag)

    run_ready_jobs(worker, kinds={"autosave.keep"})

    assert editor.call("GET", path).get_json()["version"] == 1
    leave_alone(sessions)
    run_ready_jobs(worker, kinds={"autosave.keep"})
    assert editor.call("GET", path).get_json()["title"] == "Second"


def test_what_conflicts_waits_for_its_author_and_is_kept_once_it_fits(
    editor: Caller, path: str, sessions: sessionmaker[Session], worker: WorkerContext
) -> None:
    etag = editor.call("PUT", f"{path}/autosave", unsaved(title="Mine")).headers["ETag"]
    editor.call("PATCH", path, {"title": "Theirs"}, If_Match="*")
    leave_alone(sessions)

    run_ready_jobs(worker, kinds={"autosave.keep"})

    read = editor.call("GET", f"{path}/autosave").get_json()
    assert read["conflicted_at"] is not None
    assert (read["changes"], editor.call("GET", path).get_json()["title"]) == (
        {"title": "Mine"},
        "Theirs",
    )
    editor.call("PUT", f"{path}/autosave", unsaved(2, title="Mine"), If_Match=etag)
    leave_alone(sessions)
    run_ready_jobs(worker, kinds={"autosave.keep"})
    assert editor.call("GET", path).get_json()["title"] == "Mine"


def test_what_was_saved_otherwise_meanwhile_is_forgotten(
    editor: Caller, path: str, sessions: sessionmaker[Session], worker: WorkerContext
) -> None:
    editor.call("PUT", f"{path}/autosave", unsaved(title="Second"))
    editor.call("PATCH", path, {"title": "Second"}, If_Match="*")
    leave_alone(sessions)

    run_ready_jobs(worker, kinds={"autosave.keep"})

    assert editor.call("GET", f"{path}/autosave").status_code == 404
    assert editor.call("GET", path).get_json()["version"] == 2


def test_who_may_not_change_the_item_any_more_changes_it_by_no_worker(
    editor: Caller, path: str, sessions: sessionmaker[Session], worker: WorkerContext
) -> None:
    editor.call("PUT", f"{path}/autosave", unsaved(title="Second"))
    with sessions.begin() as session:
        session.execute(update(User).where(User.id == editor.id).values(disabled_at=utc_now()))
    leave_alone(sessions)

    run_ready_jobs(worker, kinds={"autosave.keep"})

    with sessions() as session:
        assert session.scalar(text("SELECT title FROM content")) == "First"
        assert session.scalar(text("SELECT conflicted_at FROM autosaves")) is not None


def test_what_cannot_be_kept_is_refused(editor: Caller, path: str) -> None:
    assert editor.call("PUT", f"{path}/autosave", unsaved(9, title="x")).status_code == 422
    assert editor.call("PUT", f"{path}/autosave", unsaved(titel="x")).status_code == 422
    editor.call("POST", f"{path}/trash", If_Match="*")
    assert editor.call("PUT", f"{path}/autosave", unsaved(title="x")).status_code == 409


def test_it_is_discarded_by_who_has_seen_it(editor: Caller, path: str) -> None:
    etag = editor.call("PUT", f"{path}/autosave", unsaved(title="A")).headers["ETag"]

    assert editor.call("DELETE", f"{path}/autosave", If_Match='"9"').status_code == 412
    assert editor.call("DELETE", f"{path}/autosave", If_Match=etag).status_code == 204
    assert editor.call("GET", f"{path}/autosave").status_code == 404


def test_a_window_that_is_behind_writes_over_no_later_changes(editor: Caller, path: str) -> None:
    url = f"{path}/autosave"
    behind = editor.call("PUT", url, unsaved(body="One")).headers["ETag"]
    editor.call("DELETE", url, If_Match="*")
    gone = editor.call("PUT", url, unsaved(body="One more"), If_Match=behind)
    editor.call("PUT", url, unsaved(body="Typed for an hour"))

    late = editor.call("PUT", url, unsaved(body="One more"), If_Match=behind)

    assert (gone.status_code, late.status_code) == (412, 412)
    assert editor.call("GET", url).get_json()["changes"] == {"body": "Typed for an hour"}


def test_nobody_is_told_that_nothing_changed_when_the_item_did(editor: Caller, path: str) -> None:
    kept = editor.call("PUT", f"{path}/autosave", unsaved(body="One two three four five."))
    editor.call("PATCH", path, {"body": "Zero one two three four."}, If_Match="*")

    read = editor.call("GET", f"{path}/autosave", If_None_Match=kept.headers["ETag"])

    assert read.status_code == 200
    assert read.get_json()["item_version"] == 2


def test_tags_of_both_are_kept_and_their_case_is_no_change(editor: Caller) -> None:
    made = editor.call("POST", "/content", {"title": "First", "tags": ["Alpha", "beta"]})
    path = f"/content/{made.get_json()['id']}"
    editor.call("PUT", f"{path}/autosave", unsaved(tags=["beta", "Alpha", "mine"], title="First"))
    editor.call("PATCH", path, {"tags": ["Alpha", "theirs"]}, If_Match="*")

    merge = editor.call("GET", f"{path}/autosave").get_json()["merge"]

    assert merge == {"changes": {"tags": ["Alpha", "theirs", "mine"]}, "conflicts": []}


def test_bodies_that_are_too_long_to_put_together_are_a_conflict_as_a_whole(
    editor: Caller, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "LARGEST_MERGE", 50)
    editor.call("PUT", f"{path}/autosave", unsaved(body="ONE two three four."))
    editor.call("PATCH", path, {"body": "One two three four. Five."}, If_Match="*")

    merge = editor.call("GET", f"{path}/autosave").get_json()["merge"]

    assert merge["changes"] == {}
    assert [conflict["mine"] for conflict in merge["conflicts"]] == ["ONE two three four."]


def test_who_writes_on_is_told_that_the_item_has_moved_on(editor: Caller, path: str) -> None:
    first = editor.call("PUT", f"{path}/autosave", unsaved(title="Mine"))
    editor.call("PATCH", path, {"excerpt": "Theirs"}, If_Match="*")
    etag = first.headers["ETag"]

    second = editor.call("PUT", f"{path}/autosave", unsaved(title="Mine too"), If_Match=etag)

    assert [answer.get_json()["item_version"] for answer in (first, second)] == [1, 2]


def test_true_and_one_are_told_apart_in_what_is_typed(editor: Caller, path: str) -> None:
    etag = editor.call("PUT", f"{path}/autosave", unsaved(metadata={"a": True})).headers["ETag"]
    editor.call("PUT", f"{path}/autosave", unsaved(metadata={"a": 1}), If_Match=etag)

    kept = editor.call("GET", f"{path}/autosave").get_json()["changes"]["metadata"]["a"]
    assert kept == 1
    assert kept is not True
