"""Reviews over HTTP: what an author and an editor see and do, and the mail between them."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from dev.mail_sink import MailSink
from tests.factories import Caller, run_ready_jobs
from webapp.app import create_app
from webapp.kit.clock import utc_now
from webapp.kit.roles import RoleName
from webapp.models import User
from webapp.settings import Settings
from workers.context import WorkerContext

LATER = "2099-01-01T00:00:00Z"


@pytest.fixture
def author(client: FlaskClient) -> Caller:
    return Caller(client, RoleName.AUTHOR)


@pytest.fixture
def editor(client: FlaskClient) -> Caller:
    return Caller(client, RoleName.EDITOR)


@pytest.fixture
def item(author: Caller) -> str:
    made = author.call("POST", "/content", {"title": "On tides", "body": "Text."})
    return f"/content/{made.get_json()['id']}"


def submit(caller: Caller, item: str) -> dict[str, Any]:
    asked = caller.call("POST", f"{item}/reviews", {"due_at": LATER}, If_Match="*")
    assert asked.status_code == 201, asked.get_json()
    answer: dict[str, Any] = asked.get_json()
    assert answer.pop("warnings") is not None
    assert asked.headers["Location"] == f"/api/v1{item}/reviews/{answer['id']}"
    return answer


def decide(caller: Caller, item: str, review: dict[str, Any], **said: Any) -> Any:
    body = {"decision": "approve", "digest": review["digest"], **said}
    return caller.call("POST", f"{item}/reviews/{review['id']}/decisions", body)


def test_a_version_goes_from_its_author_to_the_public(
    author: Caller, editor: Caller, client: FlaskClient, item: str
) -> None:
    refused = author.call("POST", f"{item}/publish", {}, If_Match="*")
    assert (refused.status_code, refused.content_type) == (403, "application/problem+json")
    assert refused.get_json()["item"] == {
        "status": "draft", "state": "draft",
        "moves": ["edit", "submit", "archive", "trash", "preview", "comment"],
    }  # fmt: skip
    review = submit(author, item)
    assert (review["state"], review["version"], review["live_version"]) == ("open", 1, None)
    waiting = editor.call("GET", "/reviews?state=open").get_json()["items"]
    assert waiting == [review]
    shown = editor.call("GET", item).get_json()
    assert shown["state"] == "in_review"
    assert {"approve", "request_changes", "reject"} < set(shown["moves"])
    decided = decide(editor, item, review, comment="Good.").get_json()
    (step,) = decided["steps"]
    assert (decided["state"], decided["approved_version"]) == ("approved", 1)
    assert (step["name"], step["decision"], step["comment"]) == ("review", "approve", "Good.")
    read = author.call("GET", item).get_json()
    assert read["state"] == "approved"
    assert {"publish", "schedule", "withdraw"} < set(read["moves"])
    published = author.call("POST", f"{item}/publish", {}, If_Match="*")
    assert (published.status_code, published.get_json()["status"]) == (200, "published")
    assert client.get("/api/v1/published/on-tides").status_code == 200
    assert author.call("POST", f"{item}/unpublish", If_Match="*").status_code == 403
    assert author.call("GET", f"{item}/reviews").get_json()["items"][0]["live_version"] == 1


def test_a_cache_learns_of_a_review(author: Caller, editor: Caller, item: str) -> None:
    seen = author.call("GET", item).headers["ETag"]
    review = submit(author, item)
    for state in ("in_review", "approved"):
        read = author.call("GET", item, If_None_Match=seen)
        assert (read.status_code, read.get_json()["state"]) == (200, state)
        decide(editor, item, review)


def test_what_was_seen_is_said_and_has_to_be_right(
    author: Caller, editor: Caller, item: str
) -> None:
    review = submit(author, item)
    assert decide(editor, item, review, digest=64 * "0").status_code == 412
    assert decide(editor, item, review, version=2).status_code == 412
    path = f"{item}/reviews/{review['id']}/decisions"
    for body in ({"decision": "approve"}, {"decision": "yes", "version": 1}):
        assert editor.call("POST", path, body).status_code == 422
    bad = {"decision": "approve", "version": 1, "comment": "x" * 5_001}
    assert editor.call("POST", path, bad).status_code == 422
    assert decide(editor, item, review).status_code == 200
    again = decide(editor, item, review)
    assert (again.status_code, again.get_json()["item"]["state"]) == (409, "approved")


def test_withdrawing_wants_the_item_as_it_was_seen(
    author: Caller, editor: Caller, item: str
) -> None:
    review = submit(author, item)
    path = f"{item}/reviews/{review['id']}"
    assert author.call("DELETE", path).status_code == 428
    assert author.call("DELETE", path, If_Match='"9"').status_code == 412
    decide(editor, item, review)
    planned = author.call("POST", f"{item}/schedule", {"at": LATER}, If_Match="*").get_json()
    ended = author.call("DELETE", path, If_Match='"1"').get_json()
    assert ended["state"] == "withdrawn"
    schedule = author.call("GET", f"/schedule/{planned['id']}").get_json()
    assert (schedule["state"], "approval" in schedule["failure"]) == ("cancelled", True)


def test_lists_hold_what_one_may_see_page_by_page(
    author: Caller, editor: Caller, client: FlaskClient
) -> None:
    asked = []
    for number in range(3):
        made = author.call("POST", "/content", {"title": f"Item {number}"}).get_json()["id"]
        asked.append(submit(author, f"/content/{made}")["id"])

    def pages(caller: Caller, path: str) -> list[int]:
        found, cursor = [], ""
        while cursor is not None:
            page = caller.call("GET", f"{path}limit=2{cursor and '&cursor=' + cursor}").get_json()
            found += [review["id"] for review in page["items"]]
            cursor = page["next"]
        return found

    assert pages(editor, "/reviews?") == asked[::-1]
    assert pages(author, "/reviews?mine=true&") == asked[::-1]
    assert pages(editor, "/reviews?mine=true&") == []
    assert pages(Caller(client, RoleName.AUTHOR), "/reviews?") == []
    assert pages(editor, "/reviews?state=approved&") == []
    assert editor.call("GET", "/reviews?state=gone").status_code == 422
    assert editor.call("GET", "/reviews?cursor=x").status_code == 422
    stranger = Caller(client, RoleName.AUTHOR)
    assert stranger.call("GET", f"/content/{made}/reviews").status_code == 404
    assert stranger.call("GET", f"/content/{made}/reviews/{asked[-1]}").status_code == 404
    assert Caller(client, RoleName.READER).call("GET", "/reviews").status_code == 403


def test_roles_that_the_settings_name_publish_what_another_approved(settings: Settings) -> None:
    named = {"approval_required_roles": "editor", "review_steps": "copy:editor > legal:manager"}
    with create_app(settings.model_copy(update=named)).test_client() as client:
        first, second = (Caller(client, RoleName.EDITOR) for _ in range(2))
        manager = Caller(client, RoleName.MANAGER)
        item = f"/content/{first.call('POST', '/content', {'title': 'T'}).get_json()['id']}"
        for step in ("publish", "schedule"):
            body = {} if step == "publish" else {"at": LATER}
            assert first.call("POST", f"{item}/{step}", body, If_Match="*").status_code == 403
        review = submit(first, item)
        assert [step["name"] for step in review["steps"]] == ["copy", "legal"]
        own = decide(first, item, review)
        assert (own.status_code, "saved or submitted" in own.get_json()["detail"]) == (403, True)
        assert decide(second, item, review).get_json()["state"] == "open"
        assert decide(manager, item, review).get_json()["state"] == "approved"
        assert first.call("POST", f"{item}/publish", {}, If_Match="*").status_code == 200
        # An end needs no approval, whatever is being written meanwhile.
        assert first.call("PATCH", item, {"title": "Two"}, If_Match="*").status_code == 200
        end = {"at": LATER, "action": "unpublish"}
        assert first.call("POST", f"{item}/schedule", end, If_Match="*").status_code == 201


@pytest.mark.parametrize("is_proven", [True, False])
@pytest.mark.parametrize(
    ("decision", "subject"),
    [
        ("approve", "Your text was approved"),
        ("changes_wanted", "Your text wants changes"),
        ("reject", "Your text was rejected"),
    ],
)
def test_the_author_is_told_once_and_a_stranger_no_word_of_the_draft(
    author: Caller, editor: Caller, item: str, worker: WorkerContext, mail_sink: MailSink,
    sessions: sessionmaker[Session], decision: str, subject: str, is_proven: bool,
) -> None:  # fmt: skip
    with sessions.begin() as session:
        proven = utc_now() if is_proven else None
        session.execute(update(User).where(User.id == author.id).values(email_proven_at=proven))
    review = submit(author, item)
    decide(editor, item, review, decision=decision, comment="Mind the moon.")
    run_ready_jobs(worker, kinds={"review_decision.send"})
    run_ready_jobs(worker, kinds={"review_decision.send"})
    (mail,) = mail_sink.messages()
    assert (mail["Subject"], author.email in mail["To"]) == (subject, True)
    for kind in ("plain", "html"):
        body = mail.get_body((kind,))
        assert body is not None
        text = body.get_content()
        assert ("On tides" in text, "Mind the moon." in text) == (is_proven, is_proven)


def test_who_decides_on_their_own_item_is_not_told(
    editor: Caller, worker: WorkerContext, mail_sink: MailSink
) -> None:
    made = editor.call("POST", "/content", {"title": "Own"}).get_json()["id"]
    item = f"/content/{made}"
    decide(editor, item, submit(editor, item))
    run_ready_jobs(worker, kinds={"review_decision.send"})
    assert mail_sink.messages() == []
