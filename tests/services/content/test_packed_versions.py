"""Promises about packed versions: each says what was saved, or says that it cannot."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker
from structlog.testing import capture_logs

from tests.factories import make_actor, make_content
from tests.services.content.versions_in_numbers import (
    ids_of,
    make_versions,
    seal_all,
    switch_on,
)
from webapp.models import ContentVersion, Rendering
from webapp.services.content import content, sealing, version_checks, versions
from webapp.services.content.packed_chains import KEYFRAME_EVERY, number_of_reference
from webapp.services.content.sealing import Sealing
from webapp.services.errors import DamagedVersionError
from webapp.services.publishing import publishing

PACKED = func.count(ContentVersion.packed)


def rows_of(session: Session, content_id: int) -> list[ContentVersion]:
    """Return the rows of an item's versions, oldest first."""
    session.expire_all()
    rows = select(ContentVersion).where(ContentVersion.content_id == content_id)
    return list(session.scalars(rows.order_by(ContentVersion.number)))


def bodies_of(session: Session, content_id: int, number: int) -> list[str]:
    """Return the bodies of so many versions, as a reader gets them."""
    return [versions.get_version(session, content_id, n + 1).body for n in range(number)]


def test_no_version_lies_more_than_four_deltas_deep() -> None:
    for number in range(1, 3 * KEYFRAME_EVERY):
        depth, at = 0, number
        while (reference := number_of_reference(at)) is not None:
            assert (at - 1) // KEYFRAME_EVERY == (reference - 1) // KEYFRAME_EVERY
            assert reference < at
            depth, at = depth + 1, reference
        assert depth <= 4


def test_nothing_is_packed_before_an_operator_says_so(session: Session) -> None:
    content_id, bodies = make_versions(session, 5)
    assert seal_all(session, content_id) == Sealing()
    assert [row.packed for row in rows_of(session, content_id)] == [None] * 5
    assert bodies_of(session, content_id, 5) == bodies


def test_packed_versions_read_as_they_were_saved(session: Session) -> None:
    number = KEYFRAME_EVERY + 6
    content_id, bodies = make_versions(session, number)
    before = [versions.get_version(session, content_id, n + 1) for n in range(number)]
    switch_on(session)
    assert seal_all(session, content_id) == Sealing()

    rows = rows_of(session, content_id)
    assert all(row.body is None and row.excerpt == "" and row.sealed_at for row in rows)
    keyframes = [row.number for row in rows if row.reference_id is None]
    assert keyframes == [1, 129]
    assert all(len(row.packed or b"") < 2_500 for row in rows if row.reference_id is not None)
    after = [versions.get_version(session, content_id, n + 1) for n in range(number)]
    assert [version.body for version in after] == bodies
    texts = [(v.title, v.slug, v.body_format, v.excerpt, v.tags, v.details) for v in after]
    assert texts == [(v.title, v.slug, v.body_format, v.excerpt, v.tags, v.details) for v in before]
    assert all(version.words for version in after)
    assert version_checks.check_next(session, 0) == version_checks.CheckedVersions(
        until_id=rows[49].id, checked=50, packed=50, damaged=[]
    )


def test_a_version_that_is_sealed_before_its_neighbours_is_packed_all_the_same(
    session: Session,
) -> None:
    content_id, bodies = make_versions(session, 20)
    switch_on(session)
    ids = ids_of(session, content_id)
    random.Random(5).shuffle(ids)
    for version_id in ids:
        assert sealing.seal_versions(session, [version_id], seconds=60) == Sealing()
    assert bodies_of(session, content_id, 20) == bodies
    deltas = [row for row in rows_of(session, content_id) if row.reference_id is not None]
    assert len(deltas) == 19


def test_a_rewritten_text_is_packed_alone(session: Session) -> None:
    actor = make_actor(session)
    content_id = make_content(session, actor, body="a b c d e f g h i j k l " * 40)
    content.edit(session, actor, content_id, None, {"body": "quite another text than it was"})
    switch_on(session)
    seal_all(session, content_id)
    assert [row.reference_id for row in rows_of(session, content_id)] == [None, None]


def test_a_text_that_is_not_what_was_saved_is_never_packed_nor_packed_against(
    session: Session,
) -> None:
    content_id, bodies = make_versions(session, 3)
    first, second, third = ids_of(session, content_id)
    session.execute(
        update(ContentVersion).where(ContentVersion.id == first).values(body="not what was saved")
    )
    switch_on(session)
    assert seal_all(session, content_id) == Sealing(damaged={first})
    rows = rows_of(session, content_id)
    assert (rows[0].body, rows[0].sealed_at, rows[0].packed) == ("not what was saved", None, None)
    assert [(row.id, row.reference_id) for row in rows[1:]] == [(second, None), (third, None)]
    assert bodies_of(session, content_id, 3)[1:] == bodies[1:]


