"""Promises about the job behind a new name: one for each, anew with each change, nothing lost."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import Caller, as_it_is, make_actor, make_content, run_ready_jobs
from webapp.jobs import leases
from webapp.jobs.messages import RefreshPublications
from webapp.jobs.outcomes import LeaseLostError
from webapp.jobs.payloads import read_payload
from webapp.kit.clock import utc_now
from webapp.kit.roles import RoleName
from webapp.models import Job, Publication
from webapp.services.accounts import accounts
from webapp.services.accounts.actors import Actor
from webapp.services.content import category_removal, taxonomy
from webapp.services.content.taxonomy import CategoryChanges
from webapp.services.publishing import publishing, refresh
from workers.context import RunningJob, WorkerContext
from workers.publishing import refresh as handler

KIND = {RefreshPublications.kind}


@pytest.fixture
def author(sessions: sessionmaker[Session]) -> Actor:
    """An author with five public items."""
    with sessions.begin() as session:
        author = make_actor(session)
        for _ in range(5):
            publishing.publish(session, author, make_content(session, author), None)
    return author


def rename(sessions: sessionmaker[Session], author: Actor, name: str) -> None:
    """Give the author another name."""
    with sessions.begin() as session:
        accounts.change_profile(session, author.user_id, as_it_is, display_name=name, bio=None)


def only_job(sessions: sessionmaker[Session]) -> Job:
    """Return the one job there is for names."""
    with sessions() as session:
        return session.scalars(select(Job).where(Job.kind == RefreshPublications.kind)).one()


def names(sessions: sessionmaker[Session]) -> list[str]:
    """Return the names of the author in the public documents, in the order of the batches."""
    with sessions() as session:
        order = (Publication.published_at, Publication.content_id)
        name = Publication.document["author"]["name"].as_string()
        return list(session.scalars(select(name).order_by(*order)))


def test_many_changes_of_a_name_are_one_job_and_the_last_one_counts(
    worker: WorkerContext, sessions: sessionmaker[Session], author: Actor
) -> None:
    for name in ("One", "Two", "One"):
        rename(sessions, author, name)
        assert only_job(sessions).state == "ready"
    run_ready_jobs(worker, kinds=KIND)
    assert names(sessions) == ["One"] * 5
    rename(sessions, author, "Two")
    run_ready_jobs(worker, kinds=KIND)
    assert (names(sessions), only_job(sessions).state) == (["Two"] * 5, "done")


def test_a_change_under_the_hands_of_a_worker_begins_anew(
    worker: WorkerContext, sessions: sessionmaker[Session], author: Actor
) -> None:
    rename(sessions, author, "Early")
    with sessions.begin() as session:
        claimed = leases.claim(session, only_job(sessions).id, 30)
    assert claimed is not None
    running = RunningJob(claimed, worker)
    with running.step() as session:
        message = read_payload(RefreshPublications, claimed.payload)
        following = refresh.refresh_batch(session, message, 2)
        assert following is not None
        leases.note_progress(session, claimed, following)
    assert names(sessions)[:3] == ["Early", "Early", author.login.title()]

    rename(sessions, author, "Late")

    with pytest.raises(LeaseLostError):
        handler.refresh_publications(running, following)
    assert only_job(sessions).payload["after_content_id"] == 0
    run_ready_jobs(worker, kinds=KIND)
    assert names(sessions) == ["Late"] * 5


def test_a_worker_that_dies_costs_no_document_its_name(
    worker: WorkerContext, sessions: sessionmaker[Session], author: Actor
) -> None:
    rename(sessions, author, "New")
    with sessions.begin() as session:
        claimed = leases.claim(session, only_job(sessions).id, 30)
    assert claimed is not None
    with RunningJob(claimed, worker).step() as session:
        message = read_payload(RefreshPublications, claimed.payload)
        following = refresh.refresh_batch(session, message, 2)
        assert following is not None
        leases.note_progress(session, claimed, following)
    with sessions.begin() as session:
        session.execute(update(Job).values(lease_until=utc_now()).where(Job.state == "running"))
        assert leases.take_back_expired(session) == 1
    assert read_payload(RefreshPublications, only_job(sessions).payload) == following

    run_ready_jobs(worker, kinds=KIND)

    assert names(sessions) == ["New"] * 5


@pytest.mark.parametrize("state", ["failed", "discarded"])
def test_a_change_takes_up_a_job_that_was_given_up(
    worker: WorkerContext, sessions: sessionmaker[Session], author: Actor, state: str
) -> None:
    rename(sessions, author, "Early")
    with sessions.begin() as session:
        given_up = {"state": state, "starts": 8, "last_error": "broken", "finished_at": utc_now()}
        ours = update(Job).where(Job.kind == RefreshPublications.kind)
        session.execute(ours.values(given_up))
    rename(sessions, author, "Late")
    run_ready_jobs(worker, kinds=KIND)
    assert (names(sessions), only_job(sessions).starts) == (["Late"] * 5, 1)


ROUNDS = 8


def rename_again_and_again(sessions: sessionmaker[Session], author: Actor) -> None:
    """Rename an author, a number of times."""
    for number in range(ROUNDS):
        rename(sessions, author, f"Name {number}")


def change_categories(
    sessions: sessionmaker[Session], author: Actor, kept: int, dropped: int
) -> None:
    """Rename one category, a number of times, and delete another one."""
    for number in range(ROUNDS):
        with sessions.begin() as session:
            changes = CategoryChanges(f"Kept {number}", f"kept-{number}", "", None)
            taxonomy.change_category(session, author, kept, as_it_is, changes)
    with sessions.begin() as session:
        category_removal.delete_category(session, author, dropped, as_it_is)


def withdraw_and_publish(sessions: sessionmaker[Session], author: Actor, items: list[int]) -> None:
    """Take items back and publish them again, a number of times."""
    for content_id in items * ROUNDS:
        with sessions.begin() as session:
            publishing.unpublish(session, author, content_id, None)
        with sessions.begin() as session:
            publishing.publish(session, author, content_id, None)


def test_names_and_items_that_change_all_at_once_end_as_the_last_changes_say(
    worker: WorkerContext, sessions: sessionmaker[Session], author: Actor
) -> None:
    with sessions.begin() as session:
        shelves = [taxonomy.ensure_category(session, name) for name in ("Kept", "Dropped")] * 3
        items = [make_content(session, author, category_id=shelf) for shelf in shelves]
        for content_id in items:
            publishing.publish(session, author, content_id, None)

    with ThreadPoolExecutor(4) as pool:
        running = [
            pool.submit(rename_again_and_again, sessions, author),
            pool.submit(change_categories, sessions, author, *shelves[:2]),
            pool.submit(withdraw_and_publish, sessions, author, items),
        ]
        while not all(future.done() for future in running):
            run_ready_jobs(worker, kinds=KIND)
    for future in running:
        future.result()
    run_ready_jobs(worker, kinds=KIND)

    with sessions() as session:
        documents = session.scalars(select(Publication.document)).all()
        states = session.scalars(select(Job.state).where(Job.kind == RefreshPublications.kind))
        assert set(states) == {"done"}
    assert {document["author"]["name"] for document in documents} == {f"Name {ROUNDS - 1}"}
    slugs = [document["category"] and document["category"]["slug"] for document in documents]
    assert sorted(slugs, key=str) == [None] * 8 + [f"kept-{ROUNDS - 1}"] * 3


def test_readers_find_an_item_under_the_new_name_of_its_category(
    worker: WorkerContext, client: FlaskClient
) -> None:
    admin = Caller(client, RoleName.ADMIN)
    category = admin.call("POST", "/categories", {"name": "Old"}).get_json()
    item = {"title": "An item", "slug": "an-item", "category_id": category["id"]}
    content_id = admin.call("POST", "/content", item).get_json()["id"]
    admin.call("POST", f"/content/{content_id}/publish", {}, If_Match="*")
    address = "/api/v1/published/an-item"
    etag = client.get(address).headers["ETag"]

    admin.call("PUT", f"/categories/{category['id']}", {"name": "New", "slug": "new"},
               If_Match="*")  # fmt: skip
    run_ready_jobs(worker, kinds=KIND)

    answer = client.get(address, headers={"If-None-Match": etag})
    assert (answer.status_code, answer.get_json()["category"]["slug"]) == (200, "new")
    (found,) = client.get("/api/v1/published?category=new").get_json()["items"]
    assert found["category"] == answer.get_json()["category"]
    assert admin.call("DELETE", f"/categories/{category['id']}", If_Match="*").status_code == 204
    run_ready_jobs(worker, kinds=KIND)
    assert client.get(address).get_json()["category"] is None
    assert client.get("/api/v1/published?category=new").get_json()["items"] == []
