"""Promise: an undo is done once, all of it or nothing, and never over the change of another."""

import time
from concurrent.futures import ThreadPoolExecutor

from flask.testing import FlaskClient
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session, sessionmaker

from tests.agents import ALL, QUIET, UNDO, Agent, by_hand, read, reasons, undo, write
from tests.at_once import at_once
from tests.factories import Caller
from tests.patience import HANG_SECONDS
from tests.statements import noting_statements
from webapp.api.edge import ImprintApp
from webapp.kit.roles import RoleName
from webapp.models import ActivityLog, Content, ContentVersion

BLOCKED = text("SELECT count(*) FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0")


def wait_until_blocked(session: Session) -> None:
    """Return once somebody waits for a lock."""
    until = time.monotonic() + HANG_SECONDS
    while not session.scalar(BLOCKED):
        assert time.monotonic() < until, "nobody waits"


def again(caller: Caller, app: ImprintApp) -> Caller:
    """Return the same caller with a client of its own, for another thread."""
    same = Caller.__new__(Caller)
    same.client, same.id, same.token = app.test_client(), caller.id, caller.token
    return same


def test_of_many_at_once_one_undoes_each_subject(
    app: ImprintApp, client: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    manager = Caller(client, RoleName.MANAGER)
    agent = Agent(manager, *ALL)
    shelf = by_hand(manager, "POST", "/categories", {"name": "Shelf"})["id"]
    paths = [write(manager, category_id=shelf) for _ in range(5)]
    for path in paths:
        agent.call("PATCH", path, {"title": "Second"})
        agent.call("POST", f"{path}/publish", QUIET)
    agent.call("PUT", f"/categories/{shelf}", {"name": "Board"})
    agent.call("PATCH", "/accounts/me", {"display_name": "The agent"})

    def work(_turn: int) -> str:
        report = undo(again(manager, app))
        return f"{len(report['undone'])} {sorted(reasons(report).values())}"

    done = at_once(work, 4)
    assert done == ["0 ['already_undone', 'already_undone', 'already_undone']"] * 3 + ["7 []"]
    for path in paths:
        item = read(manager, path)
        assert (item["title"], item["version"], item["status"]) == ("Item", 3, "unpublished")
    with sessions() as session:
        told = select(func.count()).where(ActivityLog.action.like("%.undo"))
        assert session.scalar(told) == 7


def test_an_edit_that_comes_before_the_undo_is_seen_by_it(
    app: ImprintApp, client: FlaskClient, sessions: sessionmaker[Session], engine: Engine
) -> None:
    manager = Caller(client, RoleName.MANAGER)
    agent = Agent(manager, *ALL)
    path = write(manager)
    agent.call("PATCH", path, {"title": "By the agent"})
    number = int(path.split("/")[-1])
    # The edit of a person is under way: it holds its item, as every change does.
    with sessions() as holder, sessions() as watch, ThreadPoolExecutor(2) as pool:
        holder.execute(select(Content.id).where(Content.id == number).with_for_update())
        person = again(manager, app)
        edited = pool.submit(by_hand, person, "PATCH", path, {"body": "By a person."})
        wait_until_blocked(watch)
        running = pool.submit(undo, again(manager, app))
        while watch.scalar(BLOCKED) != 2 and not running.done():
            watch.rollback()
        holder.rollback()
        edited.result(HANG_SECONDS)
        report = running.result(HANG_SECONDS)
    item = read(manager, path)
    assert item["body"] == "By a person."
    # Whichever of the two PostgreSQL let go first, the edit is there, and nothing lies over it.
    if report["undone"]:
        assert (item["title"], item["version"]) == ("Item", 4)
    else:
        assert reasons(report) == {"content": "changed_since"}
        assert (item["title"], item["version"]) == ("By the agent", 3)


def test_an_edit_that_has_not_seen_the_undo_is_refused_after_it(client: FlaskClient) -> None:
    manager = Caller(client, RoleName.MANAGER)
    agent = Agent(manager, *ALL)
    path = write(manager)
    agent.call("PATCH", path, {"title": "By the agent"})
    seen = manager.call("GET", path).headers["ETag"]
    undo(manager)
    late = manager.call("PATCH", path, {"body": "Late."}, If_Match=seen)
    assert late.status_code == 412
    by_hand(manager, "PATCH", path, {"body": "Later."})
    assert read(manager, path)["title"] == "Item"


def test_a_dry_run_answers_the_same_and_changes_nothing(
    client: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    manager = Caller(client, RoleName.MANAGER)
    agent = Agent(manager, *ALL)
    edited, public, foreign = write(manager), write(manager), write(manager)
    shelf = by_hand(manager, "POST", "/categories", {"name": "Shelf"})["id"]
    agent.call("PATCH", edited, {"title": "Second"})
    agent.call("POST", f"{public}/publish", QUIET)
    agent.call("POST", f"{public}/schedule", {"action": "unpublish", "at": "2099-01-01T00:00:00Z"})
    agent.call("PUT", f"/categories/{shelf}", {"name": "Board"})
    agent.call("PATCH", foreign, {"title": "Second"})
    by_hand(manager, "PATCH", foreign, {"title": "Third"})

    def count() -> list[object]:
        tables = ("activity_logs", "content_versions", "jobs", "content", "publications",
                  "schedules", "categories")  # fmt: skip
        with sessions() as session:
            return [
                session.scalar(
                    text(f"SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM {t} t")
                )
                for t in tables
            ]

    before = count()
    key = {"Idempotency_Key": "same"}
    dry = manager.call("POST", UNDO, {"dry_run": True})
    assert count() == before
    assert manager.call("POST", UNDO, {"dry_run": True}, **key).status_code == 200
    assert count() == before
    assert manager.call("POST", UNDO, {}, **key).status_code == 422, "another question"
    done = undo(manager)
    assert dry.get_json() == {**done, "dry_run": True}
    assert len(done["undone"]) == 3


def test_a_repeated_call_is_answered_as_the_first_one(client: FlaskClient) -> None:
    manager = Caller(client, RoleName.MANAGER)
    Agent(manager, *ALL).write()
    first, second = (manager.call("POST", UNDO, {}, Idempotency_Key="once") for _ in range(2))
    assert second.headers["Idempotency-Replayed"] == "true"
    assert first.get_json() == second.get_json()
    assert len(first.get_json()["undone"]) == 1


def test_what_is_refused_in_the_middle_leaves_no_half_behind(
    client: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    editor = Caller(client, RoleName.EDITOR)
    agent = Agent(editor, *ALL)
    path = write(editor)
    agent.call("PATCH", path, {"title": "Second"})
    agent.call("POST", f"{path}/publish", QUIET)
    # A key that may edit and undo, and not publish: it gets as far as the new version.
    weaker = Agent(editor, "propose", run="run-7")
    with sessions.begin() as session:
        session.execute(
            text("UPDATE api_keys SET scopes = '{propose}' WHERE id = :id"), {"id": agent.key_id}
        )
    assert reasons(agent.call("POST", UNDO, {})) == {"content": "forbidden"}
    assert weaker.caller.call("POST", UNDO, {}).status_code == 404
    item = read(editor, path)
    assert (item["status"], item["version"], item["title"]) == ("published", 2, "Second")
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(ContentVersion)) == 2
        told = select(func.count()).where(ActivityLog.action.like("%.undo"))
        assert session.scalar(told) == 0


def test_a_large_session_is_undone_in_pages(client: FlaskClient) -> None:
    manager = Caller(client, RoleName.MANAGER)
    agent = Agent(manager, *ALL)
    paths = [agent.write() for _ in range(7)]
    cursor: dict[str, str] = {}
    pages = []
    while True:
        report = undo(manager, limit=3, **cursor)
        pages.append([one["subject"]["id"] for one in report["undone"]])
        if report["next"] is None:
            break
        cursor = {"cursor": report["next"]}
    ids = [int(path.split("/")[-1]) for path in paths]
    assert pages == [ids[:3:-1], ids[3:0:-1], ids[:1]]
    assert {read(manager, path)["status"] for path in paths} == {"trashed"}


def test_many_edits_of_one_item_cost_no_more_than_two(app: ImprintApp, client: FlaskClient) -> None:
    manager = Caller(client, RoleName.MANAGER)
    few, many = Agent(manager, *ALL), Agent(manager, *ALL, run="run-8")
    for agent, edits in ((few, 2), (many, 12)):
        path = write(manager)
        for edit in range(edits):
            agent.call("PATCH", path, {"title": f"Edit {edit:02}"})
    assert app.context is not None
    with noting_statements(app.context.engine) as of_few:
        undo(manager)
    with noting_statements(app.context.engine) as of_many:
        assert len(undo(manager, "/activity/sessions/run-8/undo")["undone"]) == 1
    assert len(of_many) == len(of_few)
