"""Promises of the one statement that a save is."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session, sessionmaker
from structlog.contextvars import bound_contextvars

from tests.factories import make_actor, make_content
from tests.patience import HANG_SECONDS
from webapp.jobs.messages import SealVersion
from webapp.jobs.outbox import enqueue
from webapp.models import ContentVersion, Job
from webapp.services.accounts.actors import Actor
from webapp.services.content import content
from webapp.services.content.version_texts import digest_of

BLOCKED = text("SELECT count(*) FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0")
COLUMNS = (
    Job.queue, Job.kind, Job.dedupe_key, Job.payload, Job.state, Job.starts, Job.max_starts,
    Job.request_id,
)  # fmt: skip


def test_a_save_writes_the_job_that_the_outbox_would_write(session: Session) -> None:
    jobs = select(*COLUMNS).where(Job.kind == SealVersion.kind)
    with bound_contextvars(request_id="of the save"):
        content_id = make_content(session, make_actor(session))
        version_id = session.scalars(
            select(ContentVersion.id).where(ContentVersion.content_id == content_id)
        ).one()
        by_the_save = session.execute(jobs).one()
        session.query(Job).delete()
        enqueue(session, SealVersion(version_id=version_id))
    assert session.execute(jobs).one() == by_the_save


@pytest.mark.parametrize(
    "written",
    [
        '{"n": -0.0}', '{"n": [0.0, {"m": -0.0}]}', '{"n": 1.0}', '{"n": 1e2}', '{"n": 1e-9}',
        '{"n": 0.1}', '{"n": 9007199254740991}', '{"n": -5e-324}', '{"b": true, "a": 1, "é": "ß"}',
    ],
)  # fmt: skip
def test_the_digest_of_a_save_is_of_what_the_database_gives_back(
    session: Session, written: str
) -> None:
    actor = make_actor(session)
    made = make_content(session, actor, metadata=json.loads(written))
    edited = make_content(session, actor)
    content.edit(session, actor, edited, None, {"metadata": json.loads(written)})
    for version in session.scalars(select(ContentVersion)):
        assert version.digest == digest_of(version, version.tags)
    kept = select(ContentVersion.content_id).where(ContentVersion.details != {})
    assert set(session.scalars(kept)) == {made, edited}


def test_an_edit_that_waited_for_another_knows_the_tags_of_that_one(
    sessions: sessionmaker[Session],
) -> None:
    with sessions.begin() as session:
        actor = make_actor(session)
        content_id = make_content(session, actor, tags=("First",))
    with sessions() as holder, sessions() as watch, ThreadPoolExecutor(1) as threads:
        content.edit(holder, actor, content_id, None, {"tags": ["Second"]})
        waiting = threads.submit(_edit_title, sessions, actor, content_id)
        while not watch.scalar(BLOCKED) and not waiting.done():
            watch.rollback()
        assert not waiting.done()
        holder.commit()
        waiting.result(HANG_SECONDS)
    with sessions() as session:
        versions = select(ContentVersion).order_by(ContentVersion.number)
        kept = session.scalars(versions).all()
    assert [(version.title, version.tags) for version in kept[1:]] == [
        (kept[0].title, ["second"]),
        ("Other", ["second"]),
    ]


def _edit_title(sessions: sessionmaker[Session], actor: Actor, content_id: int) -> None:
    with sessions.begin() as session:
        content.edit(session, actor, content_id, None, {"title": "Other"})
