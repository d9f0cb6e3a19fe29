"""Promises about categories that go: nothing that stood in one is lost on the way."""

import json

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from tests.at_once import at_once
from tests.factories import as_it_is, make_actor, make_content
from tests.services.content.test_category_tree import chain, make
from tests.services.publishing.test_refresh import document, refresh
from webapp.models import (
    ActivityLog,
    Category,
    CategoryAlias,
    Content,
    ContentVersion,
    Event,
    Follow,
    ImportedCategory,
    Publication,
)
from webapp.services.accounts.actors import Actor
from webapp.services.audience import follows
from webapp.services.audience.follows import Target
from webapp.services.content import (
    aliases,
    category_removal,
    content,
    taxonomy,
    version_checks,
    versions,
)
from webapp.services.content.category_tree import MOST_LEVELS
from webapp.services.content.taxonomy import CategoryChanges
from webapp.services.errors import ConflictError, InvalidInputError, ServiceError
from webapp.services.interchange import categories
from webapp.services.publishing import publishing


def merge(session: Session, actor: Actor, category_id: int, into_id: int) -> None:
    """Merge a category into another one."""
    category_removal.merge_category(session, actor, category_id, as_it_is, into_id)


def make_public(session: Session, actor: Actor, category_id: int) -> int:
    """Publish an item in a category and return its id."""
    content_id = make_content(session, actor, category_id=category_id)
    publishing.publish(session, actor, content_id, None)
    return content_id


def test_a_merge_takes_everything_along(session: Session) -> None:
    actor = make_actor(session)
    readers = [make_actor(session) for _ in range(3)]
    source, target = make(session, actor, "Source"), make(session, actor, "Target")
    below = make(session, actor, "Below", source)
    public, draft = make_public(session, actor, source), make_content(session, actor)
    content.edit(session, actor, draft, None, {"category_id": source})
    content.edit(session, actor, draft, None, {"category_id": None})
    for reader, followed in zip(readers, [[source], [source, target], [target]], strict=True):
        for category_id in followed:
            follows.follow(session, reader, Target.CATEGORY, category_id)
    session.add(ImportedCategory(name="There", slug="", category_id=source))

    merge(session, actor, source, target)
    refresh(session)

    assert session.get(Category, source) is None
    assert session.get_one(Content, public).category_id == target
    kept = select(ContentVersion.category_id).where(ContentVersion.content_id == draft)
    assert set(session.scalars(kept)) == {None, target}
    shown = document(session, public)["category"]
    assert shown == {"id": target, "slug": "target", "name": "Target"}
    assert taxonomy.get_category(session, below).parent_id == target
    followers = select(Follow.user_id).where(Follow.category_id == target).order_by(Follow.user_id)
    assert list(session.scalars(followers)) == [reader.user_id for reader in readers]
    assert session.scalars(select(Event.category_id)).one() == target
    assert categories.category_of(session, "There", None).id == target


def test_a_merge_leaves_every_version_intact(session: Session) -> None:
    actor = make_actor(session)
    source, target = make(session, actor, "Source"), make(session, actor, "Target")
    content_id = make_content(session, actor, category_id=source)
    content.edit(session, actor, content_id, None, {"title": "Again"})
    merge(session, actor, source, target)
    session.expire_all()
    for number in (1, 2):
        assert versions.get_version(session, content_id, number).category_id == target
    content.edit(session, actor, content_id, None, {"category_id": None})
    content.restore(session, actor, content_id, None, 1)
    assert session.get_one(Content, content_id).category_id == target
    checked = version_checks.check_next(session, 0)
    assert checked is not None
    assert (checked.checked, checked.damaged) == (4, [])


def test_former_slugs_of_public_categories_are_found_and_those_of_secret_ones_are_not(
    session: Session,
) -> None:
    actor = make_actor(session)
    first, second, third = (make(session, actor, name) for name in ("First", "Second", "Third"))
    secret = taxonomy.ensure_category(session, "Secret")
    merge(session, actor, first, second)
    merge(session, actor, secret, second)
    merge(session, actor, second, third)
    rows = session.scalars(select(CategoryAlias))
    found = {alias.slug: alias.category_id for alias in rows}
    assert found == {"first": third, "second": third}


def test_a_renamed_category_keeps_its_slugs_and_may_have_one_of_them_again(
    session: Session,
) -> None:
    actor = make_actor(session)
    category_id, other = make(session, actor, "First"), make(session, actor, "Other")

    def rename(category_id: int, slug: str) -> None:
        changes = CategoryChanges(slug.title(), slug, "", None)
        taxonomy.change_category(session, actor, category_id, as_it_is, changes)

    rename(category_id, "second")
    with pytest.raises(ConflictError, match="still found under it"):
        rename(other, "first")
    with pytest.raises(ConflictError, match="still found under it"):
        taxonomy.create_category(session, actor, CategoryChanges("New", "first", "", None))
    assert taxonomy.get_category(session, make(session, actor, "First")).slug == "first-2"
    assert taxonomy.add_category(session, "First", slug="first") is not None
    rename(category_id, "first")
    assert list(session.scalars(select(CategoryAlias.slug))) == ["second"]


def test_a_merge_of_what_was_public_into_a_secret_one_shows_that(session: Session) -> None:
    actor = make_actor(session)
    public = make(session, actor, "Public")
    above = taxonomy.ensure_category(session, "Above")
    secret = taxonomy.ensure_category(session, "Secret", parent_id=above)
    merge(session, actor, public, secret)
    assert all(taxonomy.get_category(session, one).was_public for one in (above, secret))


