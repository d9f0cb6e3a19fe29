"""Promises of the import as a service: whose an item is, and what it may hold."""

import threading
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from unicodedata import normalize

import pytest
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import PASSWORD, make_actor
from webapp.kit.imports.article import ImportedArticle
from webapp.kit.imports.text import labels
from webapp.kit.roles import RoleName
from webapp.models import Content, ImportRecord, Publication, User
from webapp.services.accounts import accounts
from webapp.services.accounts.actors import Actor
from webapp.services.errors import ConflictError, InvalidInputError
from webapp.services.interchange.authors import ensure_author
from webapp.services.interchange.content_import import (
    Imported,
    ImportOptions,
    Result,
    import_article,
)

ARTICLE = ImportedArticle(
    source="about.md",
    title="About",
    slug="about",
    body="Text",
    body_format="markdown",
    status="published",
    published_at=datetime(2020, 1, 1, tzinfo=UTC),
)
OPTIONS = ImportOptions("one", None, publish=True)


@pytest.fixture
def actor(session: Session) -> Actor:
    """The admin in whose name the import acts."""
    return make_actor(session)


def take(
    session: Session, actor: Actor, options: ImportOptions = OPTIONS, **fields: Any
) -> Imported:
    """Import an article that differs from the usual one in some fields."""
    return import_article(session, actor, replace(ARTICLE, **fields), options)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Alexandra Konstantinopolous-Wolfeschlegelstein of Berlin",
         "Alexandra Konstantinopolous-Wolfeschlegelstein of Vienna"),
        ("张伟", "章威"),
        ("Ann Lee", "Ann-Lee"),
        ("🐘", "🦭"),
    ],
)  # fmt: skip
def test_names_that_make_one_login_are_two_people(
    session: Session, first: str, second: str
) -> None:
    accounts_made = [ensure_author(session, name).user_id for name in (first, second, first)]
    assert accounts_made[0] == accounts_made[2] != accounts_made[1]
    names = [session.get_one(User, user_id).display_name for user_id in accounts_made]
    assert names == [first, second, first]


@pytest.mark.parametrize(
    ("authors", "shown"),
    [
        (("joe@example.org",), None),
        (("Joe <joe@example.org>",), ["Joe"]),
        (("Ann", "mailto:joe@example.org", "Joe (joe@example.org)"), ["Ann", "Joe"]),
        (("Ann <a@example.org>, Bob <b@example.org>",), ["Ann, Bob"]),
        (("@joe",), ["@joe"]),
    ],
)
def test_no_mail_address_of_an_author_becomes_public(
    session: Session, actor: Actor, authors: tuple[str, ...], shown: list[str] | None
) -> None:
    made = take(session, actor, authors=authors)
    item = session.get_one(Content, made.content_id)
    public = session.get_one(Publication, made.content_id)
    assert item.details.get("authors") == shown
    assert "example.org" not in str(public.document)
    record = session.get_one(ImportRecord, made.content_id)
    assert record.private.get("authors") == (None if authors == ("@joe",) else list(authors))
    assert record.said["author"] == (shown[0] if shown else None)


def test_an_author_is_the_same_in_every_form_of_unicode(session: Session, actor: Actor) -> None:
    (composed,) = labels([normalize("NFC", "José")], "a.md", "authors")
    (parted,) = labels([normalize("NFD", "José")], "a.md", "authors")
    made = take(session, actor, authors=(composed,))
    again = take(session, actor, authors=(parted,), body="Another")
    assert (again.content_id, again.new_authors) == (made.content_id, ())
    # What an earlier release kept as it was written is still known.
    former = ensure_author(session, normalize("NFD", "Zoë")).user_id
    assert ensure_author(session, normalize("NFC", "Zoë")).user_id == former


@pytest.mark.parametrize("login", ["jane-doe", "somebody"])
def test_a_stranger_who_took_the_login_or_the_address_gets_nothing(
    session: Session, actor: Actor, login: str
) -> None:
    stranger = accounts.register(
        session, login=login, email="jane-doe@import.invalid", password=PASSWORD,
        display_name="Jane Doe", role=RoleName.READER,
    )  # fmt: skip
    take(session, actor, authors=("Jane Doe",))
    author_id = session.scalars(select(Content.author_id)).one()
    assert author_id != stranger.id
    author = session.get_one(User, author_id)
    assert (author.login, author.display_name) == ("jane-doe-2", "Jane Doe")
    assert author.disabled_at is not None


def test_the_operator_can_name_the_account_of_an_author(session: Session, actor: Actor) -> None:
    take(session, actor, authors=("Jane Doe",))
    jane = make_actor(session, RoleName.AUTHOR)
    mapped = replace(OPTIONS, accounts={"Jane Doe": jane.user_id})
    assert take(session, actor, mapped, authors=("Jane Doe",)).acts[0] == "author changed"
    assert session.scalars(select(Content.author_id)).one() == jane.user_id


