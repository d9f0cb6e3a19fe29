"""Promises about names in public documents: they follow, and nothing else of the item moves."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from time import sleep
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import as_it_is, make_actor, make_content
from webapp.jobs.messages import RefreshPublications
from webapp.jobs.payloads import read_payload
from webapp.models import Content, ContentVersion, Event, Job, Publication
from webapp.services.accounts import accounts
from webapp.services.accounts.actors import Actor
from webapp.services.content import category_removal, content, taxonomy
from webapp.services.content.taxonomy import CategoryChanges
from webapp.services.publishing import publishing
from webapp.services.publishing.refresh import progress_of, refresh_batch


def make_public(session: Session, actor: Actor, **fields: Any) -> int:
    """Make an item, publish it, and return its id."""
    content_id = make_content(session, actor, **fields)
    publishing.publish(session, actor, content_id, None)
    return content_id


def publication(session: Session, content_id: int) -> Publication | None:
    """Return the publication of an item, read afresh."""
    session.expire_all()
    return session.get(Publication, content_id)


def document(session: Session, content_id: int) -> dict[str, Any]:
    """Return the public document of an item, and hold its summary against it."""
    row = publication(session, content_id)
    assert row is not None
    read: dict[str, Any] = row.document
    assert {**row.summary, "html": read["html"]} == read
    return read


def refresh(session: Session, size: int = 100) -> int:
    """Do what the waiting jobs would, and return how many batches that took."""
    batches = 0
    for payload in session.scalars(select(Job.payload).where(Job.kind == RefreshPublications.kind)):
        message: RefreshPublications | None = read_payload(RefreshPublications, payload)
        while message is not None:
            message = refresh_batch(session, message, size)
            batches += 1
    return batches


def rename_author(session: Session, actor: Actor, name: str) -> None:
    """Give an author another name, as they do themselves."""
    accounts.change_profile(session, actor.user_id, as_it_is, display_name=name, bio=None)


def rename_category(session: Session, actor: Actor, category_id: int, slug: str) -> None:
    """Give a category another slug and name."""
    changes = CategoryChanges(slug.title(), slug, "", None)
    taxonomy.change_category(session, actor, category_id, as_it_is, changes)


def test_a_new_name_comes_into_the_document_and_changes_nothing_else(session: Session) -> None:
    actor = make_actor(session)
    category_id = taxonomy.ensure_category(session, "Old")
    content_id = make_public(session, actor, category_id=category_id, tags=("word",))
    content.edit(session, actor, content_id, None, {"title": "A newer draft", "tags": ["other"]})
    before, former = document(session, content_id), publication(session, content_id)
    assert former is not None
    kept = (former.version_id, former.published_at, former.updated_at, former.slug)
    etag, item = former.etag, session.get_one(Content, content_id)
    counted = (item.revision, item.publish_sequence, item.version)

    rename_author(session, actor, "Another Name")
    rename_category(session, actor, category_id, "new")
    refresh(session)

    after, row = document(session, content_id), publication(session, content_id)
    assert row is not None
    assert after == {
        **before,
        "author": {"id": actor.user_id, "name": "Another Name"},
        "category": {"id": category_id, "slug": "new", "name": "New"},
    }
    assert (row.version_id, row.published_at, row.updated_at, row.slug) == kept
    assert row.etag != etag
    item = session.get_one(Content, content_id)
    assert (item.revision, item.publish_sequence, item.version) == counted
    assert session.scalar(select(func.count()).select_from(Event)) == 1


def test_a_deleted_category_leaves_the_document(session: Session) -> None:
    actor = make_actor(session)
    gone, stays = (taxonomy.ensure_category(session, name) for name in ("Gone", "Stays"))
    of_gone, of_stays, of_none = (
        make_public(session, actor, category_id=category_id) for category_id in (gone, stays, None)
    )
    others = select(Publication.etag).where(Publication.content_id.in_([of_stays, of_none]))
    etags = set(session.scalars(others))

    category_removal.delete_category(session, actor, gone, as_it_is)
    refresh(session, 1)

    assert document(session, of_gone)["category"] is None
    assert document(session, of_stays)["category"]["slug"] == "stays"
    assert set(session.scalars(others)) == etags


def test_what_has_its_name_already_is_not_written_again(session: Session) -> None:
    actor = make_actor(session)
    content_id = make_public(session, actor)
    rename_author(session, actor, "Name")
    refresh(session)
    row = publication(session, content_id)
    assert row is not None
    etag = row.etag
    place = text("SELECT ctid::text FROM publications WHERE content_id = :id")
    before = session.scalar(place, {"id": content_id})
    refresh(session)
    row = publication(session, content_id)
    assert row is not None
    assert (row.etag, session.scalar(place, {"id": content_id})) == (etag, before)


def test_a_category_that_says_the_same_of_itself_asks_for_nothing(session: Session) -> None:
    actor = make_actor(session)
    category_id = taxonomy.ensure_category(session, "Same", slug="same")
    rename_category(session, actor, category_id, "same")
    assert session.scalar(select(Job.id).where(Job.kind == RefreshPublications.kind)) is None


def test_thousands_of_documents_are_refreshed_in_bounded_batches(session: Session) -> None:
    actor = make_actor(session)
    make_public(session, make_actor(session))
    first = make_content(session, actor)
    copies = 1_999
    session.execute(
        text(
            """
            WITH made AS (
                INSERT INTO content (author_id, title, slug, version)
                SELECT :author_id, 'Copy', 'copy-' || number, 1
                FROM generate_series(1, :copies) AS number RETURNING id, slug
            )
            INSERT INTO content_versions (content_id, number, title, slug, body, digest)
            SELECT made.id, 1, 'Copy', made.slug, body, digest
            FROM made, content_versions WHERE content_id = :first
            """
        ),
        {"author_id": actor.user_id, "copies": copies, "first": first},
    )
    pinned = session.execute(
        select(ContentVersion.content_id, ContentVersion.id)
        .join(Content, Content.id == ContentVersion.content_id)
        .where(Content.author_id == actor.user_id)
    ).all()
    publishing.release(session, [publishing.Release(*row) for row in pinned], notify=False)

    rename_author(session, actor, "Renamed")

    assert refresh(session, 100) == (copies + 1) // 100 + 1
    names = select(Publication.summary["author"]["name"].as_string()).where(
        Publication.author_id == actor.user_id
    )
    assert session.scalars(names).all() == ["Renamed"] * (copies + 1)


def wait_until_blocked(sessions: sessionmaker[Session], waiting: Future[None]) -> None:
    """Wait until another transaction waits for a lock, or has ended."""
    blocked = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with sessions() as session:
        while not waiting.done() and not session.scalar(blocked):
            session.rollback()
            sleep(0.01)


def one_behind_the_other(
    sessions: sessionmaker[Session],
    leader: Callable[[Session], object],
    follower: Callable[[Session], object],
) -> None:
    """Let the second begin while the first has not committed, and see that it waits."""

    def follow() -> None:
        with sessions.begin() as session:
            follower(session)

    with ThreadPoolExecutor(1) as pool:
        with sessions.begin() as session:
            leader(session)
            waiting = pool.submit(follow)
            wait_until_blocked(sessions, waiting)
            assert not waiting.done()
        waiting.result()


@pytest.mark.parametrize("first", ["publication", "change"])
@pytest.mark.parametrize("named", ["author", "category"])
def test_a_name_that_changes_while_an_item_is_published_is_in_the_document(
    sessions: sessionmaker[Session], first: str, named: str
) -> None:
    with sessions.begin() as session:
        actor = make_actor(session)
        category_id = taxonomy.ensure_category(session, "Old")
        content_id = make_content(session, actor, category_id=category_id)

    def publish(session: Session) -> None:
        publishing.publish(session, actor, content_id, None)

    def change(session: Session) -> None:
        if named == "author":
            rename_author(session, actor, "New")
        else:
            rename_category(session, actor, category_id, "new")

    order = (publish, change) if first == "publication" else (change, publish)
    one_behind_the_other(sessions, *order)

    with sessions.begin() as session:
        refresh(session)
        assert document(session, content_id)[named]["name"] == "New"


@pytest.mark.parametrize("decision", ["unpublish", "publish"])
def test_a_refresh_behind_an_editor_takes_nothing_of_the_decision_back(
    sessions: sessionmaker[Session], decision: str
) -> None:
    with sessions.begin() as session:
        actor = make_actor(session)
        content_id = make_public(session, actor, title="First")
        content.edit(session, actor, content_id, None, {"title": "Second"})
        rename_author(session, actor, "New")

    def decide(session: Session) -> None:
        getattr(publishing, decision)(session, actor, content_id, None)

    one_behind_the_other(sessions, decide, refresh)

    with sessions() as session:
        if decision == "unpublish":
            assert publication(session, content_id) is None
        else:
            shown = document(session, content_id)
            assert (shown["title"], shown["author"]["name"]) == ("Second", "New")


@pytest.mark.parametrize("decision", ["unpublish", "publish"])
def test_an_editor_behind_a_refresh_has_the_last_word(
    sessions: sessionmaker[Session], decision: str
) -> None:
    with sessions.begin() as session:
        actor = make_actor(session)
        content_id = make_public(session, actor, title="First")
        content.edit(session, actor, content_id, None, {"title": "Second"})
        rename_author(session, actor, "New")

    def decide(session: Session) -> None:
        getattr(publishing, decision)(session, actor, content_id, None)

    one_behind_the_other(sessions, refresh, decide)

    with sessions() as session:
        row = publication(session, content_id)
        assert (None if row is None else row.document["title"]) == (
            None if decision == "unpublish" else "Second"
        )


def test_the_place_of_a_job_says_how_many_documents_it_has_looked_at(session: Session) -> None:
    actor = make_actor(session)
    category_id = taxonomy.ensure_category(session, "Old")
    for _ in range(5):
        make_public(session, actor, category_id=category_id)
    rename_category(session, actor, category_id, "new")
    job = session.scalars(select(Job).where(Job.kind == RefreshPublications.kind)).one()
    message = refresh_batch(session, read_payload(RefreshPublications, job.payload), 2)
    assert message is not None
    job.payload = {**job.payload, **message.model_dump(mode="json")}
    session.flush()
    progress = progress_of(session, "category", category_id)
    assert (progress.state, progress.total, progress.done) == ("waiting", 5, 2)
