"""Promises about schedules whose pinned version has no rendering at its moment."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import make_actor, make_content
from tests.services.publishing.test_publishing import fire, publication, schedule_due, state_of
from tests.services.publishing.test_refresh import wait_until_blocked
from webapp.adapters.rendering import configure_rendering, rendering_processes
from webapp.kit.rendering.refusals import RenderingRefusedError
from webapp.models import Content, ContentVersion, Rendering, Schedule
from webapp.services.accounts.actors import Actor
from webapp.services.errors import UnavailableError
from webapp.services.publishing import publishing
from webapp.settings import Settings

LEFT_OPEN = "".join(f'<b title="{n}">' for n in range(700)) + "<p>x" * 1500
LONG = ("*some* words of `prose` and [more](/x)\n" * 40 + "\n") * 1200


def schedule_unrendered(session: Session, actor: Actor, body: str) -> tuple[int, int]:
    """Schedule an item whose version has no rendering; returns the ids of both."""
    content_id = make_content(session, actor)
    schedule_id = schedule_due(session, actor, content_id)
    version_id = session.get_one(Schedule, schedule_id).version_id
    session.execute(delete(Rendering).where(Rendering.version_id == version_id))
    session.execute(update(ContentVersion).where(ContentVersion.id == version_id).values(body=body))
    session.expire_all()
    return content_id, schedule_id


def test_a_version_that_cannot_be_rendered_fails_alone_with_its_reason(session: Session) -> None:
    actor = make_actor(session)
    ready = schedule_due(session, actor, make_content(session, actor))
    late_id, late = schedule_unrendered(session, actor, "Rendered *late*.")
    refused_id, refused = schedule_unrendered(session, actor, LEFT_OPEN)
    shown = make_content(session, actor)
    publishing.publish(session, actor, shown, None)
    gone = schedule_due(session, actor, shown, action="unpublish")

    result = fire(session, ready, late, refused, gone)

    assert sorted(result.fired) == [ready, late, gone]
    assert list(result.failed) == [refused]
    public = publication(session, late_id)
    assert public is not None
    assert "<em>late</em>" in public.document["html"]
    assert publication(session, refused_id) is None
    failed = session.get_one(Schedule, refused)
    assert failed.state == "failed"
    assert "Close them where they end." in str(failed.failure)


def test_a_renderer_that_is_busy_puts_off_what_it_did_not_render(
    session: Session, settings: Settings
) -> None:
    actor = make_actor(session)
    ready = schedule_due(session, actor, make_content(session, actor))
    _, late = schedule_unrendered(session, actor, "Rendered *late*.")
    _, alone = schedule_unrendered(session, actor, "Rendered alone.")
    changes = {"rendering_processes": 1, "rendering_wait_seconds": 0, "rendering_cpu_seconds": 3}
    configure_rendering(settings.model_copy(update=changes))
    processes = rendering_processes()

    def keep_busy() -> None:
        with pytest.raises(RenderingRefusedError):
            processes.render("markdown", LONG)

    busy = threading.Thread(target=keep_busy)
    try:
        busy.start()
        while processes._places.acquire(blocking=False):
            processes._places.release()
            time.sleep(0.001)
        result = fire(session, ready, late)
        assert (result.fired, result.postponed, result.failed) == ([ready], [late], {})
        assert state_of(session, late) == "pending"
        # Where there is nothing else in it, the job is tried again later.
        with pytest.raises(UnavailableError):
            fire(session, alone)
    finally:
        busy.join()
        configure_rendering(settings)
    assert fire(session, alone).fired == [alone]


def test_a_rendering_that_goes_while_its_item_is_waited_for_is_made_anew(
    sessions: sessionmaker[Session],
) -> None:
    with sessions.begin() as session:
        actor = make_actor(session)
        content_id = make_content(session, actor, body="Rendered *again*.")
        schedule_id = schedule_due(session, actor, content_id)
        beside = schedule_due(session, actor, make_content(session, actor))
        version_id = session.get_one(Schedule, schedule_id).version_id

    def fire_both() -> None:
        with sessions.begin() as session:
            fire(session, schedule_id, beside)

    with ThreadPoolExecutor() as pool:
        with sessions.begin() as session:
            session.execute(select(Content.id).where(Content.id == content_id).with_for_update())
            firing = pool.submit(fire_both)
            wait_until_blocked(sessions, firing)
            session.execute(delete(Rendering).where(Rendering.version_id == version_id))
        with pytest.raises(UnavailableError):
            firing.result()

    with sessions() as session:
        statuses = session.scalars(select(Content.status)).all()
        assert (statuses, publication(session, content_id)) == (["draft", "draft"], None)
        assert {state_of(session, each) for each in (schedule_id, beside)} == {"handed"}
    fire_both()
    with sessions() as session:
        public = publication(session, content_id)
        assert public is not None
        assert "<em>again</em>" in public.document["html"]
