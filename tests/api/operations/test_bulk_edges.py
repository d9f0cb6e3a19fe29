"""Promise: in a bulk action one item that cannot be changed keeps no other one waiting."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from tests.agents import Agent, by_hand, published, read, write
from tests.api.operations.bulk import RUN, ask, counts, do, id_of, outcomes, put_back
from tests.factories import Caller, run_ready_jobs
from tests.services.content.versions_in_numbers import make_versions, seal_all, switch_on
from webapp.kit.roles import RoleName
from workers.context import WorkerContext

_READ_PACKED = text("SELECT packed FROM content_versions WHERE content_id = :id AND number = 3")
_PACK = text("UPDATE content_versions SET packed = :packed WHERE content_id = :id AND number = 3")
TOO_DEEP = "> " * 300 + "x"


def test_a_damaged_version_is_left_by_an_undo_and_the_others_are_put_back(
    manager: Caller, worker: WorkerContext, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        content_id, _ = make_versions(session, 3)
    paths = [f"/content/{content_id}", write(manager)]
    bulk = do(manager, worker, "tag", *paths, tags=["New"])
    with sessions.begin() as session:
        switch_on(session)
        seal_all(session, content_id)
        whole = session.scalar(_READ_PACKED, {"id": content_id})
        session.execute(_PACK, {"id": content_id, "packed": b"no"})
    put = put_back(manager, worker, bulk)
    assert counts(put) == ("done", 2, 1, 0, 1)
    assert outcomes(manager, put) == {
        content_id: ("failed", "conflict"),
        id_of(paths[1]): ("done", None),
    }
    with sessions.begin() as session:
        session.execute(_PACK, {"id": content_id, "packed": whole})
    rest = put_back(manager, worker, bulk)
    assert counts(rest) == ("done", 1, 1, 0, 0)
    assert outcomes(manager, rest) == {content_id: ("done", None)}
    former = read(manager, f"/bulk-actions/{put['id']}")
    assert (former["state"], former["done"], former["failed"]) == ("stopped", 1, 1)
    assert put_back(manager, worker, bulk)["id"] == rest["id"]


def test_a_text_that_cannot_be_rendered_is_told_by_a_trial_as_by_the_action(
    manager: Caller, worker: WorkerContext
) -> None:
    paths = [write(manager), write(manager, body=TOO_DEEP), write(manager)]
    wanted: dict[int, tuple[str, str | None]] = {id_of(path): ("done", None) for path in paths}
    wanted[id_of(paths[1])] = ("failed", "conflict")
    asked = {"action": "publish", "content_ids": list(wanted)}
    trial = by_hand(manager, "POST", "/bulk-actions", {**asked, "dry_run": True})
    assert {one["content_id"]: (one["state"], one["reason"]) for one in trial["sample"]} == wanted
    assert outcomes(manager, do(manager, worker, "publish", *paths)) == wanted


@pytest.mark.parametrize("action", ["publish", "tag"])
def test_what_was_retracted_is_published_by_no_filter_that_does_not_name_it(
    manager: Caller, worker: WorkerContext, action: str
) -> None:
    path, other = write(manager), write(manager)
    by_hand(manager, "POST", f"{path}/publish", {"notify": False})
    by_hand(manager, "POST", f"{path}/retract", {"reason": "It was made up."})
    tags = {"tags": ["New"]} if action == "tag" else {}
    bulk = do(manager, worker, action, filter={"author_id": manager.id}, **tags)
    if action == "tag":
        assert outcomes(manager, bulk).keys() == {id_of(path), id_of(other)}
        return
    assert outcomes(manager, bulk) == {id_of(other): ("done", None)}
    assert (read(manager, path)["status"], published(manager, path)) == ("retracted", None)
    bulk = do(manager, worker, action, filter={"status": "retracted"})
    assert outcomes(manager, bulk) == {id_of(path): ("done", None)}


def test_a_key_that_proposes_gives_nothing_to_another_author(
    manager: Caller, client: FlaskClient, worker: WorkerContext
) -> None:
    public, writer = write(manager), Caller(client, RoleName.AUTHOR)
    by_hand(manager, "POST", f"{public}/publish", {"notify": False})
    asked = {"action": "change_author", "content_ids": [id_of(public)], "author_id": writer.id}
    refused = Agent(manager, "propose").caller.call("POST", "/bulk-actions", asked)
    assert refused.status_code == 403
    assert "content.publish" in refused.get_json()["detail"]
    Agent(manager, "propose", "publish").call("POST", "/bulk-actions", asked)
    run_ready_jobs(worker, kinds=RUN)
    assert published(manager, public)["author"]["id"] == writer.id


def test_a_key_that_proposes_ends_nothing_that_it_could_not_begin(
    manager: Caller, worker: WorkerContext
) -> None:
    item, agent = write(manager), Agent(manager, "propose")
    by_hand(manager, "POST", f"{item}/publish", {"notify": False})
    path = ask(manager, "unpublish", item)
    assert agent.caller.call("POST", f"{path}/cancel").status_code == 403
    tagging = ask(manager, "tag", item, tags=["New"])
    assert agent.call("POST", f"{tagging}/cancel")["state"] == "cancelled"
    run_ready_jobs(worker, kinds=RUN)
    assert published(manager, item) is None
