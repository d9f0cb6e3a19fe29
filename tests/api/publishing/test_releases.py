"""Promises of releases: many items change at one moment, all of them or none, and back again."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.publishing.release_calls import (
    ANY,
    LATER,
    PREPARE,
    RUN,
    add,
    begin,
    do,
    go_live,
    public,
    published,
    read,
    reasons,
    refused,
    write,
    written,
)
from tests.factories import Caller, run_ready_jobs
from webapp.kit.roles import RoleName
from workers.context import WorkerContext


@pytest.fixture
def editor(client: FlaskClient) -> Caller:
    """A logged-in editor."""
    return Caller(client, RoleName.EDITOR)


def test_all_of_it_happens_at_once_and_is_put_back_at_once(
    editor: Caller, worker: WorkerContext
) -> None:
    new = write(editor, "New")
    changed = written(editor, published(editor, "Before", slug="changed"), title="After")
    withdrawn, archived = published(editor, "Withdrawn"), published(editor, "Archived")
    path = begin(editor, new, changed, (withdrawn, "unpublish"), (archived, "archive"))
    assert public(editor, "new") == 404

    live = go_live(editor, worker, path)

    assert (live["state"], live["failure"], live["problems"]) == ("live", None, [])
    assert live["counts"] == {
        "publish": 2, "unpublish": 1, "archive": 1, "unprepared": 0, "refused": 0,
    }  # fmt: skip
    assert [public(editor, slug) for slug in ("new", "changed", "withdrawn", "archived")] == [
        "New", "After", 404, 404,
    ]  # fmt: skip
    assert read(editor, f"/content/{archived}")["status"] == "archived"
    entries = read(editor, f"{path}/entries")["items"]
    assert [(one["former_version"], one["former_standing"]) for one in entries] == [
        (None, "draft"), (1, "published"), (1, "published"), (1, "published"),
    ]  # fmt: skip

    undone = do(editor, f"{path}/undo")

    assert (undone["put_back"], undone["left"]) == (4, 0)
    assert [public(editor, slug) for slug in ("new", "changed", "withdrawn", "archived")] == [
        404, "Before", "Withdrawn", "Archived",
    ]  # fmt: skip
    assert read(editor, path)["state"] == "undone"
    assert read(editor, f"/content/{archived}")["status"] == "published"


def test_one_item_that_cannot_go_keeps_all_from_going(
    editor: Caller, worker: WorkerContext
) -> None:
    first, second = write(editor, "First"), published(editor, "Second")
    path = begin(editor, first, (second, "unpublish"))
    do(editor, f"{path}/schedule", {"at": LATER})
    do(editor, f"{path}/publish")
    run_ready_jobs(worker, kinds=PREPARE)
    # By a release of before that knows no releases, an item can still be thrown away.
    with worker.sessions.begin() as session:
        session.connection().exec_driver_sql(
            f"UPDATE content SET status = 'trashed', trashed_at = now() WHERE id = {first}"
        )

    run_ready_jobs(worker, kinds=RUN)

    failed = read(editor, path)
    assert (failed["state"], failed["problems"]) == (
        "failed", [{"content_id": first, "reason": "The item is in the trash."}],
    )  # fmt: skip
    assert (public(editor, "first"), public(editor, "second")) == (404, "Second")
    told = read(editor, "/notices")["items"]
    assert [one["kind"] for one in told] == ["release.failed"]


def test_two_items_of_a_release_swap_their_names(editor: Caller, worker: WorkerContext) -> None:
    one, other = published(editor, "One", slug="one"), published(editor, "Other", slug="other")
    third = published(editor, "Third", slug="third")
    for content_id, title, slug in ((one, "Now other", "other"), (other, "Now third", "third")):
        with_name(worker, written(editor, content_id, title=title), slug)
    with_name(worker, written(editor, third, title="Now one"), "one")
    path = begin(editor, one, other, third)

    assert go_live(editor, worker, path)["state"] == "live"
    assert [public(editor, slug) for slug in ("one", "other", "third")] == [
        "Now one", "Now other", "Now third",
    ]  # fmt: skip

    do(editor, f"{path}/undo")
    assert [public(editor, slug) for slug in ("one", "other", "third")] == ["One", "Other", "Third"]


def test_a_new_item_takes_the_name_of_one_that_goes_with_the_same_release(
    editor: Caller, worker: WorkerContext
) -> None:
    old, new = published(editor, "Old", slug="front"), write(editor, "New", slug="new")
    with_name(worker, new, "front")
    path = begin(editor, new, (old, "unpublish"))
    assert go_live(editor, worker, path)["state"] == "live"
    assert public(editor, "front") == "New"
    do(editor, f"{path}/undo")
    assert public(editor, "front") == "Old"


def with_name(worker: WorkerContext, content_id: int, slug: str) -> None:
    """Give the newest version of an item a slug that another item has in public."""
    with worker.sessions.begin() as session:
        session.connection().exec_driver_sql(
            f"UPDATE content_versions SET slug = '{slug}' WHERE content_id = {content_id}"
            f" AND number = (SELECT version FROM content WHERE id = {content_id})"
        )


def test_a_name_that_another_item_keeps_is_refused(editor: Caller, worker: WorkerContext) -> None:
    published(editor, "Kept", slug="kept")
    twins = [write(editor, "Twin", slug="twin"), write(editor, "Twin too", slug="twin")]
    wants = write(editor, "Wants", slug="wants")
    with_name(worker, wants, "kept")
    path = begin(editor, wants, *twins)
    problem = refused(editor, f"{path}/schedule", {"at": LATER})
    assert reasons(problem) == {
        wants: "Another item has the slug kept; give this one another.",
        twins[1]: "Another item has the slug twin; give this one another.",
    }
    assert read(editor, path)["state"] == "open"


def test_a_name_is_kept_for_a_release_that_has_its_moment(editor: Caller) -> None:
    planned = write(editor, "Planned", slug="spring")
    path = begin(editor, planned)
    do(editor, f"{path}/schedule", {"at": LATER})
    rival = write(editor, "Rival", slug="spring")
    taken = refused(editor, f"/content/{rival}/publish", {})
    assert "spring" in taken["detail"]
    do(editor, f"{path}/cancel")
    do(editor, f"/content/{rival}/publish", {})
    assert public(editor, "spring") == "Rival"


def test_what_cannot_be_in_a_release_is_named_and_nothing_is_added(editor: Caller) -> None:
    good, trashed = write(editor, "Good"), write(editor, "Trashed")
    do(editor, f"/content/{trashed}/trash")
    path = begin(editor)
    wishes = [
        {"content_id": good},
        {"content_id": trashed},
        {"content_id": 10**9},
    ]
    assert reasons(refused(editor, f"{path}/entries", {"entries": wishes})) == {
        trashed: "The item is in the trash; take it out first.",
        10**9: "There is no such item.",
    }
    missing = {"entries": [{"content_id": good, "version": 7}]}
    assert reasons(refused(editor, f"{path}/entries", missing)) == {
        good: "There is no such version."
    }
    assert read(editor, f"{path}/entries")["items"] == []
    assert "no items" in refused(editor, f"{path}/publish")["detail"]


def test_what_is_not_complete_is_told_once_it_was_judged(
    editor: Caller, worker: WorkerContext
) -> None:
    untitled = write(editor, "")
    path = begin(editor, untitled)
    run_ready_jobs(worker, kinds=PREPARE)
    assert read(editor, path)["counts"]["refused"] == 1
    problem = refused(editor, f"{path}/publish")
    assert reasons(problem) == {untitled: "Version 1 is not complete; it lacks: title."}


def test_a_moment_finds_a_version_that_was_not_judged_before(
    editor: Caller, worker: WorkerContext
) -> None:
    path = begin(editor, write(editor, ""))
    do(editor, f"{path}/publish")
    run_ready_jobs(worker, kinds={"release.publish"})
    assert read(editor, path)["state"] == "failed"


def test_editors_see_which_releases_hold_an_item_and_cannot_throw_it_away(editor: Caller) -> None:
    content_id = write(editor, "Held")
    path = begin(editor, content_id)
    release_id = read(editor, path)["id"]
    assert read(editor, f"/content/{content_id}")["releases"] == [
        {"id": release_id, "name": "Spring", "state": "open", "action": "publish", "at": None}
    ]
    for move in ("trash", "archive"):
        detail = refused(editor, f"/content/{content_id}/{move}")["detail"]
        assert detail == f"The item is in a release; take it out of it first: {release_id}."
    do(editor, f"{path}/entries/remove", {"content_ids": [content_id]})
    do(editor, f"/content/{content_id}/trash")


def test_items_are_chosen_by_a_filter(editor: Caller, worker: WorkerContext) -> None:
    tagged = [write(editor, f"Item {number}", tags=["spring"]) for number in range(5)]
    write(editor, "Another")
    path = begin(editor)
    do(editor, f"{path}/entries", {"filter": {"tag": "spring"}})
    listed, query = [], "?limit=2"
    while query:
        page = read(editor, f"{path}/entries{query}")
        listed += [one["content_id"] for one in page["items"]]
        query = f"?limit=2&cursor={page['next']}" if page["next"] else ""
    assert listed == tagged
    assert go_live(editor, worker, path)["counts"]["publish"] == 5
    both = begin(editor)
    do(editor, f"{both}/entries", {"filter": {"author_id": editor.id}, "action": "unpublish"})
    assert read(editor, both)["counts"]["unpublish"] == 5


def test_what_was_changed_since_is_asked_about(editor: Caller, worker: WorkerContext) -> None:
    one = written(editor, published(editor, "One"), title="One, later")
    other = written(editor, published(editor, "Other"), title="Other, later")
    path = begin(editor, one, other)
    go_live(editor, worker, path)
    do(editor, f"/content/{written(editor, other, title='By hand')}/publish", {})

    asked = refused(editor, f"{path}/undo")
    assert reasons(asked) == {other: "It was changed after the release went live."}
    assert public(editor, "one") == "One, later"

    skipped = do(editor, f"{path}/undo?changed=skip")
    assert (skipped["put_back"], skipped["left"]) == (1, 1)
    assert (public(editor, "one"), public(editor, "other")) == ("One", "By hand")


def test_what_was_changed_since_is_put_back_as_well_where_that_is_said(
    editor: Caller, worker: WorkerContext
) -> None:
    one = written(editor, published(editor, "One"), title="One, later")
    new = write(editor, "New")
    path = begin(editor, one, new)
    go_live(editor, worker, path)
    do(editor, f"/content/{written(editor, new, title='By hand')}/publish", {})
    do(editor, f"/content/{one}/unpublish")
    do(editor, f"/content/{one}/archive")
    assert do(editor, f"{path}/undo?changed=also")["left"] == 0
    assert (public(editor, "one"), public(editor, "new")) == ("One", 404)


def test_a_later_decision_by_hand_is_not_undone_by_a_release(
    editor: Caller, worker: WorkerContext
) -> None:
    newer, withdrawn = published(editor, "Newer"), published(editor, "Withdrawn")
    path = begin(editor, newer, withdrawn)
    do(editor, f"/content/{written(editor, newer, title='Newest')}/publish", {})
    do(editor, f"/content/{withdrawn}/unpublish")
    assert reasons(refused(editor, f"{path}/publish")) == {
        newer: "Version 2 was published after this one was added.",
        withdrawn: "The item was unpublished after it was added; add it once more if you mean it.",
    }
    add(editor, path, newer, withdrawn)
    assert go_live(editor, worker, path)["state"] == "live"


def test_a_change_ends_the_approval_of_a_release(editor: Caller, worker: WorkerContext) -> None:
    path = begin(editor, write(editor, "One"))
    do(editor, f"{path}/approve")
    assert read(editor, path)["approved_by_id"] == editor.id
    add(editor, path, write(editor, "Two"))
    assert read(editor, path)["approved_at"] is None


def test_a_moment_is_given_changed_and_taken(editor: Caller, worker: WorkerContext) -> None:
    path = begin(editor, write(editor, "Once"))
    do(editor, f"{path}/schedule", {"at": LATER})
    do(editor, f"{path}/schedule", {"at": "2098-01-01T00:00:00Z"})
    assert read(editor, path)["at"] == "2098-01-01T00:00:00Z"
    do(editor, f"{path}/cancel")
    with worker.sessions.begin() as session:
        session.connection().exec_driver_sql("UPDATE jobs SET run_at = clock_timestamp()")
    run_ready_jobs(worker, kinds=RUN)
    assert (read(editor, path)["state"], public(editor, "once")) == ("cancelled", 404)
    assert go_live(editor, worker, path)["state"] == "live"
    assert "live" in refused(editor, f"{path}/cancel")["detail"]
    assert editor.call("DELETE", path, **ANY).status_code == 409


@pytest.mark.parametrize(("if_missed", "state"), [("skip", "cancelled"), ("ask", "open")])
def test_one_that_is_too_late_is_called_off_or_asks(
    editor: Caller, worker: WorkerContext, if_missed: str, state: str
) -> None:
    path = begin(editor, write(editor, "Late"), if_missed=if_missed, late_limit_seconds=60)
    do(editor, f"{path}/schedule", {"at": LATER})
    with worker.sessions.begin() as session:
        session.connection().exec_driver_sql(
            "UPDATE releases SET due_at = clock_timestamp() - interval '2 minutes'"
        )
        session.connection().exec_driver_sql("UPDATE jobs SET run_at = clock_timestamp()")
    run_ready_jobs(worker, kinds=RUN)
    late = read(editor, path)
    assert (late["state"], public(editor, "late")) == (state, 404)
    assert "seconds late" in late["failure"]
    (told,) = read(editor, "/notices")["items"]
    assert (told["kind"], told["subject_id"]) == ("release.missed", late["id"])


def test_an_etag_that_is_old_changes_nothing(editor: Caller) -> None:
    path = begin(editor)
    seen = editor.call("GET", path).headers["ETag"]
    add(editor, path, write(editor, "One"))
    late: Any = editor.call("PATCH", path, {"name": "Autumn"}, If_Match=seen)
    assert late.status_code == 412
    assert editor.call("PATCH", path, {"name": "Autumn"}).status_code == 428
    fresh = editor.call("GET", path).headers["ETag"]
    assert editor.call("PATCH", path, {"name": "Autumn"}, If_Match=fresh).status_code == 200
    assert [one["name"] for one in read(editor, "/releases?state=open")["items"]] == ["Autumn"]
    assert editor.call("DELETE", path, **ANY).status_code == 204
    assert editor.call("GET", path).status_code == 404


@pytest.mark.parametrize("telling", ["each", "none"])
def test_followers_are_told_of_each_item_or_of_none(
    editor: Caller, worker: WorkerContext, telling: str
) -> None:
    reader = Caller(editor.client, RoleName.READER)
    reader.call("PUT", f"/follows/author/{editor.id}")
    path = begin(editor, write(editor, "One"), write(editor, "Two"), telling=telling)
    go_live(editor, worker, path)
    run_ready_jobs(worker, kinds={"event.fan_out"})
    told = read(reader, "/notifications")["items"]
    assert len(told) == (2 if telling == "each" else 0)


def test_a_release_is_part_of_the_timeline_of_its_items(editor: Caller) -> None:
    planned = write(editor, "Planned")
    path = begin(editor, planned)
    do(editor, f"{path}/schedule", {"at": LATER})
    same_moment = {"action": "unpublish", "at": LATER}
    detail = refused(editor, f"/content/{planned}/schedule", same_moment)["detail"]
    assert "release" in detail
    # Without the release, there would be nothing to withdraw.
    do(
        editor,
        f"/content/{planned}/schedule",
        {"action": "unpublish", "at": "2099-02-01T00:00:00Z"},
    )
