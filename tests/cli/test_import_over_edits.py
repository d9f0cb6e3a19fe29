"""What an editor or an earlier release did is known to a second import, and left or taken over."""

import json

from sqlalchemy import select, text

from tests.cli.import_site import LATER, PAST, SOON, Site
from webapp.models import Publication, Schedule, User
from webapp.services.accounts.actors import Actor
from webapp.services.content import content
from webapp.services.publishing import publishing, schedules
from webapp.services.publishing.schedules import SchedulePlan


def forget(site: Site) -> None:
    """Take away what earlier releases did not keep."""
    with site.sessions.begin() as session:
        session.execute(text("DELETE FROM import_records"))
        # A command has no request; one of an earlier test may still be bound in this process.
        session.execute(text("UPDATE schedules SET request_id = NULL"))
        session.execute(text("DELETE FROM imported_authors"))


def test_a_schedule_of_an_editor_is_named_and_left_alone(site: Site, admin: Actor) -> None:
    site.write("OLD", date=PAST)
    site.load(publish=False)
    with site.sessions.begin() as session:
        plan = SchedulePlan("publish", SOON)
        schedules.create(session, admin, site.item().id, None, plan)
    for date, draft in ((PAST, "true"), (LATER, "false")):
        site.write("OLD", date=date, draft=draft)
        assert site.load()["skipped"] == 1
        assert "editor" in site.output
        assert site.load()["skipped"] == 1
    site.pass_moment()
    assert site.public() == "<p>OLD</p>"


def test_a_schedule_that_an_editor_moved_or_cancelled_is_an_editors(
    site: Site, admin: Actor
) -> None:
    site.write("OLD", date=SOON)
    site.load()
    with site.sessions.begin() as session:
        (schedule,) = session.scalars(select(Schedule))
        schedules.change(session, admin, schedule.id, None, {"due_at": LATER})
    site.write("OLD", date=SOON, draft="true")
    assert site.load()["skipped"] == 1
    with site.sessions.begin() as session:
        schedules.cancel(session, admin, schedule.id, None)
    site.write("OLD", date=LATER)
    assert site.load()["skipped"] == 1
    assert "withdrawn or cancelled here" in site.output
    site.pass_moment()
    assert site.public() is None


def test_a_publication_of_an_editor_is_named_and_left_alone(site: Site, admin: Actor) -> None:
    site.write("OLD", date=PAST)
    site.load(publish=False)
    with site.sessions.begin() as session:
        publishing.publish(session, admin, site.item().id, None)
    assert site.load()["unchanged"] == 1
    site.write("OLD", date=PAST, draft="true")
    assert site.load()["skipped"] == 1
    assert "an editor has published it" in site.output
    site.write("NEW", date=PAST)
    assert site.load()["updated"] == 1
    assert "was published here by an editor" in site.output
    assert site.public() == "<p>OLD</p>"


def test_what_an_editor_withdrew_stays_withdrawn(site: Site, admin: Actor) -> None:
    site.write("OLD", date=PAST)
    site.load()
    with site.sessions.begin() as session:
        publishing.unpublish(session, admin, site.item().id, None)
    assert site.load()["unchanged"] == 1
    site.write("NEW", date="2019-01-01")
    site.load()
    assert "withdrawn or cancelled here" in site.output
    assert site.public() is None


def test_a_public_post_that_was_edited_here_is_named_and_stays(site: Site, admin: Actor) -> None:
    site.write("OLD", date=PAST)
    site.load()
    with site.sessions.begin() as session:
        content.edit(session, admin, site.item().id, None, {"body": "HERE"})
    site.write("OLD", date=PAST, draft="true")
    for _ in range(2):
        assert site.load()["skipped"] == 1
        assert "edited here since the last import" in site.output
    assert site.public() == "<p>OLD</p>"


def test_an_edit_here_is_never_published_by_an_import(site: Site, admin: Actor) -> None:
    site.write("OLD", date=PAST)
    site.load(publish=False)
    with site.sessions.begin() as session:
        content.edit(session, admin, site.item().id, None, {"body": "HERE"})
    assert site.load()["skipped"] == 1
    assert site.public() is None


def test_what_lies_in_the_trash_stays_there(site: Site, admin: Actor) -> None:
    site.write("OLD", date=PAST)
    site.load(publish=False)
    with site.sessions.begin() as session:
        content.trash(session, admin, site.item().id, None)
    site.write("NEW", date=PAST)
    assert site.load()["skipped"] == 1
    assert "in the trash here" in site.output
    assert site.item().body == "OLD"


def test_a_file_that_is_gone_is_named_and_its_item_stays(site: Site) -> None:
    site.write("OLD", date=PAST)
    site.write("OTHER", name="other.md", date=PAST)
    site.load()
    (site.folder / "post.md").unlink()
    site.load()
    assert "1: post.md (they stay here)" in site.output


def test_what_an_earlier_release_imported_is_taken_over_with_its_schedule(site: Site) -> None:
    site.write("OLD", date=SOON)
    site.load("--collection", "site")
    forget(site)
    site.write("OLD", date=LATER)
    assert site.load()["updated"] == 1, site.output
    assert "schedule moved" in site.output
    site.write("NEW", date=LATER, draft="true")
    assert site.load()["updated"] == 1
    site.pass_moment()
    assert site.public() is None
    assert str(site.item().import_source).startswith("site@")


def test_what_an_earlier_release_published_is_taken_over(site: Site) -> None:
    site.write("OLD", date=PAST, note="for us")
    site.load("--collection", "site")
    forget(site)
    with site.sessions.begin() as session:
        metadata = json.dumps({"front_matter": {"note": "for us"}})
        session.execute(text("UPDATE content_versions SET metadata = :m"), {"m": metadata})
        session.execute(text("UPDATE content SET metadata = :m"), {"m": metadata})
    assert site.load()["updated"] == 1
    with site.sessions() as session:
        assert session.scalars(select(Publication.document)).one()["metadata"] == {}
    site.write("OLD", date=PAST, draft="true")
    assert site.load()["updated"] == 1
    assert site.public() is None


def test_items_without_an_author_there_go_to_the_importer(site: Site, admin: Actor) -> None:
    site.write("OLD", date=PAST)
    site.load()
    with site.sessions() as session:
        assert session.get_one(User, site.item().author_id).login == admin.login


def test_a_category_that_was_renamed_here_is_still_the_sources(site: Site) -> None:
    site.write("OLD", date=PAST, category="News")
    site.load()
    category_id = site.item().category_id
    with site.sessions.begin() as session:
        session.execute(text("UPDATE categories SET name = 'Politics', slug = 'politics'"))
    assert site.load()["unchanged"] == 1
    site.write("NEW", date=PAST, category="News")
    site.write("B", name="b.md", category="News", slug="b", draft="true")
    site.load()
    with site.sessions() as session:
        assert session.execute(text("SELECT name FROM categories")).scalars().all() == ["Politics"]
        kept = session.execute(text("SELECT DISTINCT category_id FROM content")).scalars().all()
    assert kept == [category_id]


def test_a_category_that_was_deleted_here_does_not_come_back(site: Site) -> None:
    site.write("OLD", date=PAST, category="News")
    site.load()
    with site.sessions.begin() as session:
        session.execute(text("DELETE FROM categories"))
    site.load()
    assert site.load()["unchanged"] == 1
    with site.sessions() as session:
        assert session.scalar(text("SELECT count(*) FROM categories")) == 0
    assert site.public() == "<p>OLD</p>"
