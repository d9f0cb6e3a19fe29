"""Promise: a bulk action can be ended and put back, but for what somebody has touched since."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text, update
from sqlalchemy.orm import Session, sessionmaker

from tests.agents import ALL, QUIET, Agent, by_hand, published, read, reasons, undo, write
from tests.api.operations.bulk import RUN, ask, counts, do, id_of, outcomes, put_back
from tests.api.operations.test_undo_races import again
from tests.at_once import at_once
from tests.factories import Caller, run_ready_jobs
from webapp.api.edge import ImprintApp
from webapp.kit.roles import RoleName
from webapp.models import ApiKey, BulkAction, Content, Job, Role, User
from webapp.services.accounts import standing
from webapp.services.operations import bulk_steps
from workers.context import WorkerContext


def begin_two_of_four(
    caller: Caller, sessions: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch
) -> tuple[str, list[str]]:
    """Ask to archive four items and let two of them be done; returns the paths."""
    paths = [write(caller) for _ in range(4)]
    path = ask(caller, "archive", *paths)
    with monkeypatch.context() as patch, sessions.begin() as session:
        patch.setattr(bulk_steps, "ITEMS_A_BATCH", 2)
        assert not bulk_steps.run_batch(session, id_of(path), lambda actor: actor)
    return path, paths


def standings(caller: Caller, paths: list[str]) -> list[str]:
    """Return where items stand."""
    return [read(caller, path)["status"] for path in paths]


def test_what_is_cancelled_stays_where_it_was(
    manager: Caller,
    worker: WorkerContext,
    sessions: sessionmaker[Session],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path, paths = begin_two_of_four(manager, sessions, monkeypatch)
    assert (read(manager, path)["done"], read(manager, path)["waiting"]) == (2, 2)
    refused = manager.call("POST", f"{path}/undo")
    assert (refused.status_code, "cancel it first" in refused.get_json()["detail"]) == (409, True)
    for _ in range(2):
        assert by_hand(manager, "POST", f"{path}/cancel")["state"] == "cancelled"
    run_ready_jobs(worker, kinds=RUN)
    assert standings(manager, paths) == ["archived"] * 2 + ["draft"] * 2
    bulk = read(manager, path)
    assert outcomes(manager, bulk, state="waiting").keys() == {id_of(one) for one in paths[2:]}
    assert counts(put_back(manager, worker, bulk)) == ("done", 2, 2, 0, 0)
    assert standings(manager, paths) == ["draft"] * 4


def test_what_somebody_has_touched_since_is_left_and_told(
    manager: Caller, worker: WorkerContext
) -> None:
    paths = [write(manager, tags=["Old"]) for _ in range(3)]
    bulk = do(manager, worker, "tag", *paths, tags=["New"])
    by_hand(manager, "PATCH", paths[1], {"title": "By a person"})
    put = put_back(manager, worker, bulk)
    assert outcomes(manager, put) == {
        id_of(paths[0]): ("done", None),
        id_of(paths[1]): ("failed", "changed_since"),
        id_of(paths[2]): ("done", None),
    }
    tags = [sorted(tag["name"] for tag in read(manager, path)["tags"]) for path in paths]
    assert tags == [["Old"], ["New", "Old"], ["Old"]]


def test_an_undo_asked_for_twice_is_one(manager: Caller, worker: WorkerContext) -> None:
    paths = [write(manager) for _ in range(2)]
    bulk = do(manager, worker, "publish", *paths)
    first = put_back(manager, worker, bulk)
    assert put_back(manager, worker, bulk)["id"] == first["id"]
    assert [published(manager, path) for path in paths] == [None, None]
    refused = manager.call("POST", f"/bulk-actions/{first['id']}/undo")
    assert refused.status_code == 409


def test_an_undo_that_was_cancelled_is_gone_on_with_by_another(
    manager: Caller, worker: WorkerContext
) -> None:
    bulk = do(manager, worker, "archive", *[write(manager) for _ in range(2)])
    first = by_hand(manager, "POST", f"/bulk-actions/{bulk['id']}/undo")
    by_hand(manager, "POST", f"/bulk-actions/{first['id']}/cancel")
    second = put_back(manager, worker, bulk)
    assert second["id"] != first["id"]
    assert counts(second) == ("done", 2, 2, 0, 0)


def test_readers_who_had_heard_are_told_of(
    manager: Caller, worker: WorkerContext, client: FlaskClient
) -> None:
    path = write(manager)
    follower = Caller(client, RoleName.READER)
    assert follower.call("PUT", f"/follows/author/{manager.id}").status_code < 300
    bulk = do(manager, worker, "publish", path, notify=True)
    run_ready_jobs(worker)
    put = put_back(manager, worker, bulk)
    assert outcomes(manager, put) == {id_of(path): ("done", "told")}
    assert published(manager, path) is None


def test_the_undo_of_a_session_covers_what_its_bulk_actions_did(
    manager: Caller,
    worker: WorkerContext,
    sessions: sessionmaker[Session],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    agent = Agent(manager, *ALL)
    public, late = write(manager), write(manager)
    asked = {"action": "publish", "content_ids": [id_of(public), id_of(late)]}
    made = agent.call("POST", "/bulk-actions", asked)
    with monkeypatch.context() as patch, sessions.begin() as session:
        patch.setattr(bulk_steps, "ITEMS_A_BATCH", 1)
        assert not bulk_steps.run_batch(session, made["id"], lambda actor: actor)
    assert published(manager, public) is not None
    report = undo(manager)
    assert report["left"] == []
    assert sorted(one["subject"]["kind"] for one in report["undone"]) == ["bulk_action", "content"]
    run_ready_jobs(worker, kinds=RUN)
    bulk = read(manager, f"/bulk-actions/{made['id']}")
    assert (bulk["state"], bulk["ending"]) == ("cancelled", "The session that began it was undone.")
    assert [published(manager, path) for path in (public, late)] == [None, None]
    assert set(reasons(undo(manager)).values()) == {"already_undone"}


@pytest.mark.parametrize("what", ["disabled", "demoted", "revoked"])
def test_who_may_no_more_is_stopped(
    manager: Caller,
    worker: WorkerContext,
    sessions: sessionmaker[Session],
    monkeypatch: pytest.MonkeyPatch,
    what: str,
) -> None:
    agent = Agent(manager, *ALL)
    paths = [write(manager) for _ in range(3)]
    for path in paths:
        by_hand(manager, "POST", f"{path}/publish", QUIET)
    asked = {"action": "unpublish", "content_ids": [id_of(path) for path in paths]}
    made = agent.call("POST", "/bulk-actions", asked)
    with monkeypatch.context() as patch, sessions.begin() as session:
        patch.setattr(bulk_steps, "ITEMS_A_BATCH", 1)
        assert not bulk_steps.run_batch(session, made["id"], lambda actor: actor)
    change = {
        "disabled": update(User).where(User.id == manager.id).values(disabled_at=text("now()")),
        "demoted": update(User)
        .where(User.id == manager.id)
        .values(role_id=text(f"(SELECT id FROM {Role.__tablename__} WHERE name = 'author')")),
        "revoked": update(ApiKey).values(revoked_at=text("now()")),
    }[what]
    with sessions.begin() as session:
        session.execute(change)
    run_ready_jobs(worker, kinds=RUN)
    with sessions.begin() as session:
        states = text("SELECT state, done, ending FROM bulk_actions")
        state, done, ending = session.execute(states).one()
        public = session.scalar(text("SELECT count(*) FROM publications"))
    assert (state, done, public) == ("stopped", 1, 2)
    expected = "content.publish" if what == "demoted" else "does not work any more"
    assert expected in ending


@pytest.mark.parametrize("loss", ["disabled", "frozen"])
def test_what_an_account_had_at_work_goes_not_on_when_it_works_again(
    manager: Caller, worker: WorkerContext, sessions: sessionmaker[Session], loss: str
) -> None:
    item = write(manager)
    path = ask(manager, "trash", item)
    with sessions.begin() as session:
        if loss == "disabled":
            standing.disable(session, None, manager.id, "stolen")
            standing.enable(session, None, manager.id)
        else:
            standing.freeze(session, manager.id)
            standing.thaw(session, manager.id)
    run_ready_jobs(worker, kinds=RUN)
    with sessions() as session:
        bulk = session.get_one(BulkAction, id_of(path))
        assert (bulk.state, bulk.ending) == (
            "stopped", "The account that began it was switched off.",
        )  # fmt: skip
        assert session.get_one(Content, id_of(item)).status == "draft"


def test_one_whose_job_has_failed_says_so_and_goes_on_after_a_retry(
    manager: Caller, worker: WorkerContext, sessions: sessionmaker[Session]
) -> None:
    path = ask(manager, "archive", write(manager))
    assert not read(manager, path)["is_stalled"]
    with sessions.begin() as session:
        session.execute(update(Job).where(Job.kind.in_(RUN)).values(state="failed"))
    assert read(manager, path)["is_stalled"]
    assert [one["is_stalled"] for one in read(manager, "/bulk-actions")["items"]] == [True]
    with sessions.begin() as session:
        session.execute(update(Job).where(Job.kind.in_(RUN)).values(state="ready"))
    run_ready_jobs(worker, kinds=RUN)
    ended = read(manager, path)
    assert (ended["state"], ended["is_stalled"]) == ("done", False)


def test_of_many_who_undo_or_cancel_at_once_one_does(
    app: ImprintApp, manager: Caller, worker: WorkerContext
) -> None:
    paths = [write(manager) for _ in range(3)]
    bulk = do(manager, worker, "archive", *paths)

    def undo_it(_turn: int) -> str:
        answer = again(manager, app).call("POST", f"/bulk-actions/{bulk['id']}/undo")
        return f"{answer.status_code} {answer.get_json()['id']}"

    (answer,) = set(at_once(undo_it, 4))
    undo_path = f"/bulk-actions/{answer.removeprefix('202 ')}"

    def cancel_or_work(turn: int) -> str:
        if turn:
            return str(again(manager, app).call("POST", f"{undo_path}/cancel").status_code)
        run_ready_jobs(worker, kinds=RUN)
        return "worked"

    *statuses, worked = at_once(cancel_or_work, 4)
    assert worked == "worked"
    # Whichever came first, all of them are back or none is, and everybody is told the same.
    ended = read(manager, undo_path)
    all_back = ended["state"] == "done"
    assert set(statuses) == ({"409"} if all_back else {"200"})
    assert standings(manager, paths) == ["draft" if all_back else "archived"] * 3


def test_a_category_that_goes_meanwhile_fails_the_items_and_no_more(
    manager: Caller, worker: WorkerContext
) -> None:
    shelf = by_hand(manager, "POST", "/categories", {"name": "Shelf"})["id"]
    path = ask(manager, "move", write(manager), write(manager), category_id=shelf)
    assert manager.call("DELETE", f"/categories/{shelf}", If_Match="*").status_code < 300
    run_ready_jobs(worker, kinds=RUN)
    assert counts(read(manager, path)) == ("done", 2, 0, 0, 2)
    (first, _) = read(manager, f"{path}/items?state=failed")["items"]
    assert first["detail"] == "category_id: there is no such category"
