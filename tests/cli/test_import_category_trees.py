"""The tree of WordPress's categories is here as it is there, and what an editor moves stays."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from xml.sax.saxutils import quoteattr

import pytest
from click.testing import Result
from flask.testing import FlaskCliRunner
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from tests.cli.test_import_wordpress import HEAD, item
from tests.factories import as_it_is, make_actor
from webapp.kit.imports.article import CategoryName
from webapp.services.accounts.actors import Actor
from webapp.services.content import category_removal, taxonomy
from webapp.services.content.taxonomy import CategoryChanges
from webapp.services.interchange.categories import category_of

Tree = dict[str, tuple[str, str]]
"""By nicename, the name and the parent's nicename."""

TREE: Tree = {
    "local": ("Local", "news"),
    "local-sport": ("Local", "sport"),
    "news": ("News", ""),
    "sport": ("Sport", ""),
}


@pytest.fixture
def admin(sessions: sessionmaker[Session]) -> Actor:
    """Whoever runs the import."""
    with sessions.begin() as session:
        return make_actor(session)


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """Where the export is."""
    return tmp_path / "export.xml"


def write(export: Path, tree: Tree, *filed: str) -> None:
    """Write an export with a post in each of some categories."""
    heads = "".join(
        f"<wp:category><wp:category_nicename>{nicename}</wp:category_nicename>"
        f"<wp:category_parent>{parent}</wp:category_parent>"
        f"<wp:cat_name>{name}</wp:cat_name></wp:category>"
        for nicename, (name, parent) in tree.items()
    )
    items = [
        item(
            number, f"in-{nicename}", "Text.",
            f'<category domain="category" nicename={quoteattr(nicename)}>{tree[nicename][0]}'
            "</category>",
        )
        for number, nicename in enumerate(filed, 1)
    ]  # fmt: skip
    export.write_bytes(HEAD + heads.encode() + b"".join(items) + b"</channel></rss>")


def load(commands: FlaskCliRunner, export: Path, *options: str) -> Result:
    result = commands.invoke(args=["content", "import", str(export), "--publish", *options])
    assert result.exit_code == 0, result.output
    return result


def tree_of(sessions: sessionmaker[Session]) -> dict[str, str | None]:
    """Return the slugs of the categories with those of their parents."""
    with sessions() as session:
        rows = session.execute(
            text(
                "SELECT child.slug, parent.slug FROM categories AS child"
                " LEFT JOIN categories AS parent ON parent.id = child.parent_id"
            )
        )
        return {row[0]: row[1] for row in rows}


@pytest.mark.parametrize(
    "filed",
    [("local", "local-sport", "news", "sport"), ("sport", "local-sport", "local", "news")],
)
def test_categories_stand_below_their_parents_and_a_second_import_changes_nothing(
    commands: FlaskCliRunner,
    sessions: sessionmaker[Session],
    admin: Actor,
    export: Path,
    filed: tuple[str, ...],
) -> None:
    write(export, TREE, *filed)
    load(commands, export)
    expected = {"news": None, "sport": None, "local": "news", "local-sport": "sport"}
    assert tree_of(sessions) == expected
    with sessions() as session:
        filed_under = session.execute(
            text("SELECT content.slug, categories.slug FROM content JOIN categories"
                 " ON categories.id = content.category_id")
        )  # fmt: skip
        assert dict(filed_under.all()) == {f"in-{slug}": slug for slug in filed}
    again = load(commands, export)
    assert "unchanged         4" in again.output
    assert "elsewhere here" not in again.output
    assert tree_of(sessions) == expected


def test_what_an_editor_moved_renamed_or_deleted_stays_so(
    commands: FlaskCliRunner, sessions: sessionmaker[Session], admin: Actor, export: Path
) -> None:
    write(export, TREE, "local", "local-sport")
    load(commands, export)
    with sessions.begin() as session:
        rows = session.execute(text("SELECT slug, id FROM categories"))
        ids: dict[str, int] = {row.slug: row.id for row in rows}
        desk = CategoryChanges(name="Desk", slug=None, description="", parent_id=ids["sport"])
        taxonomy.change_category(session, admin, ids["local"], as_it_is, desk)
        category_removal.delete_category(session, admin, ids["sport"], as_it_is)
    here = {"news": None, "local": None, "local-sport": None}
    assert tree_of(sessions) == here

    again = load(commands, export)
    assert "unchanged         2" in again.output
    assert "1 × category 'Local' stands below 'News' there, and elsewhere here" in again.output
    assert tree_of(sessions) == here


def test_a_category_that_was_here_is_taken_where_it_stands_and_that_is_told(
    commands: FlaskCliRunner, sessions: sessionmaker[Session], admin: Actor, export: Path
) -> None:
    with sessions.begin() as session:
        local = CategoryChanges(name="LOCAL", slug=None, description="", parent_id=None)
        taxonomy.create_category(session, admin, local)
    write(export, TREE, "local")
    assert "category 'Local' stands below 'News' there" in load(commands, export).output
    assert tree_of(sessions) == {"local": None, "news": None}


def test_a_circle_and_a_missing_parent_are_told_and_lose_no_post(
    commands: FlaskCliRunner, sessions: sessionmaker[Session], admin: Actor, export: Path
) -> None:
    odd = {"a": ("A", "b"), "b": ("B", "a"), "c": ("C", "a"), "d": ("D", "gone")}
    write(export, odd, "c", "b", "a", "d")
    for count in ("created           4", "unchanged         4"):
        result = load(commands, export)
        assert count in result.output
        for notice in ("'C' whose parents stand in a circle", "'D' below one that is not in"):
            assert f"1 × category {notice}" in result.output
        assert tree_of(sessions) == {"a": None, "b": None, "c": "a", "d": None}


def test_imports_at_once_make_one_tree(sessions: sessionmaker[Session]) -> None:
    lines = [[CategoryName(f"Level {n}", f"level-{n}") for n in range(4)] for _ in range(6)]
    barrier = Barrier(len(lines))

    def bring_in(above: list[CategoryName]) -> int | None:
        with sessions.begin() as session:
            barrier.wait()
            return category_of(session, "Leaf", "leaf", above).id

    with ThreadPoolExecutor(len(lines)) as pool:
        ids = {running.result(60) for running in [pool.submit(bring_in, each) for each in lines]}
    assert len(ids) == 1
    levels = [f"level-{n}" for n in range(4)]
    assert tree_of(sessions) == dict(zip(["leaf", *levels], [*levels, None], strict=True))
