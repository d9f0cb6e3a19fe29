"""Promises of `flask content import`."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask.testing import FlaskCliRunner
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import make_actor
from webapp.cli.app import create_app
from webapp.cli.database import SESSIONS
from webapp.cli.preparation import prepare
from webapp.models import Content, ContentVersion, Event, Job, Publication, Schedule, User
from webapp.services.accounts.actors import Actor
from webapp.services.content import content, item_reads, tagging
from webapp.settings import Settings

EXPORT = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"
 xmlns:excerpt="http://wordpress.org/export/1.2/excerpt/"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:wp="http://wordpress.org/export/1.2/">
<channel><title>A site</title><wp:wxr_version>1.2</wp:wxr_version>
{items}
</channel></rss>
"""
ITEM = """<item><title>{title}</title><guid>https://example.org/?p={number}</guid>
<dc:creator>anna</dc:creator><content:encoded><![CDATA[<p>Body</p>]]></content:encoded>
<wp:post_id>{number}</wp:post_id><wp:post_date_gmt>{date}</wp:post_date_gmt>
<wp:post_name>{title}</wp:post_name><wp:status>{status}</wp:status>
<wp:post_type>{type}</wp:post_type>
<category domain="category" nicename="news">News</category></item>
"""


@pytest.fixture
def admin(sessions: sessionmaker[Session]) -> Actor:
    """The admin in whose name imports act."""
    with sessions.begin() as session:
        return make_actor(session)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with three posts, an index page and a broken file."""
    root = tmp_path / "blog"
    (root / "inner").mkdir(parents=True)
    front = '+++\ntitle = "{}"\ndate = 2020-01-0{}\nauthors = ["Anna Bo"]\n{}+++\nText of *{}*.\n'
    (root / "one.md").write_text(front.format("One", 1, 'tags = ["X y"]\n', "one"))
    (root / "two.md").write_text(front.format("Two", 2, "draft = true\n", "two"))
    (root / "inner" / "one.md").write_text(front.format("One", 3, "", "inner"))
    (root / "_index.md").write_text('+++\ntitle = "Index"\n+++\n')
    (root / "broken.md").write_bytes(b"+++\ntitle = \xff\n+++\n")
    return root


def run(runner: FlaskCliRunner, path: Path, *options: str) -> Result:
    """Run an import."""
    return runner.invoke(args=["content", "import", str(path), *options])


def counts(result: Result) -> dict[str, int]:
    """Return the figures of the summary."""
    words = ("created", "updated", "unchanged", "skipped", "failed")
    rows = [line.split() for line in result.output.splitlines()]
    return {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[0] in words}


def all_content(sessions: sessionmaker[Session]) -> dict[str, Content]:
    """Return all items by their source."""
    with sessions() as session:
        rows = session.scalars(select(Content))
        return {str(row.import_source).partition(":")[2]: row for row in rows}


def count(sessions: sessionmaker[Session], model: Any) -> int:
    """Return how many rows a table has."""
    with sessions() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


@pytest.mark.usefixtures("admin")
def test_a_folder_comes_in_whole_and_a_broken_file_is_named(
    commands: FlaskCliRunner, sessions: sessionmaker[Session], folder: Path
) -> None:
    result = run(commands, folder, "--publish")

    assert counts(result) == {
        "created": 3, "updated": 0, "unchanged": 0, "skipped": 1, "failed": 1
    }  # fmt: skip
    assert result.exit_code == 1
    assert "broken.md" in result.output
    items = all_content(sessions)
    assert sorted(items) == ["inner/one.md", "one.md", "two.md"]
    assert {item.slug for item in items.values()} == {"one", "one-2", "two"}
    first = items["one.md"]
    assert (first.status, first.published_at.isoformat() if first.published_at else "") == (
        "published",
        "2020-01-01T00:00:00+00:00",
    )
    assert items["two.md"].status == "draft"
    with sessions() as session:
        author = session.get_one(User, first.author_id)
        assert author.display_name == "Anna Bo"
        assert author.disabled_at is not None
        assert [tag.slug for tag in item_reads.read_tags(session, first.id)] == ["x-y"]
        told = select(func.count()).select_from(Job).where(Job.kind == "event.fan_out")
        assert session.scalar(told) == 0
    assert count(sessions, Publication) == count(sessions, Event) == 2


@pytest.mark.usefixtures("admin")
def test_an_article_that_the_database_is_too_busy_for_is_named_and_the_others_come_in(
    settings: Settings, sessions: sessionmaker[Session], folder: Path
) -> None:
    impatient = settings.model_copy(update={"statement_timeout_seconds": 1})
    app = prepare(create_app(), impatient)
    with sessions() as other:
        tagging.ensure_tags(other, ["X y"])
        result = run(app.test_cli_runner(), folder)
    app.extensions[SESSIONS].kw["bind"].dispose()

    assert (counts(result)["created"], counts(result)["failed"]) == (2, 2)
    assert "one.md: the database was busy: " in result.output
    assert sorted(all_content(sessions)) == ["inner/one.md", "two.md"]


@pytest.mark.usefixtures("admin")
def test_a_second_import_changes_nothing(
    commands: FlaskCliRunner, sessions: sessionmaker[Session], folder: Path
) -> None:
    run(commands, folder, "--publish")
    before = {source: item.revision for source, item in all_content(sessions).items()}
    result = run(commands, folder, "--publish")
    assert counts(result)["unchanged"] == 3
    assert {source: item.revision for source, item in all_content(sessions).items()} == before
    assert count(sessions, ContentVersion) == 3


def test_a_change_there_comes_in_but_never_over_an_edit_here(
    commands: FlaskCliRunner, sessions: sessionmaker[Session], folder: Path, admin: Actor
) -> None:
    run(commands, folder, "--publish")
    for name in ("one.md", "inner/one.md"):
        path = folder / name
        path.write_text(path.read_text().replace("Text of", "New text of"))
    edited = all_content(sessions)["one.md"]
    with sessions.begin() as session:
        content.edit(session, admin, edited.id, None, {"title": "Edited here"})

    result = run(commands, folder, "--publish")

    assert counts(result) == {
        "created": 0, "updated": 1, "unchanged": 1, "skipped": 2, "failed": 1
    }  # fmt: skip
    assert "edited here since the last import" in result.output
    items = all_content(sessions)
    assert items["one.md"].title == "Edited here"
    assert items["inner/one.md"].body.startswith("New text")
    with sessions() as session:
        public = session.get_one(Publication, items["inner/one.md"].id)
        assert "New text" in public.document["html"]
        assert public.document["published_at"].startswith("2020-01-03")


@pytest.mark.usefixtures("admin")
def test_a_dry_run_shows_what_would_happen_and_changes_nothing(
    commands: FlaskCliRunner, sessions: sessionmaker[Session], folder: Path
) -> None:
    result = run(commands, folder, "--dry-run")
    assert "Nothing was changed" in result.output
    assert counts(result)["created"] == 3
    assert all_content(sessions) == {}
    assert count(sessions, User) == 1


def test_all_items_can_be_given_to_one_author(
    commands: FlaskCliRunner, sessions: sessionmaker[Session], folder: Path, admin: Actor
) -> None:
    run(commands, folder, "--author", admin.login)
    items = all_content(sessions).values()
    assert {item.author_id for item in items} == {admin.user_id}
    assert {item.status for item in items} == {"draft"}
    assert all(item.details["authors"] == ["Anna Bo"] for item in items)
    unknown = run(commands, folder, "--author", "nobody")
    assert (unknown.exit_code, "nobody" in unknown.output) == (1, True)


@pytest.mark.usefixtures("admin")
def test_drafts_and_future_posts_of_an_export_stay_drafts_and_become_schedules(
    commands: FlaskCliRunner, sessions: sessionmaker[Session], tmp_path: Path
) -> None:
    past, future = "2010-01-01 00:00:00", "2100-01-01 10:00:00"
    rows = [("public", "publish", past, "post"), ("draft", "draft", past, "post"),
            ("secret", "private", past, "page"), ("future", "future", future, "post"),
            ("picture", "inherit", past, "attachment")]  # fmt: skip
    items = "".join(
        ITEM.format(title=title, number=number, status=status, date=date, type=kind)
        for number, (title, status, date, kind) in enumerate(rows, start=1)
    )
    export = tmp_path / "export.xml"
    export.write_text(EXPORT.format(items=items))

    result = run(commands, export, "--publish")

    assert result.exit_code == 0, result.output
    assert counts(result)["created"] == 4
    by_slug = {item.slug: item for item in all_content(sessions).values()}
    assert {slug: item.status for slug, item in by_slug.items()} == {
        "public": "published", "draft": "draft", "secret": "draft", "future": "draft"
    }  # fmt: skip
    with sessions() as session:
        (schedule,) = session.scalars(select(Schedule)).all()
    assert schedule.content_id == by_slug["future"].id
    assert schedule.due_at.isoformat() == "2100-01-01T10:00:00+00:00"
    assert counts(run(commands, export, "--publish"))["unchanged"] == 4


BOMB = """<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><rss><channel><title>&b;</title></channel></rss>"""


@pytest.mark.usefixtures("admin")
@pytest.mark.parametrize("text", [BOMB, "<rss>", "not XML at all", ""])
def test_an_export_that_cannot_be_trusted_or_read_is_refused_with_a_sentence(
    commands: FlaskCliRunner, tmp_path: Path, text: str
) -> None:
    export = tmp_path / "export.xml"
    export.write_text(text)
    result = run(commands, export)
    assert result.exit_code == 1
    assert result.output.strip()
    assert "Traceback" not in result.output


def test_without_an_admin_an_import_says_what_to_do(commands: FlaskCliRunner, folder: Path) -> None:
    result = run(commands, folder)
    assert result.exit_code == 1
    assert "flask accounts create-admin" in result.output
