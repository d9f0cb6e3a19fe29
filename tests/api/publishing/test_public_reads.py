"""Promise of the layer before Flask: nobody can tell its answers from those of the views."""

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from prometheus_client import REGISTRY

from tests.factories import Caller
from webapp.api.answer_headers import AnswerHeaders, WithAnswerHeaders
from webapp.api.edge import ImprintApp
from webapp.app import create_app
from webapp.kit.roles import RoleName
from webapp.settings import Settings

ITEM, LIST = "/api/v1/published/hello", "/api/v1/published"


@pytest.fixture
def views(settings: Settings) -> Iterator[FlaskClient]:
    """A client of the views alone, on the same database."""
    app = create_app(settings)
    del app.wsgi_app
    app.wsgi_app = WithAnswerHeaders(app.wsgi_app, AnswerHeaders(settings))  # type: ignore[method-assign]
    yield app.test_client()
    assert app.context is not None
    app.context.readers.close()
    app.context.engine.dispose()


@pytest.fixture
def etags(client: FlaskClient) -> dict[str, str]:
    """The ETags of a public item and of the list that holds it."""
    editor = Caller(client, RoleName.EDITOR)
    for slug in ("hello", "world"):
        made = editor.call("POST", "/content", {"title": slug, "slug": slug, "tags": ["T"]})
        path = f"/content/{made.get_json()['id']}/publish"
        assert editor.call("POST", path, {}, If_Match="*").status_code == 200
    return {path: client.get(path).headers["ETag"] for path in (ITEM, LIST)}


def count(endpoint: str, status: int) -> float:
    """Return how many such answers were counted."""
    labels = {"method": "GET", "endpoint": f"published.{endpoint}", "status": str(status)}
    return REGISTRY.get_sample_value("imprint_requests_total", labels) or 0.0


@pytest.mark.parametrize("path", [ITEM, LIST])
@pytest.mark.parametrize("seen", ["", "{etag}", "W/{etag}", '"other"', "*", '"a", {etag}', "junk"])
def test_its_answers_are_those_of_the_views(
    client: FlaskClient, views: FlaskClient, etags: dict[str, str], path: str, seen: str
) -> None:
    headers = {"X-Request-ID": "request-of-this-test"}
    if seen:
        headers["If-None-Match"] = seen.format(etag=etags[path])
    expected, answer = (asked.get(path, headers=headers) for asked in (views, client))
    assert (answer.status, answer.data) == (expected.status, expected.data)
    assert dict(answer.headers) == dict(expected.headers)


@pytest.mark.parametrize(
    "path",
    [f"{LIST}/nothing", f"{LIST}/", f"{LIST}hello", f"{LIST}/Hello", f"{LIST}/a/b", f"{LIST}/é",
     f"{LIST}?limit=1", f"{LIST}?limit=0", f"{ITEM}?x=1"],
)  # fmt: skip
def test_what_it_does_not_answer_it_leaves_to_the_views(
    client: FlaskClient, views: FlaskClient, etags: dict[str, str], path: str
) -> None:
    headers = {"X-Request-ID": "request-of-this-test"}
    expected, answer = (asked.get(path, headers=headers) for asked in (views, client))
    assert (answer.status, answer.data) == (expected.status, expected.data)
    assert dict(answer.headers) == dict(expected.headers)


def test_its_answers_are_counted_and_have_an_id(
    client: FlaskClient, app: ImprintApp, etags: dict[str, str]
) -> None:
    before = count("read_published", 200), count("list_published", 304)
    first, second = client.get(ITEM), client.get(ITEM)
    client.get(LIST, headers={"If-None-Match": etags[LIST]})
    after = count("read_published", 200), count("list_published", 304)
    assert after == (before[0] + 2, before[1] + 1)
    ids = {first.headers["X-Request-ID"], second.headers["X-Request-ID"]}
    assert {len(request_id) for request_id in ids} == {32}
    assert len(ids) == 2
    odd = client.get(ITEM, headers={"X-Request-ID": "<script>"})
    assert len(odd.headers["X-Request-ID"]) == 32


def test_a_write_to_a_public_address_goes_to_the_views(client: FlaskClient) -> None:
    assert client.post(LIST, json={}).status_code == 405
    assert client.head(LIST).status_code == 200
