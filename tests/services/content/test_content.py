"""Promises about content and its versions."""

import itertools
from functools import partial

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import as_it_is, make_actor, make_content
from tests.services.content.statements import statements_of
from webapp.kit.clock import utc_now
from webapp.kit.roles import RoleName
from webapp.models import Content, ContentVersion, Job, Rendering
from webapp.services.accounts.actors import Actor
from webapp.services.content import category_removal, content, sealing, taxonomy, versions
from webapp.services.content.sealing import Sealing
from webapp.services.content.version_texts import digest_of
from webapp.services.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    StaleRevisionError,
)
from webapp.services.publishing import publishing, schedules
from webapp.services.publishing.schedules import SchedulePlan


def numbers(session: Session, content_id: int) -> list[int]:
    """Return the version numbers of an item, oldest first."""
    lines = versions.list_versions(session, content_id, below=None, limit=100)
    return [line.number for line in reversed(lines)]


def listed(session: Session, actor: Actor, limit: int) -> None:
    """List some items."""
    assert content.list_content(session, actor, status=None, before=None, limit=limit)


def test_every_save_is_a_version_with_the_text_that_was_saved(session: Session) -> None:
    actor = make_actor(session)
    content_id = make_content(session, actor, title="One", body="first", tags=("B", "a"))

    content.edit(session, actor, content_id, {1}, {"body": "second", "tags": ["c"]})

    first = versions.get_version(session, content_id, 1)
    second = versions.get_version(session, content_id, 2)
    assert (first.body, first.tags) == ("first", ["a", "b"])
    assert (second.body, second.tags) == ("second", ["c"])
    kept = select(ContentVersion.digest).where(ContentVersion.id == second.id)
    assert digest_of(second, second.tags) == session.scalar(kept)
    sealing = select(func.count()).select_from(Job).where(Job.kind == "version.seal")
    assert session.scalar(sealing) == 2


def test_a_save_that_changes_nothing_makes_no_version(session: Session) -> None:
    actor = make_actor(session)
    content_id = make_content(session, actor, title="Same", tags=("a",))

    content.edit(session, actor, content_id, {1}, {"title": "Same", "tags": ["a"]})

    assert numbers(session, content_id) == [1]
    assert content.get(session, actor, content_id).content.revision == 1


def test_true_is_not_one(session: Session) -> None:
    actor = make_actor(session)
    content_id = make_content(session, actor, metadata={"flags": [True]})

    content.edit(session, actor, content_id, {1}, {"metadata": {"flags": [1]}})

    kept = versions.get_version(session, content_id, 2).details
    assert kept["flags"][0] == 1
    assert kept["flags"][0] is not True


def test_what_is_offered_to_who_comes_too_late_keeps_nobody_waiting(
    sessions: sessionmaker[Session],
) -> None:
    with sessions.begin() as session:
        actor = make_actor(session)
        content_id = make_content(session, actor)
        content.edit(session, actor, content_id, {1}, {"title": "Newer"})

    with sessions() as late, sessions() as other:
        with pytest.raises(StaleRevisionError):
            content.edit(late, actor, content_id, {1}, {"title": "Older"}, base_version=1)
        free = select(Content.id).where(Content.id == content_id)
        assert other.scalar(free.with_for_update(skip_locked=True)) == content_id


def test_an_edit_of_what_has_changed_since_is_refused(session: Session) -> None:
    actor = make_actor(session)
    content_id = make_content(session, actor)
    content.edit(session, actor, content_id, {1}, {"title": "Newer"})

    with pytest.raises(StaleRevisionError):
        content.edit(session, actor, content_id, {1}, {"title": "Older"})

    assert content.get(session, actor, content_id).content.title == "Newer"


def test_a_restore_is_a_new_version_and_leaves_the_public_alone(session: Session) -> None:
    actor = make_actor(session)
    content_id = make_content(session, actor, title="Old", body="old", tags=("x",))
    content.edit(session, actor, content_id, None, {"title": "New", "body": "new", "tags": []})
    publishing.publish(session, actor, content_id, None)

    content.restore(session, actor, content_id, None, 1)

    view = content.get(session, actor, content_id)
    assert (view.content.title, view.content.body, view.content.version) == ("Old", "old", 3)
    assert [tag.slug for tag in view.tags] == ["x"]
    assert view.is_public
    assert numbers(session, content_id) == [1, 2, 3]
    assert versions.get_version(session, content_id, 3).reason == "restore"


