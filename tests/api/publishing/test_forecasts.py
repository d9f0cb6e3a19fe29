"""Promises of forecasts: they show at a moment to come what the public then reads, and to few."""

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.publishing.foreseen import Site, asked, come_true, make_site, plan
from tests.factories import Caller
from webapp.kit.clock import utc_now
from webapp.kit.roles import RoleName
from workers.context import WorkerContext

LISTS = ("?limit=100", "?tag=tide", "?tag=hidden-word", "?category=shore", "?category=rocks",
         "?category=shore&subtree=true", "?q=harbour", "?origin=assisted", "?origin=human",
         "?tag=tide&category=shore", "?author={login}")  # fmt: skip
NAMES = ("stays", "changes", "changed", "loses", "goes", "comes", "visits", "late", "draft")


@pytest.fixture
def editor(client: FlaskClient) -> Caller:
    """A logged-in editor."""
    return Caller(client, RoleName.EDITOR)


@pytest.fixture
def site(client: FlaskClient, editor: Caller) -> Site:
    """A site with plans."""
    return make_site(editor, Caller(client, RoleName.ADMIN), client)


def slugs(answer: Any) -> list[str]:
    """Return the slugs of a list."""
    return [item["slug"] for item in answer.get_json()["items"]]


def test_what_is_foreseen_is_what_the_public_then_reads_byte_for_byte(
    site: Site, worker: WorkerContext
) -> None:
    lists = [f"/published{one.format(login=site.editor.login)}" for one in LISTS]
    paths = [*lists, *(f"/published/{name}" for name in NAMES)]
    foreseen = {(path, at): site.foresee(path, at) for at in site.moments for path in paths}
    for at in site.moments:
        come_true(worker, at)
        for path in paths:
            assert foreseen[path, at] == site.see(path), (path, at)
    assert {status for status, _ in foreseen.values()} == {200, 301, 404}


def test_an_item_is_foreseen_by_its_id(site: Site, worker: WorkerContext) -> None:
    _, at, _ = site.moments
    foreseen = {name: site.foresee(f"/content/{site.ids[name]}/forecast", at) for name in site.ids}
    come_true(worker, at)
    for name, said in foreseen.items():
        slug = "changed" if name == "changes" else name
        assert said == site.see(f"/published/{slug}"), name


def test_a_new_item_has_its_due_moment_for_its_public_time_and_another_keeps_its_own(
    site: Site, editor: Caller
) -> None:
    first, second, _ = site.moments
    before = site.anybody.get("/api/v1/published/changes").get_json()
    comes = editor.call("GET", asked(second, "/published/comes")).get_json()
    changed = editor.call("GET", asked(second, "/published/changed")).get_json()
    assert comes["published_at"] == comes["updated_at"] == spelt(first)
    assert (changed["published_at"], changed["updated_at"]) == (
        before["published_at"], spelt(second),
    )  # fmt: skip


def spelt(moment: Any) -> str:
    """Return a moment as documents write it."""
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z"


def test_pages_of_a_forecast_are_the_whole_of_it(site: Site, editor: Caller) -> None:
    at = site.moments[1]
    for query in ("", "&tag=tide"):
        whole = slugs(editor.call("GET", asked(at, f"/published?limit=100{query}")))
        paged, cursor = [], ""
        while cursor is not None:
            path = f"/published?limit=2{query}" + (f"&cursor={cursor}" if cursor else "")
            answer = editor.call("GET", asked(at, path))
            paged += slugs(answer)
            cursor = answer.get_json()["next"]
        assert paged == whole, query
        assert len(whole) == len(set(whole)) > 2


def test_a_withdrawn_item_that_comes_back_is_new(
    site: Site, editor: Caller, worker: WorkerContext
) -> None:
    _, second, third = site.moments
    back = third + timedelta(days=1)
    plan(editor, site.ids["goes"], back)
    foreseen = {at: site.foresee("/published?limit=100", at) for at in (second, third, back)}
    listed = editor.call("GET", asked(back, "/published")).get_json()["items"]
    assert (listed[0]["slug"], listed[0]["published_at"]) == ("goes", spelt(back))
    for at, said in foreseen.items():
        come_true(worker, at)
        assert said == site.see("/published?limit=100"), at


