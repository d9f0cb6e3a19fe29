"""What `flask content import` takes out of a folder, and what it leaves where it is."""

from pathlib import Path

import pytest
from flask.testing import FlaskCliRunner
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import make_actor
from webapp.models import Content
from webapp.services.accounts.actors import Actor

POST = "---\ntitle: {}\ndate: 2020-01-01 12:00:00\n---\nText\n"


@pytest.fixture(autouse=True)
def _admin(sessions: sessionmaker[Session]) -> Actor:
    with sessions.begin() as session:
        return make_actor(session)


def write(path: Path, title: str = "A post") -> None:
    """Write a post, with the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(POST.format(title))


def imported(commands: FlaskCliRunner, path: Path, *options: str) -> str:
    """Import a folder and return what the command says."""
    result = commands.invoke(args=["content", "import", str(path), *options])
    assert result.exit_code == 0, result.output
    return result.output


def titles(sessions: sessionmaker[Session]) -> list[str]:
    """Return the titles of all items."""
    with sessions() as session:
        return sorted(session.scalars(select(Content.title)))


def test_a_link_out_of_the_folder_is_not_followed(
    commands: FlaskCliRunner, sessions: sessionmaker[Session], tmp_path: Path
) -> None:
    folder = tmp_path / "blog"
    write(folder / "mine.md", "Mine")
    write(tmp_path / "outside" / "secret.md", "Secret")
    (folder / "file.md").symlink_to(tmp_path / "outside" / "secret.md")
    (folder / "folder").symlink_to(tmp_path / "outside")
    (folder / "loop.md").symlink_to(folder / "loop.md")
    (folder / "inside.md").symlink_to(folder / "mine.md")

    output = imported(commands, folder, "--publish")

    assert titles(sessions) == ["Mine", "Mine"]
    assert "left out: 3 links" in output


def test_folders_of_tools_are_left_out_and_counted(
    commands: FlaskCliRunner, sessions: sessionmaker[Session], tmp_path: Path
) -> None:
    folder = tmp_path / ".blog"
    write(folder / "posts" / "mine.md", "Mine")
    for path in (".github/x.md", "node_modules/a/README.md", "vendor/x.md", "posts/_site/x.md",
                 ".trash/x.md", "posts/.draft.md"):  # fmt: skip
        write(folder / path, "Not mine")

    output = imported(commands, folder)

    assert titles(sessions) == ["Mine"]
    assert "left out: 6 folders and files of tools" in output
    assert "node_modules" in output


def test_files_of_other_kinds_are_counted_by_kind(commands: FlaskCliRunner, tmp_path: Path) -> None:
    write(tmp_path / "a.md")
    for name in ("b.rst", "c.rst", "d.HTML", "Makefile"):
        (tmp_path / name).write_text("x")
    output = imported(commands, tmp_path)
    assert "left out: 4 files of other kinds (2 × .rst, " in output
    assert "1 × .html" in output
    assert "1 × no suffix" in output


def test_times_without_a_zone_are_of_the_one_that_is_named_and_are_counted(
    commands: FlaskCliRunner, sessions: sessionmaker[Session], tmp_path: Path
) -> None:
    write(tmp_path / "a.md")
    output = imported(commands, tmp_path, "--publish", "--timezone", "Asia/Shanghai")
    assert "1 × its time names no zone" in output
    with sessions() as session:
        moment = session.scalars(select(Content.published_at)).one()
    assert moment is not None
    assert moment.isoformat() == "2020-01-01T04:00:00+00:00"


@pytest.mark.parametrize(
    "options",
    [
        ("--timezone", "Mars/Base"), ("--timezone", ""), ("--timezone", "../UTC"),
        ("--timezone", "America"), ("--timezone", "\0"), ("--collection", ""),
        ("--collection", "a:b"), ("--collection", "x" * 101),
    ],
)  # fmt: skip
def test_an_option_that_cannot_be_understood_is_told_in_a_sentence(
    commands: FlaskCliRunner, tmp_path: Path, options: tuple[str, str]
) -> None:
    write(tmp_path / "a.md")
    result = commands.invoke(args=["content", "import", str(tmp_path), *options])
    assert result.exit_code == 2
    assert "Invalid value for" in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("index", "own", "state"),
    [
        ("cascade: {draft: true}", "", "draft"),
        ("cascade: {draft: true}", "draft: false", "published"),
        ("cascade: [{build: {list: never}, target: {path: /there/**}}]", "", "draft"),
        ("cascade: [{draft: false}, {draft: true}]", "", "draft"),
        ("Cascade: {expiryDate: 2021-01-01}", "", "draft"),
        ("draft: true", "draft: false", "draft"),
        ("draft: false", "", "published"),
        ("cascade: {title: Another, type: blog}", "", "published"),
    ],
)
def test_what_a_section_hides_is_not_public(
    commands: FlaskCliRunner,
    sessions: sessionmaker[Session],
    tmp_path: Path,
    index: str,
    own: str,
    state: str,
) -> None:
    section = tmp_path / "blog" / "section"
    (section / "deep").mkdir(parents=True)
    (section / "_index.md").write_text(f"---\ntitle: Section\n{index}\n---\n")
    post = f"---\ntitle: Mine\ndate: 2020-01-01T00:00:00Z\n{own}\n---\nText\n"
    (section / "post.md").write_text(post)
    (section / "deep" / "post.md").write_text(post)
    write(tmp_path / "blog" / "post.md", "Outside")

    imported(commands, tmp_path / "blog", "--publish")

    with sessions() as session:
        found = session.execute(select(Content.title, Content.status)).all()
    assert sorted(map(tuple, found)) == [("Mine", state), ("Mine", state), ("Outside", "published")]


def test_an_article_whose_section_cannot_be_read_is_a_problem(
    commands: FlaskCliRunner, tmp_path: Path
) -> None:
    write(tmp_path / "blog" / "section" / "post.md")
    (tmp_path / "blog" / "section" / "_index.md").write_text("---\ntitle: [\n---\n")
    result = commands.invoke(args=["content", "import", str(tmp_path / "blog")])
    assert result.exit_code == 1
    assert "section/post.md: its section's section/_index.md the front matter" in result.output