def test_two_imports_at_once_make_one_account_for_one_name(
    sessions: sessionmaker[Session],
) -> None:
    with sessions.begin() as session:
        make_actor(session)
    barrier, made = threading.Barrier(4), []

    def run() -> None:
        with sessions.begin() as session:
            barrier.wait()
            made.append(ensure_author(session, "Jane Doe").user_id)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 4
    assert len(set(made)) == 1
    with sessions() as session:
        named = select(func.count()).select_from(User).where(User.display_name == "Jane Doe")
        assert session.scalar(named) == 1


def test_two_collections_never_share_an_item(session: Session, actor: Actor) -> None:
    take(session, actor)
    other = take(session, actor, replace(OPTIONS, collection="two"), body="Other")
    assert other.result is Result.CREATED
    assert sorted(session.scalars(select(Content.body))) == ["Other", "Text"]


@pytest.mark.parametrize("moment", [ARTICLE.published_at, datetime(2099, 1, 1, tzinfo=UTC)])
def test_an_item_that_got_a_number_for_its_address_is_still_the_imports_own(
    session: Session, actor: Actor, moment: datetime
) -> None:
    drafts = replace(OPTIONS, publish=False)
    status = "published" if moment == ARTICLE.published_at else "scheduled"
    fields: dict[str, Any] = {"published_at": moment, "status": status}
    for collection in ("one", "two"):
        take(session, actor, replace(drafts, collection=collection))
    for collection in ("one", "two"):
        take(session, actor, replace(OPTIONS, collection=collection), **fields)
    slugs = select(Content.slug).order_by(Content.id)
    assert session.scalars(slugs).all() == ["about", "about-2"]

    two = replace(OPTIONS, collection="two")
    assert take(session, actor, two, **fields).result is Result.UNCHANGED
    changed = take(session, actor, two, body="New text", **fields)
    assert (changed.result, changed.not_applied) == (Result.UPDATED, ())
    moved = take(session, actor, two, body="New text", slug="about-us", **fields)
    assert (moved.result, moved.not_applied) == (Result.UPDATED, ())
    assert session.scalars(slugs).all() == ["about", "about-us"]


def test_a_source_that_is_another_article_now_is_refused(session: Session, actor: Actor) -> None:
    take(session, actor)
    moment = datetime(2021, 1, 1, tzinfo=UTC)
    with pytest.raises(ConflictError, match="looks like another article"):
        take(session, actor, title="Else", slug="else", published_at=moment, body="Else")
    assert take(session, actor, title="Else", slug="else").result is Result.UPDATED


@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        ({}, "unchanged"),
        ({"body": "New text"}, "updated"),
        ({"title": "Else"}, "updated"),
        ({"published_at": datetime(2021, 1, 1, tzinfo=UTC)}, "updated"),
        ({"body": "New", "published_at": datetime(2021, 1, 1, tzinfo=UTC)}, "refused"),
        ({"body": "New", "title": "Else", "slug": "else"}, "refused"),
        ({"body": "New", "title": "Else", "slug": "else",
          "published_at": datetime(2021, 1, 1, tzinfo=UTC)}, "created"),
    ],
)  # fmt: skip
def test_an_item_under_a_bare_name_is_taken_over_only_where_it_is_surely_this_one(
    session: Session, actor: Actor, fields: dict[str, Any], outcome: str
) -> None:
    take(session, actor, replace(OPTIONS, collection="posts"))
    session.execute(delete(ImportRecord))
    session.expunge_all()
    options = ImportOptions("posts@abc", None, publish=True, former_collection="posts")
    if outcome == "refused":
        with pytest.raises(ConflictError, match="--collection posts goes on with that one"):
            take(session, actor, options, **fields)
        return
    assert take(session, actor, options, **fields).result.value == outcome
    sources = sorted(map(str, session.scalars(select(Content.import_source))))
    taken = ["posts@abc:about.md"]
    assert sources == (["posts:about.md", *taken] if outcome == "created" else taken)
    if outcome != "created":
        again = replace(options, collection="posts@other")
        assert take(session, actor, again, body="Of another folder").result is Result.CREATED


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"tags": tuple(f"tag {n}" for n in range(51))}, "tags"),
        ({"tags": ("x" * 61,)}, "tags"),
        ({"body": "x" * 2_000_001}, "body"),
        ({"metadata": {"a": "x" * 50_001}}, "metadata"),
        ({"metadata": {"a": 2**60}}, "metadata"),
        ({"private": {"a": "x" * 50_001}}, "private metadata"),
        ({"published_at": datetime(9500, 1, 1, tzinfo=UTC)}, "date"),
    ],
)
def test_what_the_api_refuses_an_import_names(
    session: Session, actor: Actor, fields: dict[str, Any], name: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        take(session, actor, **fields)
    assert caught.value.field == name
    assert session.scalars(select(Content)).all() == []