def test_what_is_public_or_scheduled_cannot_be_trashed(session: Session) -> None:
    actor = make_actor(session)
    public = make_content(session, actor)
    publishing.publish(session, actor, public, None)
    scheduled = make_content(session, actor)
    schedules.create(session, actor, scheduled, None, SchedulePlan("publish", utc_now()))

    for content_id in (public, scheduled):
        with pytest.raises(ConflictError):
            content.trash(session, actor, content_id, None)


def test_the_trash_keeps_the_text_and_gives_it_back(session: Session) -> None:
    actor = make_actor(session)
    content_id = make_content(session, actor, body="kept")
    content.trash(session, actor, content_id, None)
    with pytest.raises(ConflictError):
        content.edit(session, actor, content_id, None, {"body": "changed"})
    assert content.list_content(session, actor, status=None, before=None, limit=10) == []

    content.untrash(session, actor, content_id, None)

    assert content.get(session, actor, content_id).content.body == "kept"


def test_authors_see_their_own_and_editors_see_all(session: Session) -> None:
    author, other = make_actor(session, RoleName.AUTHOR), make_actor(session, RoleName.AUTHOR)
    editor = make_actor(session, RoleName.EDITOR)
    content_id = make_content(session, author)

    assert content.get(session, editor, content_id).content.id == content_id
    with pytest.raises(NotFoundError):
        content.get(session, other, content_id)
    with pytest.raises(NotFoundError):
        content.edit(session, other, content_id, None, {"title": "Mine now"})


def test_an_unknown_category_is_named(session: Session) -> None:
    with pytest.raises(InvalidInputError, match="category_id"):
        make_content(session, make_actor(session), category_id=10**12)


def test_a_list_costs_the_same_number_of_queries_for_any_length(session: Session) -> None:
    actor = make_actor(session)
    for _ in range(12):
        make_content(session, actor, tags=("a", "b"))
    counts = []
    for limit in (2, 12):
        session.expunge_all()
        statements = statements_of(session, partial(listed, session, actor, limit))
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 5


def test_sealing_counts_words_and_finds_a_text_that_was_tampered_with(session: Session) -> None:
    actor = make_actor(session)
    content_id = make_content(session, actor, body="one two three")
    content.edit(session, actor, content_id, None, {"body": "one four three five"})
    rows = select(ContentVersion).where(ContentVersion.content_id == content_id)
    first, second = session.scalars(rows.order_by(ContentVersion.number)).all()

    assert sealing.seal_versions(session, [second.id], seconds=60) == Sealing()
    session.refresh(second)
    assert (second.words, second.words_added, second.words_removed) == (4, 2, 1)

    first.body = "not what was saved"
    session.flush()
    assert sealing.seal_versions(session, [first.id], seconds=60) == Sealing(damaged={first.id})
    session.refresh(first)
    assert first.sealed_at is None


def test_the_newest_version_always_holds_the_text_of_the_item(session: Session) -> None:
    actor = make_actor(session)
    content_id = make_content(session, actor)
    for title in ("a", "b", "c"):
        content.edit(session, actor, content_id, None, {"title": title})
    row = session.get_one(Content, content_id)
    newest = versions.get_version(session, content_id, row.version)
    assert (newest.number, newest.title) == (row.version, row.title) == (4, "c")


def test_a_text_of_nothing_but_long_compounds_can_be_published(session: Session) -> None:
    letters = [chr(0x10400 + number) for number in range(40)]
    words = ["".join(word) for word in itertools.product(letters, repeat=3)]
    pairs = zip(words[::2], words[1::2], strict=True)
    actor = make_actor(session)
    content_id = make_content(session, actor, body=" ".join(map("-".join, pairs)))

    publishing.publish(session, actor, content_id, None)

    found = Rendering.search.op("@@")(func.to_tsquery("simple", words[0]))
    assert session.scalar(select(func.count()).select_from(Rendering).where(found)) == 1


def test_a_list_leaves_the_bodies_where_they_are(session: Session) -> None:
    actor = make_actor(session)
    content_id = make_content(session, actor, body="long")
    session.expunge_all()

    (view,) = content.list_content(session, actor, status=None, before=None, limit=10)

    with pytest.raises(InvalidRequestError):
        _ = view.content.body
    assert content.get(session, actor, content_id).content.body == "long"


def test_an_item_whose_category_goes_while_it_is_read_has_none(
    sessions: sessionmaker[Session],
) -> None:
    with sessions.begin() as session:
        actor = make_actor(session)
        category_id = taxonomy.ensure_category(session, "News")
        content_id = make_content(session, actor, category_id=category_id)
    with sessions() as reader:
        item = reader.get_one(Content, content_id)
        with sessions.begin() as session:
            category_removal.delete_category(session, actor, category_id, as_it_is)
        (view,) = content.describe(reader, [item])
    assert view.category is None
