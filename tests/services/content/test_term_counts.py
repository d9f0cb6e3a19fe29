"""Promises about counts: what is public is counted for all, a draft only for who may see it."""

from sqlalchemy.orm import Session

from tests.factories import make_actor, make_content
from tests.services.content.test_category_tree import chain
from webapp.kit.roles import RoleName
from webapp.models import Tag
from webapp.services.accounts.actors import Actor
from webapp.services.content import content, term_counts
from webapp.services.content.term_counts import CategoryCounts
from webapp.services.publishing import publishing


def counts(session: Session, viewer: Actor | None, ids: list[int]) -> list[CategoryCounts]:
    """Return the counts of categories in their order."""
    found = term_counts.count_categories(session, viewer, ids)
    return [found[category_id] for category_id in ids]


def test_drafts_are_counted_for_those_alone_who_may_see_them(session: Session) -> None:
    editor = make_actor(session, RoleName.EDITOR)
    author = make_actor(session, RoleName.AUTHOR)
    ids = chain(session, make_actor(session), "Level", 3)
    public = [make_content(session, editor, category_id=at) for at in (ids[0], ids[2], ids[2])]
    for content_id in public:
        publishing.publish(session, editor, content_id, None)
    make_content(session, author, category_id=ids[2])
    trashed = make_content(session, author, category_id=ids[2])
    content.trash(session, author, trashed, None)

    shown = [(1, 3), (0, 2), (2, 2)]
    for viewer in (None, make_actor(session, RoleName.READER)):
        assert counts(session, viewer, ids) == [CategoryCounts(*one) for one in shown]
    for viewer, items in ((author, [0, 0, 1]), (editor, [1, 0, 3])):
        expected = [CategoryCounts(*one, n) for one, n in zip(shown, items, strict=True)]
        assert counts(session, viewer, ids) == expected

    # What went public counts where it is public, wherever its draft stands by now.
    content.edit(session, editor, public[0], None, {"category_id": ids[1]})
    assert counts(session, None, ids) == [CategoryCounts(*one) for one in shown]
    publishing.unpublish(session, editor, public[0], None)
    assert counts(session, None, ids[:1]) == [CategoryCounts(0, 2)]


def test_tags_count_what_is_public(session: Session) -> None:
    actor = make_actor(session)
    for tags in (("one", "two"), ("two",)):
        publishing.publish(session, actor, make_content(session, actor, tags=tags), None)
    make_content(session, actor, tags=("one",))
    slugs = {tag.id: tag.slug for tag in session.query(Tag)}
    counted = term_counts.count_tags(session, list(slugs))
    assert {slugs[tag_id]: number for tag_id, number in counted.items()} == {"one": 1, "two": 2}
