"""Promises about tags that are renamed, merged and deleted: what was tagged stays found."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from tests.at_once import at_once
from tests.factories import as_it_is, make_actor, make_content
from tests.services.publishing.test_refresh import document, make_public, refresh
from webapp.models import ActivityLog, ContentTag, Event, Follow, Publication, Tag, TagAlias
from webapp.services.accounts.actors import Actor
from webapp.services.audience import follows
from webapp.services.audience.follows import Target
from webapp.services.content import content, item_reads, tag_changes, tagging, version_checks
from webapp.services.content.tag_changes import TagChanges
from webapp.services.errors import ConflictError, InvalidInputError, NotFoundError, ServiceError
from webapp.services.publishing import publishing


def tag_id_of(session: Session, name: str) -> int:
    """Return the id of the tag that a name means."""
    return tagging.ensure_tags(session, [name])[0].id


def rename(session: Session, actor: Actor, tag_id: int, name: str, slug: str | None = None) -> None:
    """Rename a tag."""
    tag_changes.rename_tag(session, actor, tag_id, as_it_is, TagChanges(name, slug))


def merge(session: Session, actor: Actor, name: str, into: str) -> None:
    """Merge the tag that a name means into another one."""
    source, target = tag_id_of(session, name), tag_id_of(session, into)
    tag_changes.merge_tag(session, actor, source, as_it_is, target)


def spelt(session: Session, content_id: int) -> list[str]:
    """Return the tags of an item as it spells them."""
    return [tag.name for tag in item_reads.read_tags(session, content_id)]


def shown(session: Session, content_id: int) -> list[str]:
    """Return the tags in a public document, which the lists go by as well."""
    terms = document(session, content_id)["tags"]
    listed = select(Publication.tags).where(Publication.content_id == content_id)
    assert [term["slug"] for term in terms] == session.scalars(listed).one()
    return [term["name"] for term in terms]


def test_a_new_name_is_that_of_all_items_and_the_former_one_still_means_it(
    session: Session,
) -> None:
    actor = make_actor(session)
    public = make_public(session, actor, tags=("JS", "web"))
    draft = make_content(session, actor, tags=("js",))
    tag_id = tag_id_of(session, "JS")

    rename(session, actor, tag_id, "JavaScript", "javascript")
    refresh(session)

    assert shown(session, public) == ["JavaScript", "web"]
    assert spelt(session, draft) == ["JavaScript"]
    assert tag_id_of(session, "js") == tag_id_of(session, "javascript") == tag_id
    assert tagging.ensure_tags(session, ["js"])[0].name == "JavaScript"
    content.restore(session, actor, draft, None, 1)
    assert spelt(session, draft) == ["JavaScript"]
    line = select(ActivityLog.changes).where(ActivityLog.action == "tag.edit")
    assert session.scalars(line).one() == {
        "name": {"old": "JS", "new": "JavaScript"}, "slug": {"old": "js", "new": "javascript"},
    }  # fmt: skip
    rename(session, actor, tag_id, "JS", "js")
    assert [tag.slug for tag in session.scalars(select(TagAlias))] == ["javascript"]


def test_no_other_tag_gets_a_former_slug(session: Session) -> None:
    actor = make_actor(session)
    tag_id = tag_id_of(session, "C++")
    rename(session, actor, tag_id, "CPP", "cpp")
    assert tagging.ensure_tags(session, ["C"])[0].slug == "c-2"
    assert tag_id_of(session, "c++") == tag_id


def test_a_name_alone_may_change_and_means_the_tag_as_well(session: Session) -> None:
    actor = make_actor(session)
    tag_id = tag_id_of(session, "Colour")
    rename(session, actor, tag_id, "Color")
    assert tag_id_of(session, "colour") == tag_id_of(session, "color") == tag_id
    rename(session, actor, tag_id, "COLOR")
    assert [alias.name for alias in session.scalars(select(TagAlias))] == ["Colour"]


def test_a_merge_folds_what_had_both_and_takes_followers_along(session: Session) -> None:
    actor, one, two = (make_actor(session) for _ in range(3))
    both = make_public(session, actor, tags=("old", "new"))
    old = make_public(session, actor, tags=("old",))
    draft = make_content(session, actor, tags=("old",))
    source, target = tag_id_of(session, "old"), tag_id_of(session, "new")
    for reader, tag_ids in ((one, [source]), (two, [source, target])):
        for tag_id in tag_ids:
            follows.follow(session, reader, Target.TAG, tag_id)

    merge(session, actor, "old", "new")
    refresh(session)

    assert [shown(session, item) for item in (both, old)] == [["new"], ["new"]]
    assert spelt(session, draft) == ["new"]
    followers = select(Follow.user_id).where(Follow.tag_id == target).order_by(Follow.user_id)
    assert list(session.scalars(followers)) == [one.user_id, two.user_id]
    told = session.scalars(select(Event.tag_ids)).all()
    assert {tag_id for ids in told for tag_id in ids} == {target}
    assert tag_id_of(session, "old") == target


def test_versions_of_before_a_merge_are_intact_and_mean_the_merged_tag(session: Session) -> None:
    actor = make_actor(session)
    content_id = make_content(session, actor, tags=("old", "word"))
    content.edit(session, actor, content_id, None, {"tags": []})
    merge(session, actor, "old", "new")
    checked = version_checks.check_next(session, 0)
    assert checked is not None
    assert (checked.checked, checked.damaged) == (2, [])
    publishing.publish(session, actor, content_id, None, number=1)
    assert shown(session, content_id) == ["new", "word"]
    content.restore(session, actor, content_id, None, 1)
    assert sorted(spelt(session, content_id)) == ["new", "word"]


def test_a_deleted_tag_is_gone_from_items_lists_and_readers(session: Session) -> None:
    actor = make_actor(session)
    public = make_public(session, actor, tags=("gone", "kept"))
    tag_id = tag_id_of(session, "gone")
    follows.follow(session, actor, Target.TAG, tag_id)
    tag_changes.delete_tag(session, actor, tag_id, as_it_is)
    refresh(session)
    assert shown(session, public) == ["kept"]
    assert spelt(session, public) == ["kept"]
    assert session.scalar(select(func.count()).select_from(Follow)) == 0


def test_names_and_slugs_of_others_are_refused(session: Session) -> None:
    actor = make_actor(session)
    first, second, third = (tag_id_of(session, name) for name in ("first", "second", "third"))
    rename(session, actor, first, "premier", "premier")
    for name, slug in (("Second", None), ("x", "second"), ("First", None), ("x", "first")):
        with pytest.raises(ConflictError):
            rename(session, actor, third, name, slug)
    for into_id in (second, 10**9):
        with pytest.raises(InvalidInputError):
            tag_changes.merge_tag(session, actor, second, as_it_is, into_id)
    with pytest.raises(NotFoundError):
        tag_changes.delete_tag(session, actor, 10**9, as_it_is)


def test_merges_of_one_tag_and_into_each_other_leave_one(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        actor = make_actor(session)
        ids = [tag_id_of(session, name) for name in ("left", "right")]
        items = [make_public(session, actor, tags=(name,)) for name in ("left", "right")]

    def cross(turn: int) -> str:
        source, target = ids[turn % 2], ids[1 - turn % 2]
        try:
            with sessions.begin() as session:
                tag_changes.merge_tag(session, actor, source, as_it_is, target)
        except ServiceError:
            return "refused"
        return "merged"

    assert at_once(cross, 4) == ["merged", "refused", "refused", "refused"]
    with sessions.begin() as session:
        refresh(session)
        stays = session.scalars(select(Tag.slug)).one()
        assert [shown(session, item) for item in items] == [[stays], [stays]]


def test_saves_and_publications_at_once_with_a_merge_end_with_the_merged_tag(
    sessions: sessionmaker[Session],
) -> None:
    with sessions.begin() as session:
        actor = make_actor(session)
        target = tag_id_of(session, "target")
    for turn in range(5):
        word = f"word{turn}"
        with sessions.begin() as session:
            standing = make_content(session, actor, tags=(word,))

        def work(which: int, word: str = word, standing: int = standing) -> str:
            try:
                with sessions.begin() as session:
                    if which == 0:
                        merge(session, actor, word, "target")
                    elif which == 1:
                        make_content(session, actor, tags=(word, "target"))
                    elif which == 2:
                        content.edit(session, actor, standing, None, {"title": "New"})
                    else:
                        publishing.publish(session, actor, standing, None)
            except IntegrityError:
                return "try again"
            return "done"

        assert set(at_once(work, 4)) <= {"done", "try again"}
        with sessions.begin() as session:
            refresh(session)
            assert session.scalar(select(Tag.id).where(Tag.slug == word)) is None
            assert set(session.scalars(select(ContentTag.tag_id))) == {target}
            assert shown(session, standing) == ["target"]
