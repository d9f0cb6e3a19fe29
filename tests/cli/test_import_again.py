"""A second import brings about what changed at the source.

Each case runs past the moment of the schedules, with the real publishing functions.
"""

from concurrent.futures import ThreadPoolExecutor
from time import sleep

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text

from tests.cli.import_site import LATER, PAST, SOON, Site
from webapp.cli.import_sources import Reading, open_source
from webapp.kit.imports.article import ImportedArticle
from webapp.models import Job, Schedule
from webapp.services.accounts.actors import Actor
from webapp.services.content import taxonomy
from webapp.services.interchange.content_import import ImportOptions, import_article


def test_a_changed_text_of_a_scheduled_post_is_the_one_that_goes_public(site: Site) -> None:
    site.write("OLD", date=SOON)
    assert site.load()["scheduled"] == 1
    site.write("NEW", date=SOON)
    assert site.load()["updated"] == 1
    assert "new text scheduled" in site.output
    site.pass_moment()
    assert site.public() == "<p>NEW</p>"
    assert site.load()["unchanged"] == 1


def test_a_scheduled_post_that_came_out_there_earlier_is_not_overwritten_by_its_schedule(
    site: Site,
) -> None:
    site.write("OLD", date=SOON)
    site.load()
    site.write("NEW", date=PAST)
    assert site.load()["updated"] == 1
    assert site.public() == "<p>NEW</p>"
    site.pass_moment()
    assert site.public() == "<p>NEW</p>"
    assert site.item().published_at is not None
    assert site.load()["unchanged"] == 1


def test_a_moved_moment_moves_the_schedule(site: Site) -> None:
    site.write("OLD", date=SOON)
    site.load()
    site.write("OLD", date="2033-01-01T00:00:00Z")
    assert site.load()["updated"] == 1
    assert "schedule moved" in site.output
    site.pass_moment()
    assert site.public() is None
    assert site.load()["unchanged"] == 1


@pytest.mark.parametrize("mark", ["draft: true", "Published: false", "expiryDate: 2020-01-01"])
def test_a_scheduled_post_that_becomes_a_draft_does_not_go_public(site: Site, mark: str) -> None:
    site.write("OLD", date=SOON)
    site.load()
    key, _, value = mark.partition(": ")
    site.write("OLD", date=SOON, **{key: value})
    assert site.load(publish=False)["updated"] == 1
    assert "schedule cancelled" in site.output
    site.pass_moment()
    assert site.public() is None
    assert site.load()["unchanged"] == 1
    site.write("OLD", date=SOON)
    assert site.load()["public"] == 1


def test_a_draft_that_gets_a_moment_gets_a_schedule(site: Site) -> None:
    site.write("OLD", date=SOON, draft="true")
    assert site.load()["draft"] == 1
    site.write("OLD", date=SOON)
    assert site.load()["updated"] == 1
    site.pass_moment()
    assert site.public() == "<p>OLD</p>"


@pytest.mark.parametrize("publish", [True, False])
@pytest.mark.parametrize("body", ["OLD", "NEW"])
@pytest.mark.parametrize("mark", ["draft: true", "published: false", "status: in review"])
def test_a_public_post_that_is_hidden_there_is_withdrawn_here(
    site: Site, mark: str, body: str, publish: bool
) -> None:
    site.write("OLD", date=PAST)
    site.load()
    key, _, value = mark.partition(": ")
    site.write(body, date=PAST, **{key: value})
    assert site.load(publish=publish)["updated"] == 1
    assert "withdrawn" in site.output
    assert site.public() is None
    assert site.load(publish=publish)["unchanged"] == 1
    site.write(body, date=PAST)
    site.load()
    assert site.public() == f"<p>{body}</p>"


def test_a_fired_schedule_of_an_import_is_its_own_publication(site: Site) -> None:
    site.write("OLD", date=SOON)
    site.load()
    site.pass_moment()
    assert site.public() == "<p>OLD</p>"
    site.write("OLD", date=SOON, draft="true")
    assert site.load()["updated"] == 1
    assert site.public() is None


def test_a_public_post_whose_moment_is_yet_to_come_there_waits_for_it(site: Site) -> None:
    site.write("OLD", date=PAST)
    site.load()
    site.write("OLD", date=SOON)
    assert site.load()["scheduled"] == 1
    assert site.public() is None
    site.pass_moment()
    assert site.public() == "<p>OLD</p>"


def test_a_corrected_date_address_and_author_are_taken_over(
    site: Site, client: FlaskClient
) -> None:
    site.write("OLD", date=PAST, slug="first", author="Ann")
    site.load()
    site.write("OLD", date="2019-05-05T00:00:00Z", slug="first", author="Ann")
    assert site.load()["updated"] == 1
    site.write("OLD", date="2019-05-05T00:00:00Z", slug="second", author="Bob")
    assert site.load()["updated"] == 1
    answer = client.get("/api/v1/published/second").get_json()
    assert answer["published_at"].startswith("2019-05-05")
    assert (answer["author"]["name"], answer["metadata"]["authors"]) == ("Bob", ["Bob"])
    assert client.get("/api/v1/published/first").status_code == 301
    assert site.load()["unchanged"] == 1