@pytest.mark.parametrize("path", ["/published", "/published/comes", "/published?tag=tide"])
def test_a_forecast_says_what_it_is_and_no_cache_keeps_it(
    site: Site, editor: Caller, path: str
) -> None:
    at = site.moments[0]
    answer = editor.call("GET", asked(at, path), If_None_Match="*")
    assert answer.status_code == 200
    assert answer.headers["Imprint-Forecast-For"] == at.isoformat().replace("+00:00", "Z")
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert "ETag" not in answer.headers
    now = site.anybody.get(f"/api/v1{path}")
    assert "Imprint-Forecast-For" not in now.headers


def test_a_redirect_stays_in_the_forecast(site: Site, editor: Caller) -> None:
    at = site.moments[1]
    moved = editor.call("GET", asked(at, "/published/changes"))
    assert moved.status_code == 301
    assert moved.headers["Location"] == f"/api/v1{asked(at, '/published/changed')}"
    assert moved.headers["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("path", ["/published", "/published/comes", "/published/none"])
def test_the_public_and_who_writes_alone_are_told_nothing_ahead(
    site: Site, client: FlaskClient, path: str
) -> None:
    at = site.moments[0]
    anonymous = client.get(f"/api/v1{asked(at, path)}")
    assert anonymous.status_code == 401
    assert anonymous.headers["Cache-Control"] == "no-store"
    for role in (RoleName.READER, RoleName.AUTHOR):
        assert Caller(client, role).call("GET", asked(at, path)).status_code == 403
    unknown = {"Authorization": "Bearer none"}
    assert client.get(f"/api/v1{asked(at, path)}", headers=unknown).status_code == 401


@pytest.mark.parametrize("path", ["/published", "/published/x", "/content/1/forecast"])
def test_a_moment_that_has_passed_or_is_none_is_refused(editor: Caller, path: str) -> None:
    passed = editor.call("GET", asked(utc_now() - timedelta(minutes=5), path))
    assert passed.status_code == 422
    assert passed.get_json()["errors"] == [
        {"field": "query.at", "reason": "has passed; what was public then is not told"}
    ]
    for bad in ("", "tomorrow", "2031-01-01", "2031-02-30T00:00:00Z"):
        assert editor.call("GET", f"{path}?at={bad}").status_code == 422, bad
    just_passed = editor.call("GET", asked(utc_now() - timedelta(seconds=20), path))
    assert just_passed.status_code in {200, 404}


def test_what_was_retracted_stays_so_until_it_comes_back(site: Site, editor: Caller) -> None:
    content_id = site.bring_out("wrong")
    site.succeed("POST", f"/content/{content_id}/retract", {"reason": "It was wrong."})
    first, second, third = site.moments
    site.edit("wrong", title="Right")
    plan(editor, content_id, second)
    path = "/published/wrong"
    assert editor.call("GET", asked(first, path)).status_code == 410
    assert editor.call("GET", asked(second, path)).get_json()["title"] == "Right"
    plan(editor, content_id, third, "unpublish")
    assert editor.call("GET", asked(third, path)).status_code == 404


def test_what_is_cancelled_or_put_aside_is_no_future(site: Site, editor: Caller) -> None:
    at = site.moments[2]
    content_id = site.write("never")
    schedule_id = plan(editor, content_id, at)
    assert editor.call("GET", asked(at, "/published/never")).status_code == 200
    assert editor.call("DELETE", f"/schedule/{schedule_id}", If_Match="*").status_code == 200
    assert editor.call("GET", asked(at, "/published/never")).status_code == 404
    assert "never" not in slugs(editor.call("GET", asked(at, "/published")))
    assert editor.call("GET", asked(at, f"/content/{content_id}/forecast")).status_code == 404


def test_what_is_public_is_not_archived_by_a_schedule(
    site: Site, editor: Caller, worker: WorkerContext
) -> None:
    """An editor has published by hand what was to go into the archive: that comes to nothing."""
    first, second, _ = site.moments
    content_id = site.write("kept", tags=["Tide"], body="harbour")
    plan(editor, content_id, first - timedelta(hours=1), "archive")
    site.succeed("POST", f"/content/{content_id}/publish", {})
    paths = ("/published/kept", "/published?limit=100", "/published?tag=tide", "/search?q=harbour")
    said = {path: site.foresee(path, first - timedelta(minutes=30)) for path in paths}
    assert said == {path: site.see(path) for path in paths}
    site.edit("kept", title="Kept once more")
    plan(editor, content_id, second + timedelta(hours=1))
    later = second + timedelta(hours=2)
    assert "Kept once more" in site.foresee("/published/kept", later)[1]
    plan(editor, content_id, later, "unpublish")
    plan(editor, content_id, later + timedelta(minutes=1), "archive")
    assert site.foresee("/published/kept", later + timedelta(hours=1))[0] == 404
