"""Promise of errors: they name the fields as the document of the API does, each of them once."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.factories import Caller
from webapp.api.edge import ImprintApp
from webapp.app import create_app
from webapp.kit.roles import RoleName
from webapp.settings import Settings

ODD: list[Any] = [None, "", " ", "\0", "Ä ö", "x" * 3_000_000, -1, 0, 2**70, 1.5, True, [],
                  ["", 5], [[]], {}, {"a": 1}]  # fmt: skip
ODD_TEXTS = ["", " ", "\0", "Ä ö", "x" * 600, "-1", "1.5", "1_0", "yes", "2031", "null"]


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield method, path and description of each operation."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield (
                method.upper(),
                re.sub(r"\{\w+\}", "tag", re.sub(r"\{\w*id\}|\{number\}", "1", path)),
                operation,
            )


@pytest.fixture
def admin(client: FlaskClient) -> Caller:
    """An account that may ask for everything."""
    return Caller(client, RoleName.ADMIN)


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The document of the API."""
    app: ImprintApp = create_app(Settings(_env_file=None))
    answer: dict[str, Any] = app.test_client().get("/openapi.json").get_json()
    return answer


def refused(answer: Any, part: str, names: set[str], *, has_body: bool = False) -> set[str]:
    """Return the fields of a part that an answer names, after a look at how it does.

    With `has_body` an empty one was sent along with the query, and what it lacks is named as well.
    """
    # 401 is for a mailed token that is not known.
    assert answer.status_code in {401, 404, 409, 412, 422, 428} or answer.status_code < 400
    if answer.status_code != 422:
        return set()
    fields = [error["field"] for error in answer.get_json()["errors"]]
    assert len(fields) == len(set(fields)), fields
    if has_body:
        fields = [field for field in fields if not field.startswith("body.")]
    for field in fields:
        found = re.fullmatch(rf"{part}\.(\w+)((?:\.\w+)*)", field)
        assert found is not None, field
        assert found[1] in names, field
    assert all(error["reason"] for error in answer.get_json()["errors"])
    return {field.split(".")[1] for field in fields}


def test_the_fields_of_every_body_are_named_as_in_the_document(
    admin: Caller, document: dict[str, Any]
) -> None:
    asked = 0
    for method, path, operation in operations(document):
        if "requestBody" not in operation:
            continue
        reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
        schema = document["components"]["schemas"][reference.rpartition("/")[2]]
        names = set(schema["properties"])
        for name, described in schema["properties"].items():
            nullable = {"type": "null"} in described.get("anyOf", ())
            seen = set()
            for value in ODD:
                headers = {"If_Match": '"12345"'}
                answer = admin.call(method, path.removeprefix("/api/v1"), {name: value}, **headers)
                wrong = refused(answer, "body", names)
                seen |= wrong
                if value is None:
                    assert (name in wrong) != nullable, (path, name)
            assert name in seen, (path, name)
            asked += 1
    assert asked > 20


def test_the_fields_of_every_query_are_named_as_in_the_document(
    admin: Caller, document: dict[str, Any]
) -> None:
    asked = 0
    for method, path, operation in operations(document):
        queries = [one for one in operation.get("parameters", ()) if one["in"] == "query"]
        names = {one["name"] for one in queries}
        required = {one["name"] for one in queries if one.get("required")}
        for name in names:
            seen = set()
            has_body = "requestBody" in operation
            for value in ODD_TEXTS:
                answer = admin.client.open(
                    path,
                    method=method,
                    query_string={name: value},
                    json={} if has_body else None,
                    headers={"Authorization": f"Bearer {admin.token}"},
                )
                seen |= refused(answer, "query", names, has_body=has_body)
            assert name in seen, (path, name)
            assert seen <= {name} | required, (path, name)
            asked += 1
    assert asked > 20


def test_the_document_offers_no_null_where_none_is_taken(document: dict[str, Any]) -> None:
    for _, path, operation in operations(document):
        for parameter in operation.get("parameters", ()):
            assert "anyOf" not in parameter["schema"], (path, parameter)
