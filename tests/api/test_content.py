"""Content through the API."""

from flask.testing import FlaskClient

from tests.factories import Caller
from webapp.kit.roles import RoleName


def test_a_stale_edit_is_refused_and_loses_nothing(client: FlaskClient) -> None:
    author = Caller(client, RoleName.AUTHOR)
    made = author.call("POST", "/content", {"title": "First"})
    path, etag = f"/content/{made.get_json()['id']}", made.headers["ETag"]

    assert author.call("PATCH", path, {"title": "Second"}, If_Match=etag).status_code == 200
    refused = author.call("PATCH", path, {"title": "Third"}, If_Match=etag)

    assert refused.status_code == 412
    assert refused.content_type == "application/problem+json"
    assert author.call("GET", path).get_json()["title"] == "Second"
