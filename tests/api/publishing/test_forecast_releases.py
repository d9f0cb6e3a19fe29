"""Promises of forecasts: a release is in them as it will be public, all of it at its moment."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from tests.api.publishing.foreseen import Site, go_live, make_site, plan
from tests.api.publishing.release_calls import PREPARE, begin, do
from tests.api.publishing.test_releases import with_name
from tests.factories import Caller, run_ready_jobs
from webapp.kit.roles import RoleName
from workers.context import WorkerContext

PATHS = (
    "/published?limit=100", "/published?tag=tide", "/published?category=shore&subtree=true",
    "/published?q=harbour", *(f"/published/{name}" for name in ("one", "two", "new", "old")),
)  # fmt: skip


@pytest.fixture
def editor(client: FlaskClient) -> Caller:
    """A logged-in editor."""
    return Caller(client, RoleName.EDITOR)


@pytest.fixture
def site(client: FlaskClient, editor: Caller) -> Site:
    """A site with plans of single items."""
    return make_site(editor, Caller(client, RoleName.ADMIN), client)


def test_a_release_is_foreseen_as_it_goes_live(
    site: Site, editor: Caller, worker: WorkerContext
) -> None:
    """Two items swap their names, one comes, one goes, and other plans stand beside them."""
    site.bring_out("one", tags=["Tide"], body="harbour one")
    site.bring_out("two", body="harbour two")
    site.bring_out("old", tags=["Tide"])
    site.write("new", tags=["Tide"], body="harbour")
    site.edit("one", title="Was one", body="The old harbour of one")
    site.edit("two", title="Was two", tags=["Tide"])
    with_name(worker, site.ids["one"], "two")
    with_name(worker, site.ids["two"], "one")
    at = site.moments[0] - timedelta(hours=1)
    path = begin(editor, site.ids["one"], site.ids["two"], site.ids["new"],
                 (site.ids["old"], "unpublish"))  # fmt: skip
    run_ready_jobs(worker, kinds=PREPARE)
    before = {asked: site.see(asked) for asked in PATHS}
    assert {asked: site.foresee(asked, at) for asked in PATHS} == before
    release = do(editor, f"{path}/schedule", {"at": at.isoformat()})
    earlier = at - timedelta(seconds=1)
    assert {asked: site.foresee(asked, earlier) for asked in PATHS} == before
    foreseen = {asked: site.foresee(asked, at) for asked in PATHS}

    go_live(worker, release["id"])

    assert foreseen == {asked: site.see(asked) for asked in PATHS}
    assert foreseen != before
    assert [foreseen[f"/published/{name}"][0] for name in ("one", "two", "new", "old")] == [
        200, 200, 200, 404,
    ]  # fmt: skip


def test_of_a_release_and_a_plan_the_later_one_is_seen(site: Site, editor: Caller) -> None:
    first, second, _ = site.moments
    content_id = site.bring_out("both")
    now = site.see("/published/both")
    site.edit("both", title="Both")
    at = first + timedelta(hours=1)
    release = do(editor, f"{begin(editor, content_id)}/schedule", {"at": at.isoformat()})
    plan(editor, content_id, second, "unpublish")
    assert site.foresee("/published/both", first) == now
    assert "Both" in site.foresee("/published/both", at)[1]
    assert site.foresee("/published/both", second)[0] == 404
    do(editor, f"/releases/{release['id']}/cancel")
    assert site.foresee("/published/both", at) == now
