"""Promises of input: what could be meant in two ways is refused, and said to be."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

from tests.factories import Caller
from webapp.kit.clock import utc_now
from webapp.kit.roles import RoleName

NO_MOMENTS = [
    "2031", "20310101", "2031-01-01", "20310101T000000Z", "2031-01-01T00:00Z", "2031-001T00:00:00Z",
    "2031-01-01T00:00:00", "2031-01-01 00:00:00Z", "2031-01-01T00:00:00+01", "2031-W01-1T00:00:00Z",
    "2031-01-01T00:00:00+0100", "2031-01-01T00:00:00 +01:00", "2031-01-01T00:00:00,5Z",
    "2031-02-30T00:00:00Z", "2031-01-01T25:00:00Z", "2031-01-01T00:00:61Z", "٢٠٣١-01-01T00:00:00Z",
    "2031-01-01T00:00:00+24:00", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59-01:00", "now", "",
    " 2031-01-01T00:00:00Z", "2031-01-01T00:00:00Z\n", "1e9", "0",
]  # fmt: skip
NO_NUMBERS = [
    "1_0", "+1", " 1", "1 ", "1.0", "01", "-0", "1e1", "0x1", "１０", "١", "", "null", "true",
    "1,2", "9" * 30, "9" * 5_000,
]  # fmt: skip


@pytest.fixture
def editor(client: FlaskClient) -> Caller:
    """A logged-in editor."""
    return Caller(client, RoleName.EDITOR)


@pytest.fixture
def item(editor: Caller) -> str:
    """The path of a new item."""
    return f"/content/{editor.call('POST', '/content', {'title': 'First'}).get_json()['id']}"


@pytest.fixture
def send(editor: Caller) -> Callable[..., Any]:
    """A sender of bytes as they are to the address of new items."""

    def send(body: bytes, **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"Content-Type": "application/json", "Authorization": f"Bearer {editor.token}"}
        return editor.client.post("/api/v1/content", data=body, headers=sent | named)

    return send


def wrong_fields(answer: Any) -> list[str]:
    """Return the fields that a refusal names."""
    assert answer.status_code == 422, answer.get_data()
    return [error["field"] for error in answer.get_json()["errors"]]


def test_only_rfc_3339_with_an_offset_is_a_moment(editor: Caller, item: str) -> None:
    others: list[Any] = [2031, 20310101, 2.5, True, None, []]
    for moment in [*NO_MOMENTS, *others]:
        plan = {"action": "publish", "at": moment}
        answer = editor.call("POST", f"{item}/schedule", plan, If_Match="*")
        assert wrong_fields(answer) == ["body.at"], moment
    for moment in NO_MOMENTS:
        answer = editor.call("GET", f"/schedule?from={quote(moment)}&to={quote(moment)}")
        assert wrong_fields(answer) == ["query.from", "query.to"], moment


@pytest.mark.parametrize(
    ("moment", "kept"),
    [
        ("2090-05-17T09:00:00Z", "2090-05-17T09:00:00Z"),
        ("2090-05-17t09:00:00z", "2090-05-17T09:00:00Z"),
        ("2090-05-17T09:00:00+02:00", "2090-05-17T07:00:00Z"),
        ("2090-05-17T09:00:00-00:00", "2090-05-17T09:00:00Z"),
        ("2090-05-17T09:00:00.5Z", "2090-05-17T09:00:00.500000Z"),
        ("2090-05-17T09:00:00.123456789Z", "2090-05-17T09:00:00.123456Z"),
    ],
)
def test_a_moment_is_kept_as_it_was_meant(
    editor: Caller, item: str, moment: str, kept: str
) -> None:
    plan = {"action": "publish", "at": moment}
    made = editor.call("POST", f"{item}/schedule", plan, If_Match="*")
    assert made.get_json()["at"] == kept
    assert len(editor.call("GET", f"/schedule?from={quote(moment)}").get_json()["items"]) == 1


def test_a_moment_long_past_is_refused_and_one_just_past_is_due(editor: Caller, item: str) -> None:
    def schedule(**ago: int) -> Any:
        plan = {"at": (utc_now() - timedelta(**ago)).isoformat()}
        return editor.call("POST", f"{item}/schedule", plan, If_Match="*")

    assert wrong_fields(schedule(days=1, minutes=1)) == ["body.at"]
    made = schedule(hours=23)
    assert made.status_code == 201
    change = {"at": "1999-12-31T23:59:59Z"}
    path = f"/schedule/{made.get_json()['id']}"
    assert wrong_fields(editor.call("PATCH", path, change, If_Match="*")) == ["body.at"]


def test_a_number_is_written_in_plain_digits(editor: Caller) -> None:
    for number in NO_NUMBERS:
        for path in ("/published", "/content", "/schedule", "/tags"):
            answer = editor.call("GET", f"{path}?limit={quote(number)}")
            assert wrong_fields(answer) == ["query.limit"], number
        answer = editor.call("GET", f"/content/{quote(number, safe='')}")
        assert answer.status_code in {404, 422}, number
        assert answer.content_type == "application/problem+json"


def test_an_item_has_one_address(editor: Caller, item: str) -> None:
    assert item == "/content/1"
    for number in ("١", "１", "01", "+1", "1_0", "1.0", "-1", " 1", "1 "):
        assert editor.call("GET", f"/content/{quote(number)}").status_code == 404, number
    assert editor.client.get(f"/api/v1/{item}").status_code == 404


def test_a_flag_is_true_or_false(editor: Caller) -> None:
    for value in ("yes", "on", "1", "t", "TRUE", "True", " true", "", "0", "null"):
        answer = editor.call("GET", f"/notifications?unread_only={quote(value)}")
        assert wrong_fields(answer) == ["query.unread_only"], value
    wrong: Any
    for wrong in (1, 0, "true", "on", "", []):
        answer = editor.call("PUT", "/notifications/preferences", {"by_mail": wrong})
        assert wrong_fields(answer) == ["body.by_mail"], wrong


def test_a_name_may_stand_once_in_a_query(client: FlaskClient) -> None:
    answer = client.get("/api/v1/published?limit=1&limit=1&q=a&tag=x&q=b")
    assert wrong_fields(answer) == ["query.limit", "query.q"]
    for query in ("q=%ff", "q=%c3", "%ff=1"):
        assert client.get(f"/api/v1/published?{query}").status_code == 400
    assert client.get("/api/v1/published?q=%C3%A9+a&").status_code == 200


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b'{"title": "a", "title": "b"}', ["body.title"]),
        (b'{"title": "a", "t\\u0069tle": "a"}', ["body.title"]),
        (b'{"title": "a", "metadata": {"x": [{}, {"y": 1, "y": 2}]}}', ["body.metadata.x.1.y"]),
        (b'{"title": "a", "metadata": {"x": {"x": 1, "x": 2}, "x": {}}}', ["body.metadata.x"]),
    ],
)
def test_a_member_may_stand_once_in_a_body(
    send: Callable[..., Any], body: bytes, fields: list[str]
) -> None:
    assert wrong_fields(send(body)) == fields


@pytest.mark.parametrize(
    "body",
    [
        b'{"title": "a", "metadata": {"x": NaN}}', b'{"title": "a", "metadata": {"x": -Infinity}}',
        b'\xef\xbb\xbf{"title": "a"}', '{"title": "a"}'.encode("utf-16"), b"{'title': 'a'}",
        b'{"title": "a",}', b'{"title": "a"} {}', b'{"title": "a" /* no */}',
    ],
)  # fmt: skip
def test_what_is_no_json_is_refused_with_a_sentence(send: Callable[..., Any], body: bytes) -> None:
    answer = send(body)
    assert answer.status_code == 400
    assert answer.get_json()["detail"].startswith("The body cannot be read. ")


@pytest.mark.parametrize(
    "headers",
    [
        {"Content_Type": "application/json; charset=latin-1"}, {"Content_Type": "text/plain"},
        {"Content_Type": "application/json; charset=utf-16"}, {"Content_Type": "text/json"},
        {"Content_Type": "application/merge-patch+json"}, {"Content_Encoding": "gzip"},
        {"Content_Type": "application/jsonp"}, {"Content_Type": ""},
    ],
)  # fmt: skip
def test_a_body_of_another_type_or_charset_is_refused(
    send: Callable[..., Any], headers: dict[str, str]
) -> None:
    answer = send(b'{"title": "a"}', **headers)
    assert (answer.status_code, answer.get_json()["status"]) == (415, 415)


@pytest.mark.parametrize("kind", ["application/json; charset=UTF-8", "Application/JSON"])
def test_json_may_name_its_charset(send: Callable[..., Any], kind: str) -> None:
    assert (
        send(b'{"title": "a"}', Content_Type=kind, Content_Encoding="identity").status_code == 201
    )


@pytest.mark.parametrize("value", ["1", 1.0, 1.5, True, [1], "one"])
def test_a_number_in_a_body_is_a_number(send: Callable[..., Any], value: Any) -> None:
    body = json.dumps({"title": "a", "category_id": value}).encode()
    assert wrong_fields(send(body)) == ["body.category_id"]


@pytest.mark.parametrize("email", ["Ann <ann@example.org>", " ann@example.org", "<a@example.org>"])
def test_an_address_stands_alone(client: FlaskClient, email: str) -> None:
    account = {"login": "ann", "email": email, "password": "a password for tests"}
    assert wrong_fields(client.post("/api/v1/accounts", json=account)) == ["body.email"]