def test_without_publish_what_changed_is_told_until_it_is_public(site: Site) -> None:
    site.write("OLD", date=PAST)
    site.load()
    site.write("NEW", date="2019-05-05T00:00:00Z")
    assert site.load(publish=False)["updated"] == 1
    for _ in range(2):
        assert "what changed is not public yet" in site.output
        assert site.public() == "<p>OLD</p>"
        assert site.load(publish=False)["unchanged"] == 0
    assert site.load()["updated"] == 1
    assert site.public() == "<p>NEW</p>"


def test_an_end_is_scheduled_moved_and_cancelled(site: Site) -> None:
    def ends() -> list[str]:
        with site.sessions() as session:
            statement = select(Schedule.due_at).where(
                Schedule.action == "unpublish", Schedule.state == "pending"
            )
            return [moment.isoformat() for moment in session.scalars(statement)]

    site.write("OLD", date=PAST, expiryDate=LATER)
    site.load()
    assert ends() == [LATER.isoformat()]
    site.write("OLD", date=PAST, expiryDate="2033-01-01T00:00:00Z")
    assert site.load()["updated"] == 1
    assert ends() == ["2033-01-01T00:00:00+00:00"]
    site.write("OLD", date=PAST)
    assert site.load()["updated"] == 1
    assert ends() == []
    site.write("OLD", date=PAST, expiryDate=SOON)
    site.load()
    assert site.public() == "<p>OLD</p>"
    site.pass_moment()
    assert site.public() is None
    assert site.load()["unchanged"] == 1
    site.write("OLD", date=PAST, expiryDate="2033-01-01T00:00:00Z")
    assert site.load()["updated"] == 1
    assert site.public() == "<p>OLD</p>"
    assert ends() == ["2033-01-01T00:00:00+00:00"]


def test_a_dry_run_says_what_would_happen_in_public(site: Site) -> None:
    site.write("OLD", date=PAST, author="Ann")
    site.write("B", name="b.md", date=SOON)
    site.write("C", name="c.md", status="review")
    figures = site.load("--dry-run")
    assert [figures[word] for word in ("created", "public", "scheduled", "draft")] == [3, 1, 1, 1]
    assert "1: Ann" in site.output
    assert "kept as a draft: 'status' is 'review'" in site.output
    assert site.public() is None


def test_followers_hear_of_what_comes_out_and_not_of_what_is_long_known(site: Site) -> None:
    def told() -> int:
        with site.sessions() as session:
            kinds = session.scalars(select(Job.kind).where(Job.kind == "event.fan_out"))
            return len(kinds.all())

    site.write("OLD", date=PAST)
    site.load()
    site.write("NEW", date=PAST)
    site.load()
    site.write("B", name="b.md", date=SOON)
    site.load()
    assert told() == 0
    site.pass_moment()
    assert told() == 1


def test_what_another_import_brings_at_the_same_moment_is_found(site: Site, admin: Actor) -> None:
    site.write("OLD", date=PAST)
    options = ImportOptions("both", None, publish=True)
    (article,) = open_source(site.folder, Reading()).outcomes()
    assert isinstance(article, ImportedArticle)
    with ThreadPoolExecutor() as pool, site.sessions() as session:
        import_article(session, admin, article, options)
        figures = pool.submit(site.load, "--collection", "both")
        waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        while not figures.done():
            with site.sessions() as another:
                if another.scalar(waiting):
                    break
            sleep(0.02)
        assert not figures.done()
        session.commit()
        assert figures.result()["unchanged"] == 1
    assert figures.result()["failed"] == 0


def test_a_source_that_is_broken_is_not_gone(site: Site) -> None:
    site.write("OLD", date=PAST)
    site.load()
    site.write("OLD", date=PAST, draft="perhaps")
    assert site.load()["failed"] == 1
    assert "gone there" not in site.output
    (site.folder / "post.md").rename(site.folder / "other.md")
    site.write("OLD", name="other.md", date=PAST, slug="other")
    site.load()
    assert "gone there        1: post.md" in site.output


def test_a_category_of_drafts_shows_when_one_of_them_is_public(site: Site) -> None:
    def shown() -> list[str]:
        with site.sessions() as session:
            return [c.name for c in taxonomy.list_categories(session, None, after_id=0, limit=9)]

    site.write("OLD", date=PAST, category="Layoffs")
    site.write("SOON", name="soon.md", slug="soon", date=SOON, category="Plans")
    site.load(publish=False)
    assert shown() == []
    site.load()
    assert shown() == ["Layoffs"]
    site.pass_moment()
    assert shown() == ["Layoffs", "Plans"]
