"""Promises of the index of working copies: it follows the saves, and what was there is filled."""

from threading import Barrier

import pytest
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import Session, sessionmaker

from tests.at_once import at_once
from tests.factories import make_actor, make_content, run_ready_jobs
from webapp.models import Content, ContentVersion, Job, Rendering, SearchDocument
from webapp.services.content import content, draft_index, sealing
from webapp.services.content.version_texts import read_intact
from webapp.services.operations import backfills
from webapp.services.publishing import publishing
from workers.context import WorkerContext

SEALED = {"version.seal"}


def is_found(session: Session, word: str) -> list[int]:
    """Return the items that the index finds by a word."""
    found = text("SELECT content_id FROM search_documents WHERE words @@ CAST(:word AS tsquery)")
    return list(session.scalars(found, {"word": f"'{word}'"}))


def version_ids(session: Session, content_id: int) -> list[int]:
    """Return the ids of an item's versions, oldest first."""
    statement = select(ContentVersion.id).where(ContentVersion.content_id == content_id)
    return list(session.scalars(statement.order_by(ContentVersion.number)))


def test_the_worker_that_seals_a_version_has_its_item_found_by_it(
    sessions: sessionmaker[Session], worker: WorkerContext
) -> None:
    with sessions.begin() as session:
        actor = make_actor(session)
        item = make_content(session, actor, body="lantern", tags=("Glass House",))
        content.edit(session, actor, item, None, {"body": "zebra"})
    run_ready_jobs(worker, kinds=SEALED)
    run_ready_jobs(worker, kinds=SEALED)
    with sessions() as session:
        assert is_found(session, "zebra") == is_found(session, "glass") == [item]
        assert is_found(session, "lantern") == []
        assert session.get_one(SearchDocument, item).number == 2


def test_of_two_versions_that_are_indexed_at_once_the_newer_one_stays(
    sessions: sessionmaker[Session],
) -> None:
    with sessions.begin() as session:
        actor = make_actor(session)
        item = make_content(session, actor, body="first")
    read, written = Barrier(2), Barrier(2)

    def index(turn: int) -> str:
        """Let the older version be read before the newer one is there, and written behind it."""
        with sessions.begin() as session:
            if turn == 0:
                (older,) = version_ids(session, item)
                versions = read_intact(session, ContentVersion.id == older)
                read.wait()
                written.wait()
                draft_index.keep(session, versions)
            else:
                read.wait()
                content.edit(session, actor, item, None, {"body": "second"})
                draft_index.index_versions(session, version_ids(session, item), seconds=60)
                session.commit()
                written.wait()
        return "done"

    assert at_once(index, 2) == ["done", "done"]
    with sessions() as session:
        assert is_found(session, "second") == [item]
        assert is_found(session, "first") == []


def test_an_item_that_somebody_holds_is_not_waited_for_and_found_a_moment_later(
    sessions: sessionmaker[Session], worker: WorkerContext
) -> None:
    with sessions.begin() as session:
        actor = make_actor(session)
        held, other = (make_content(session, actor, body="lantern") for _ in range(2))
    with sessions.begin() as holder:
        # A merge of categories, say, holds items and waits for their versions.
        holder.execute(select(Content.id).where(Content.id == held).with_for_update())
        run_ready_jobs(worker, kinds=SEALED)
        holder.execute(update(ContentVersion).where(ContentVersion.content_id == held)
                       .values(category_id=None))  # fmt: skip
    with sessions.begin() as session:
        assert is_found(session, "lantern") == [other]
        session.execute(update(Job).values(run_at=func.now()))
    run_ready_jobs(worker, kinds=SEALED)
    with sessions() as session:
        assert sorted(is_found(session, "lantern")) == [held, other]


def test_what_there_is_no_time_for_is_tried_again(
    sessions: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    with sessions.begin() as session:
        actor = make_actor(session)
        items = [make_content(session, actor, body="lantern") for _ in range(3)]
        ids = [version_id for item in items for version_id in version_ids(session, item)]
    monkeypatch.setattr(draft_index, "_READ_AT_ONCE", 1)
    with sessions.begin() as session:
        assert draft_index.index_versions(session, ids, seconds=-1) == set(ids)
        assert is_found(session, "lantern") == []
    with sessions.begin() as session:
        assert draft_index.index_versions(session, ids, seconds=60) == set()
        assert sorted(is_found(session, "lantern")) == items


def test_an_item_that_goes_takes_its_words_along(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        item = make_content(session, make_actor(session), body="lantern")
        draft_index.index_range(session, 0, item)
        assert is_found(session, "lantern") == [item]
        session.execute(delete(Content).where(Content.id == item))
    with sessions() as session:
        assert is_found(session, "lantern") == []


def test_a_damaged_text_keeps_no_other_from_being_found(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        actor = make_actor(session)
        damaged, other = (make_content(session, actor, body=word) for word in ("lantern", "zebra"))
        ids = [version_ids(session, item)[0] for item in (damaged, other)]
        sealing.pack_range(session, 0, max(ids))
        session.execute(
            update(ContentVersion).where(ContentVersion.id == ids[0]).values(packed=b"nothing")
        )
        draft_index.index_versions(session, ids, seconds=60)
        assert is_found(session, "zebra") == [other]
        assert is_found(session, "lantern") == []


def test_the_backfills_fill_what_was_there_before(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        actor = make_actor(session)
        items = [
            make_content(session, actor, body=f"lantern {number}", metadata={"language": "en"})
            for number in range(3)
        ]
        for item in items:
            publishing.publish(session, actor, item, None)
        session.execute(update(Rendering).values(words=None, language=None))
        session.execute(text("ANALYZE renderings, content"))
    for backfill in (backfills.INDEX_RENDERINGS, backfills.INDEX_DRAFTS):
        for _ in range(2):
            with sessions.begin() as session:
                backfills.start(session, backfill.name)
        while True:
            with sessions.begin() as session:
                if backfills.run_batch(session, backfill):
                    break
    with sessions() as session:
        assert sorted(is_found(session, "=enlantern")) == items
        assert set(session.scalars(select(Rendering.language))) == {"en"}
        assert session.scalar(text("SELECT count(*) FROM renderings WHERE words IS NULL")) == 0