@pytest.mark.parametrize(
    "damage",
    [
        "set_byte(packed, 200, 255 - get_byte(packed, 200))",
        "substring(packed FROM 1 FOR 9)",
        "''::bytea",
        "decode('28b52ffd', 'hex')",
    ],
)  # fmt: skip
def test_a_damaged_keyframe_is_named_and_nothing_of_it_served(
    session: Session, damage: str
) -> None:
    content_id, bodies = make_versions(session, 6)
    switch_on(session)
    seal_all(session, content_id)
    keyframe = ids_of(session, content_id)[0]
    session.execute(
        text(f"UPDATE content_versions SET packed = {damage} WHERE id = :id"),
        {"id": keyframe},
    )
    for number in (1, 4, 6):
        with capture_logs() as told, pytest.raises(DamagedVersionError) as raised:
            versions.get_version(session, content_id, number)
        assert f"Version {number} of item {content_id}" in str(raised.value)
        assert [(line["event"], line["number"], line["cause_id"]) for line in told] == [
            ("version.damaged", number, keyframe)
        ]
    checked = version_checks.check_next(session, 0)
    assert checked is not None
    assert [bad.number for bad in checked.damaged] == [1, 2, 3, 4, 5, 6]
    # Whoever saves now goes on; the new version hangs on nothing that is damaged.
    actor = make_actor(session)
    content.edit(session, actor, content_id, None, {"body": f"{bodies[-1]} and more"})
    assert sealing.seal_versions(session, ids_of(session, content_id)[6:], seconds=60) == Sealing()
    assert versions.get_version(session, content_id, 7).body == f"{bodies[-1]} and more"


def test_a_damaged_version_fails_alone_where_it_was_to_be_public(session: Session) -> None:
    content_id, _ = make_versions(session, 2)
    actor = make_actor(session)
    switch_on(session)
    seal_all(session, content_id)
    session.execute(update(ContentVersion).values(packed=b"nothing"))
    with pytest.raises(DamagedVersionError):
        publishing.publish(session, actor, content_id, None)
    with pytest.raises(DamagedVersionError):
        content.restore(session, actor, content_id, None, 1)


def test_packed_versions_are_restored_published_and_searched(session: Session) -> None:
    content_id, bodies = make_versions(session, 8)
    actor = make_actor(session)
    switch_on(session)
    seal_all(session, content_id)
    content.restore(session, actor, content_id, None, 3)
    assert content.get(session, actor, content_id).content.body == bodies[2]
    publishing.publish(session, actor, content_id, None, number=5)
    html = session.scalars(select(Rendering.html)).one()
    assert bodies[4] in html


def test_a_reference_cannot_be_deleted_while_others_hang_on_it(session: Session) -> None:
    content_id, bodies = make_versions(session, 6)
    switch_on(session)
    seal_all(session, content_id)
    ids = ids_of(session, content_id)
    for version_id in (ids[0], ids[4]):
        with pytest.raises(IntegrityError), session.begin_nested():
            session.execute(text("DELETE FROM content_versions WHERE id = :i"), {"i": version_id})
    assert bodies_of(session, content_id, 6) == bodies
    # From the leaves on, and with the item, they go.
    session.execute(text("DELETE FROM content_versions WHERE id = :i"), {"i": ids[5]})
    session.execute(text("DELETE FROM content WHERE id = :i"), {"i": content_id})
    assert session.scalar(select(func.count()).select_from(ContentVersion)) == 0


def test_unpacking_puts_every_text_back(session: Session) -> None:
    content_id, bodies = make_versions(session, 10)
    before = [(row.body, row.excerpt) for row in rows_of(session, content_id)]
    switch_on(session)
    seal_all(session, content_id)
    ids = ids_of(session, content_id)
    sealing.unpack_range(session, ids[2], ids[6])
    assert bodies_of(session, content_id, 10) == bodies
    sealing.unpack_range(session, 0, ids[-1])
    assert [(row.body, row.excerpt) for row in rows_of(session, content_id)] == before
    assert session.scalar(select(PACKED)) == 0
    sealing.pack_range(session, 0, ids[-1])
    assert session.scalar(select(PACKED)) == 10
    assert bodies_of(session, content_id, 10) == bodies


def test_two_workers_pack_neighbours_while_others_save_and_read(
    sessions: sessionmaker[Session],
) -> None:
    with sessions.begin() as session:
        actor = make_actor(session)
        content_id, bodies = make_versions(session, 40, actor=actor)
        ids = ids_of(session, content_id)
        switch_on(session)
    start, is_over = threading.Barrier(4), threading.Event()

    def pack(mine: list[int]) -> None:
        start.wait()
        for at in range(0, len(mine), 4):
            with sessions.begin() as session:
                assert sealing.seal_versions(session, mine[at : at + 4], seconds=60) == Sealing()

    def save() -> None:
        start.wait()
        for edit in range(10):
            with sessions.begin() as session:
                content.edit(session, actor, content_id, None, {"excerpt": f"Edit {edit}."})

    def read() -> None:
        start.wait()
        while not is_over.is_set():
            with sessions() as session:
                assert bodies_of(session, content_id, 40) == bodies

    with ThreadPoolExecutor(4) as pool:
        reader = pool.submit(read)
        # Both workers have all versions, the second from the end on.
        others = [pool.submit(pack, ids), pool.submit(pack, ids[::-1]), pool.submit(save)]
        errors = [other.exception() for other in others]
        is_over.set()
        assert [*errors, reader.exception()] == [None] * 4
    with sessions.begin() as session:
        assert session.scalar(select(PACKED)) == 40
        seal_all(session, content_id)
        assert session.scalar(select(PACKED)) == 50
        assert versions.get_version(session, content_id, 50).excerpt == "Edit 9."
