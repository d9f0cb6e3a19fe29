"""Promises of the search in what will be public: by the words of the versions that then are."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.publishing.foreseen import Site, asked, come_true, make_site
from tests.factories import Caller
from webapp.kit.roles import RoleName
from workers.context import WorkerContext

SEARCHES = (
    "q=harbour", "q=about", "q=text+-about", 'q="nothing+of+it"', "q=harb&typing=true",
    "q=about+OR+harbour&tag=tide", "q=about&category=shore", "q=about&author={login}",
    "q=about&from=2000-01-01T00:00:00Z", "q=about&to=2000-01-01T00:00:00Z",
    "q=about&language=simple",
)  # fmt: skip


@pytest.fixture
def editor(client: FlaskClient) -> Caller:
    """A logged-in editor."""
    return Caller(client, RoleName.EDITOR)


@pytest.fixture
def site(client: FlaskClient, editor: Caller) -> Site:
    """A site with plans."""
    return make_site(editor, Caller(client, RoleName.ADMIN), client)


def found(answer: Any) -> list[dict[str, Any]]:
    """Return the hits of an answer."""
    assert answer.status_code == 200, answer.get_json()
    items: list[dict[str, Any]] = answer.get_json()["items"]
    return items


def test_what_a_search_will_find_it_foresees(site: Site, worker: WorkerContext) -> None:
    paths = [f"/search?{one.format(login=site.editor.login)}" for one in SEARCHES]
    foreseen = {
        (path, at): found(site.editor.call("GET", asked(at, path)))
        for path in paths
        for at in site.moments
    }
    for at in site.moments:
        come_true(worker, at)
        for path in paths:
            assert foreseen[path, at] == found(site.anybody.get(f"/api/v1{path}")), (path, at)
    assert len({len(hits) for hits in foreseen.values()}) > 3


def test_pages_of_a_search_ahead_are_the_whole_of_it(site: Site, editor: Caller) -> None:
    at = site.moments[1]
    whole = [hit["id"] for hit in found(editor.call("GET", asked(at, "/search?q=about")))]
    paged: list[int] = []
    following, more = "", True
    while more:
        answer = editor.call("GET", asked(at, f"/search?q=about&limit=2{following}"))
        paged += [hit["id"] for hit in found(answer)]
        cursor = answer.get_json()["next"]
        following, more = f"&cursor={cursor}", cursor is not None
    assert paged == whole
    assert len(whole) > 2


def test_a_search_ahead_is_for_few_and_of_what_is_public(
    site: Site, client: FlaskClient, editor: Caller
) -> None:
    path = asked(site.moments[0], "/search?q=harbour")
    assert client.get(f"/api/v1{path}").status_code == 401
    for role in (RoleName.READER, RoleName.AUTHOR):
        assert Caller(client, role).call("GET", path).status_code == 403
    for scope in ("mine", "all"):
        assert editor.call("GET", f"{path}&in={scope}").status_code == 422
    answer = editor.call("GET", path)
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert "Imprint-Forecast-For" in answer.headers
    nothing = editor.call("GET", asked(site.moments[0], "/search?q=harbuor")).get_json()
    assert nothing == {"items": [], "next": None, "did_you_mean": None}
