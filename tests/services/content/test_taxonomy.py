"""Terms are found by their names; a slug is an address, and a draft's spelling is its own."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import make_actor, make_content
from webapp.kit.roles import RoleName
from webapp.models import Category, Tag
from webapp.services.content import content, item_reads, tagging, taxonomy
from webapp.services.content.slugs import free_name
from webapp.services.content.taxonomy import CategoryChanges
from webapp.services.errors import ConflictError
from webapp.services.publishing import publishing

ALIKE = [("C", "C++", "C#"), ("北京", "背景"), ("Ноябрь", "Noyabr"), ("!!!", "???", "…")]


@pytest.mark.parametrize("names", ALIKE)
def test_names_that_are_alike_in_an_address_are_terms_of_their_own(
    session: Session, names: tuple[str, ...]
) -> None:
    tags = tagging.ensure_tags(session, list(names))
    assert {tag.name for tag in tags} == set(names)
    assert len({tag.slug for tag in tags}) == len(names)
    assert tagging.ensure_tags(session, list(names)) == tags
    categories = [taxonomy.ensure_category(session, name) for name in names]
    assert len(set(categories)) == len(names)
    assert [taxonomy.ensure_category(session, name) for name in names] == categories


@pytest.mark.parametrize(
    "spellings", [("News", "NEWS", "news"), ("Café", "Cafe\u0301", "CAFÉ"), ("ｗｅｂ", "web")]
)
def test_case_and_unicode_form_make_no_other_term(
    session: Session, spellings: tuple[str, ...]
) -> None:
    found = [tagging.ensure_tags(session, [spelling])[0] for spelling in spellings]
    assert len({tag.id for tag in found}) == 1
    assert [tag.name for tag in found] == list(spellings)
    assert len(tagging.ensure_tags(session, list(spellings))) == 1
    assert len({taxonomy.ensure_category(session, spelling) for spelling in spellings}) == 1


def test_a_category_is_found_by_name_and_its_slug_and_parent_tell_namesakes_apart(
    session: Session,
) -> None:
    manager = make_actor(session)
    desk = CategoryChanges(name="Sport", slug="sport-desk", description="", parent_id=None)
    sport = taxonomy.create_category(session, manager, desk).id
    assert taxonomy.ensure_category(session, "Sport") == sport
    assert taxonomy.ensure_category(session, "Sport", slug="sport") == sport
    region = taxonomy.ensure_category(session, "Region")
    regional = taxonomy.ensure_category(session, "Sport", parent_id=region)
    assert regional != sport
    assert session.get_one(Category, regional).slug == "sport"
    assert taxonomy.ensure_category(session, "Sport", slug="sport") == regional


def test_a_category_of_a_new_name_gets_a_numbered_slug_and_one_of_a_known_name_is_refused(
    session: Session,
) -> None:
    manager = make_actor(session)

    def create(name: str) -> str:
        changes = CategoryChanges(name=name, slug=None, description="", parent_id=None)
        return taxonomy.create_category(session, manager, changes).slug

    assert [create("C++"), create("C#")] == ["c", "c-2"]
    with pytest.raises(ConflictError, match="with this name"):
        create("c#")


def test_a_draft_spells_a_tag_for_itself_alone(session: Session) -> None:
    first, second = make_actor(session, RoleName.AUTHOR), make_actor(session, RoleName.AUTHOR)
    loud = make_content(session, first, tags=("POISON",))
    quiet = make_content(session, second, tags=("Poison",))

    assert [tag.name for tag in content.get(session, second, quiet).tags] == ["Poison"]
    assert [tag.name for tag in content.get(session, first, loud).tags] == ["POISON"]

    publishing.publish(session, make_actor(session), quiet, None)

    document = session.scalar(text("SELECT document::text FROM publications"))
    assert "Poison" in (document or "")
    assert "POISON" not in (document or "")
    assert [tag.name for tag in tagging.list_tags(session, after_slug="", limit=10)] == ["Poison"]


def test_another_spelling_is_a_change_of_the_item(session: Session) -> None:
    author = make_actor(session)
    content_id = make_content(session, author, tags=("poison",))
    content.edit(session, author, content_id, None, {"tags": ["Poison"]})
    view = content.get(session, author, content_id)
    assert ([tag.name for tag in view.tags], view.content.version) == (["Poison"], 2)


def test_only_tags_that_something_public_has_are_listed(session: Session) -> None:
    actor = make_actor(session)
    make_content(session, actor, tags=("secret",))
    public = make_content(session, actor, tags=("open",))
    publishing.publish(session, actor, public, None)

    def listed() -> list[str]:
        return [tag.slug for tag in tagging.list_tags(session, after_slug="", limit=10)]

    assert listed() == ["open"]
    publishing.unpublish(session, actor, public, None)
    assert listed() == []


def test_saves_at_once_make_each_tag_once(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        actor = make_actor(session)
    names = [name for alike in ALIKE for name in alike]

    def save(turn: int) -> None:
        with sessions.begin() as session:
            make_content(session, actor, tags=(*names[turn:], *names[:turn]))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(save, range(len(names))))
    with sessions() as session:
        assert sorted(session.scalars(select(Tag.name))) == sorted(names)
        assert session.scalar(select(func.count(func.distinct(Tag.slug)))) == len(names)


@given(st.sets(st.integers(1, 400)), st.integers(0, 10**7))
def test_a_free_name_is_free_behind_a_taken_one_and_found_in_few_looks(
    scattered: set[int], taken_until: int
) -> None:
    looks = 0

    def is_taken(name: str) -> bool:
        number = int(name.rpartition("-")[2]) if name != "news" else 1
        return number <= taken_until or number in scattered

    def find_taken(names: list[str]) -> set[str]:
        nonlocal looks
        looks += 1
        assert len(names) <= 101
        return {name for name in names if is_taken(name)}

    free = free_name("news", find_taken)

    assert not is_taken(free)
    number = int(free.rpartition("-")[2]) if free != "news" else 1
    assert number == 1 or number == 2 or is_taken(f"news-{number - 1}")
    assert looks <= 6


def test_a_restore_spells_tags_as_the_item_does_and_not_as_another_draft(session: Session) -> None:
    other, actor = (make_actor(session, RoleName.AUTHOR) for _ in range(2))
    make_content(session, other, tags=("LayOffs", "InterView"))
    content_id = make_content(session, actor, tags=("layoffs", "Interview"))
    content.edit(session, actor, content_id, None, {"tags": ["Interview"]})
    content.restore(session, actor, content_id, None, 1)
    spelt = [tag.name for tag in item_reads.read_tags(session, content_id)]
    assert sorted(spelt) == ["Interview", "layoffs"]
    content.edit(session, actor, content_id, None, {"tags": []})
    content.restore(session, actor, content_id, None, 1)
    spelt = [tag.name for tag in item_reads.read_tags(session, content_id)]
    assert sorted(spelt) == ["interview", "layoffs"]