def test_a_merge_that_makes_no_sense_is_refused(session: Session) -> None:
    actor = make_actor(session)
    deep = chain(session, actor, "Deep", MOST_LEVELS)
    pair = chain(session, actor, "Pair", 2)
    for into_id, reason in [
        (pair[0], "itself"), (pair[1], "inside"), (10**9, "no such category"),
    ]:  # fmt: skip
        with pytest.raises(InvalidInputError, match=reason):
            merge(session, actor, pair[0], into_id)
    with pytest.raises(ConflictError, match="levels"):
        merge(session, actor, pair[0], deep[-1])
    merge(session, actor, pair[0], deep[-2])


def test_a_deletion_hands_items_to_the_category_that_it_names(session: Session) -> None:
    actor, reader = make_actor(session), make_actor(session)
    source, target = make(session, actor, "Source"), make(session, actor, "Target")
    below = make(session, actor, "Below", source)
    public = make_public(session, actor, source)
    follows.follow(session, reader, Target.CATEGORY, source)

    category_removal.delete_category(session, actor, source, as_it_is, reassign_to=target)
    refresh(session)

    assert document(session, public)["category"]["id"] == target
    assert taxonomy.get_category(session, below).parent_id == target
    assert session.scalar(select(func.count()).select_from(Follow)) == 0
    assert session.scalar(select(CategoryAlias.slug)) is None
    line = select(ActivityLog.details).where(ActivityLog.action == "category.delete")
    assert session.scalars(line).one() == {
        "name": "Source", "slug": "source", "items": 1, "categories": 1, "reassigned_to": target,
    }  # fmt: skip


def test_a_category_in_use_is_kept_where_only_an_unused_one_may_go(session: Session) -> None:
    actor = make_actor(session)
    used, unused = make(session, actor, "Used"), make(session, actor, "Unused")
    make_content(session, actor, category_id=used)
    make(session, actor, "Below", used)
    with pytest.raises(ConflictError, match="1 items and 1 categories"):
        category_removal.delete_category(session, actor, used, as_it_is, only_unused=True)
    category_removal.delete_category(session, actor, unused, as_it_is, only_unused=True)
    assert session.get(Category, unused) is None


def test_two_merges_into_each_other_leave_one_of_them_with_everything(
    sessions: sessionmaker[Session],
) -> None:
    with sessions.begin() as session:
        actor = make_actor(session)
        pair = [make(session, actor, name) for name in ("Left", "Right")]
        items = [make_public(session, actor, pair[turn % 2]) for turn in range(6)]

    def cross(which: int) -> str:
        try:
            with sessions.begin() as session:
                merge(session, actor, pair[which], pair[1 - which])
        except ServiceError as error:
            return str(error)
        return "merged"

    assert at_once(cross, 2) == ["into_id: there is no such category", "merged"]
    with sessions() as session:
        stays = session.scalars(select(Category.id)).one()
        for column in (Content.category_id, ContentVersion.category_id, Publication.category_id):
            assert list(session.scalars(select(column))) == [stays] * len(items)


def test_merges_at_once_with_saves_and_publications_lose_no_item(
    sessions: sessionmaker[Session],
) -> None:
    with sessions.begin() as session:
        actor = make_actor(session)
        target = make(session, actor, "Target")
    for turn in range(6):
        with sessions.begin() as session:
            source = make(session, actor, f"Source {turn}")
            standing = make_content(session, actor, category_id=source)

        def work(which: int, source: int = source, standing: int = standing) -> str:
            try:
                with sessions.begin() as session:
                    if which == 0:
                        merge(session, actor, source, target)
                    elif which == 1:
                        make_content(session, actor, category_id=source)
                    elif which == 2:
                        content.edit(session, actor, standing, None, {"title": "Another"})
                    else:
                        publishing.publish(session, actor, standing, None)
            except InvalidInputError as error:
                return json.dumps(error.reason)
            return "done"

        assert set(at_once(work, 4)) <= {"done", json.dumps("there is no such category")}
        with sessions() as session:
            assert session.get(Category, source) is None
            item = session.get_one(Content, standing)
            assert (item.category_id, item.title, item.status) == (target, "Another", "published")
            for column in (Content.category_id, ContentVersion.category_id):
                assert set(session.scalars(select(column))) == {target}
            assert set(session.scalars(select(Publication.category_id))) == {target}


def test_no_slug_names_two_categories_whoever_is_first(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        actor = make_actor(session)
        category_id = make(session, actor, "Word")

    def work(which: int) -> str:
        try:
            with sessions.begin() as session:
                if which == 0:
                    changes = CategoryChanges("Words", "words", "", None)
                    taxonomy.change_category(session, actor, category_id, as_it_is, changes)
                else:
                    changes = CategoryChanges("Other", "word", "", None)
                    taxonomy.create_category(session, actor, changes)
        except ConflictError:
            return "refused"
        return "done"

    assert at_once(work, 2) == ["done", "refused"]
    with sessions() as session:
        both = select(Category.slug).union_all(select(CategoryAlias.slug))
        slugs = list(session.scalars(both))
        assert len(slugs) == len(set(slugs))
        with pytest.raises(ConflictError):
            aliases.require_free(session, "word")
