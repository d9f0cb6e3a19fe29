"""Reviews by guests over HTTP: the link, the page, the mails, and what the newsroom sees of it."""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session, sessionmaker

from dev.mail_sink import MailSink
from tests.factories import Caller, run_ready_jobs
from webapp.kit.clock import utc_now
from webapp.kit.roles import RoleName
from webapp.models import ActivityLog, User
from workers.context import WorkerContext

STEP = {"name": "Ada <Legal>", "step": "review"}


@pytest.fixture
def author(client: FlaskClient) -> Caller:
    return Caller(client, RoleName.AUTHOR)


@pytest.fixture
def editor(client: FlaskClient) -> Caller:
    return Caller(client, RoleName.EDITOR)


@pytest.fixture
def item(author: Caller) -> str:
    """A draft of two versions, of which the first is public."""
    made = author.call("POST", "/content", {"title": "On <tides>", "body": "First *words*."})
    return f"/content/{made.get_json()['id']}"


@pytest.fixture
def review(author: Caller, item: str) -> str:
    """The path of a review of the item's newest version."""
    asked = author.call("POST", f"{item}/reviews", {}, If_Match="*")
    return f"{item}/reviews/{asked.get_json()['id']}"


def invite(caller: Caller, review: str, **asked: Any) -> dict[str, Any]:
    made = caller.call("POST", f"{review}/links", {**STEP, **asked})
    assert made.status_code == 201, made.get_json()
    answer: dict[str, Any] = made.get_json()
    return answer


def token_of(link: dict[str, Any]) -> str:
    return str(link["url"]).partition("?token=")[2]


def look(client: FlaskClient, token: str) -> Any:
    return client.get("/review", query_string={"token": token})


def send(client: FlaskClient, token: str, decision: str = "approve", comment: str = "") -> Any:
    form = {"token": token, "decision": decision, "comment": comment}
    return client.post("/review", data=form)


def test_a_guest_reads_and_answers_once_and_the_newsroom_sees_who(
    author: Caller, editor: Caller, item: str, review: str, client: FlaskClient
) -> None:
    link = invite(editor, review)
    token = token_of(link)

    page = look(client, token)

    assert page.status_code == 200
    assert "First <em>words</em>." in page.text
    assert "On &lt;tides&gt;" in page.text
    assert "What do you say, Ada &lt;Legal&gt;?" in page.text
    assert "<script" not in page.text
    policy = page.headers["Content-Security-Policy"]
    assert "script" not in policy
    assert "form-action 'self'" in policy
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in page.headers["X-Robots-Tag"]
    sent = send(client, token, comment="Mind\r\nthe <moon>.")
    assert (sent.status_code, "Thank you" in sent.text) == (200, True)
    read = author.call("GET", review).get_json()
    (step,) = read["steps"]
    assert read["state"] == "approved"
    assert (step["decision"], step["comment"]) == ("approve", "Mind\nthe <moon>.")
    assert step["decided_by_id"] is None
    assert step["guest"] == {
        "name": "Ada <Legal>", "link_id": link["id"], "invited_by_id": editor.id,
    }  # fmt: skip
    again = send(client, token, "reject")
    assert (again.status_code, "approved" in again.text) == (409, True)
    seen = look(client, token)
    assert (seen.status_code, "approved" in seen.text) == (200, True)
    assert "words" not in seen.text
    assert author.call("POST", f"{item}/publish", {}, If_Match="*").status_code == 200


def test_to_look_changes_nothing(
    editor: Caller, review: str, client: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    token = token_of(invite(editor, review))
    kept = text("SELECT review_links::text, xmin::text FROM review_links")
    with sessions() as session:
        before = session.execute(kept).all()
    for _ in range(3):
        assert look(client, token).status_code == 200
        assert client.head("/review", query_string={"token": token}).status_code == 200
    with sessions() as session:
        assert session.execute(kept).all() == before
    assert editor.call("GET", review).get_json()["state"] == "open"


def test_what_differs_from_the_public_version_is_marked(
    author: Caller, editor: Caller, item: str, client: FlaskClient
) -> None:
    editor.call("POST", f"{item}/publish", {}, If_Match="*")
    author.call("PATCH", item, {"body": "Second *words*."}, If_Match="*")
    asked = author.call("POST", f"{item}/reviews", {}, If_Match="*").get_json()

    page = look(client, token_of(invite(editor, f"{item}/reviews/{asked['id']}")))

    assert '<del class="removed">First' in page.text
    assert '<ins class="added">Second' in page.text
    assert "Version 1 is public" in page.text


def test_an_author_asks_for_opinions_which_decide_nothing(
    author: Caller, item: str, review: str, client: FlaskClient
) -> None:
    refused = author.call("POST", f"{review}/links", STEP)
    assert refused.status_code == 403
    made = author.call("POST", f"{review}/links", {"name": "Grace", "hours": 1}).get_json()
    token = token_of(made)
    assert "is an opinion" in look(client, token).text

    assert send(client, token, "reject", "Nothing new in it.").status_code == 200

    read = author.call("GET", review).get_json()
    (opinion,) = read["opinions"]
    assert (read["state"], read["steps"][0]["decision"]) == ("open", None)
    assert (opinion["decision"], opinion["comment"]) == ("reject", "Nothing new in it.")
    assert opinion["guest"]["name"] == "Grace"
    assert author.call("POST", f"{item}/publish", {}, If_Match="*").status_code == 403


def test_an_edit_ends_the_links_of_the_review(
    author: Caller, editor: Caller, item: str, review: str, client: FlaskClient
) -> None:
    token = token_of(invite(editor, review))
    author.call("PATCH", item, {"body": "Third words."}, If_Match="*")

    page, sent = look(client, token), send(client, token)

    assert "Version 1 is not the newest any more." in page.text
    assert "words" not in page.text
    assert (sent.status_code, "not the newest" in sent.text) == (409, True)
    assert editor.call("POST", f"{review}/links", STEP).status_code == 409


def test_the_list_tells_who_was_asked_and_a_revoked_link_opens_nothing(
    author: Caller, editor: Caller, review: str, client: FlaskClient,
    sessions: sessionmaker[Session],
) -> None:  # fmt: skip
    with sessions.begin() as session:
        session.execute(update(User).values(email_proven_at=utc_now()))
    first, second = invite(editor, review), invite(editor, review, email="ada@example.org")
    assert second["url"] is None
    assert "token" not in str(first["url"]).partition("?")[0]

    assert editor.call("DELETE", f"{review}/links/{first['id']}").status_code == 204
    assert editor.call("DELETE", f"{review}/links/{first['id']}").status_code == 404

    assert look(client, token_of(first)).status_code == 404
    assert send(client, token_of(first)).status_code == 404
    page = author.call("GET", f"{review}/links?limit=1").get_json()
    (newest,) = page["items"]
    assert (newest["state"], newest["email"]) == ("open", "ada@example.org")
    rest = author.call("GET", f"{review}/links?cursor={page['next']}").get_json()["items"]
    assert [(line["id"], line["state"]) for line in rest] == [(first["id"], "revoked")]
    colleague = Caller(client, RoleName.AUTHOR)
    assert colleague.call("GET", f"{review}/links").status_code == 404
    assert colleague.call("POST", f"{review}/links", STEP).status_code == 404
    assert colleague.call("DELETE", f"{review}/links/{newest['id']}").status_code == 404


def test_bad_answers_are_told_by_a_page(editor: Caller, review: str, client: FlaskClient) -> None:
    token = token_of(invite(editor, review))
    for form in (
        {"token": token},
        {"token": token, "decision": "perhaps"},
        {"token": token, "decision": "approve", "comment": "x" * 5_001},
        {"token": token, "decision": "approve", "comment": "\x00"},
    ):
        refused = client.post("/review", data=form)
        assert (refused.status_code, refused.mimetype) == (422, "text/html")
    for unknown in ("nobody", "x" * 200, "\N{SNOWMAN}", ""):
        assert look(client, unknown).status_code == 404
        assert send(client, unknown).status_code == 404
    assert editor.call("GET", review).get_json()["state"] == "open"


@pytest.mark.parametrize("is_proven", [True, False])
def test_the_link_is_mailed_once_and_its_answer_is_told_to_the_author(
    author: Caller, editor: Caller, review: str, client: FlaskClient, worker: WorkerContext,
    mail_sink: MailSink, sessions: sessionmaker[Session], is_proven: bool,
) -> None:  # fmt: skip
    with sessions.begin() as session:
        proven = utc_now() if is_proven else None
        session.execute(update(User).where(User.id == author.id).values(email_proven_at=proven))
        session.execute(update(User).where(User.id == editor.id).values(email_proven_at=utc_now()))
    link = invite(editor, review, email="ada@example.org")
    for _ in range(2):
        run_ready_jobs(worker, kinds={"review_link.send"})
    (mail,) = mail_sink.messages()
    body = mail.get_body(("plain",))
    assert body is not None
    assert "ada@example.org" in mail["To"]
    found = re.search(r"review\?token=(\S+)", body.get_content())
    assert found is not None

    assert send(client, found[1], "changes_wanted", "Mind the moon.").status_code == 200

    assert editor.call("GET", f"{review}/links").get_json()["items"][0]["email"] is None
    run_ready_jobs(worker, kinds={"guest_decision.send", "review_decision.send"})
    (_, told) = mail_sink.messages()
    assert author.email in told["To"]
    for kind in ("plain", "html"):
        part = told.get_body((kind,))
        assert part is not None
        words = part.get_content()
        for word in ("Mind the moon.", "Ada", "tides"):
            assert (word in words) == is_proven
    with sessions() as session:
        line = session.scalars(
            select(ActivityLog).where(ActivityLog.action == "review.request_changes")
        ).one()
    assert (line.actor_id, line.details["review_link_id"]) == (None, link["id"])


def test_what_guests_said_stands_beside_the_threads_of_the_item(
    author: Caller, editor: Caller, item: str, review: str, client: FlaskClient
) -> None:
    asked = [{"name": name} for name in ("Ada", "Bo", "Cy")]
    links = [editor.call("POST", f"{review}/links", one).get_json() for one in asked]
    for link, word in zip(links[:2], ("approve", "changes_wanted"), strict=True):
        assert send(client, token_of(link), word, f"{word}, I think.").status_code == 200
    page = author.call("GET", f"{item}/comments").get_json()
    assert page["items"] == []
    assert [(one["name"], one["decision"], one["comment"]) for one in page["guests"]] == [
        ("Bo", "changes_wanted", "changes_wanted, I think."),
        ("Ada", "approve", "approve, I think."),
    ]
    assert page["guests"][0]["link_id"] == links[1]["id"]
    version = page["guests"][0]["version"]
    narrowed = author.call("GET", f"{item}/comments?version={version + 1}").get_json()
    assert narrowed["guests"] == []


def test_who_has_proven_no_address_mails_nobody(
    editor: Caller, review: str, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        session.execute(update(User).where(User.id == editor.id).values(email_proven_at=None))
    asked = {**STEP, "email": "ada@example.org"}
    assert editor.call("POST", f"{review}/links", asked).status_code == 403
    assert editor.call("POST", f"{review}/links", STEP).status_code == 201


def test_a_mail_is_not_sent_for_a_link_that_has_ended(
    author: Caller, editor: Caller, item: str, review: str, worker: WorkerContext,
    mail_sink: MailSink, sessions: sessionmaker[Session],
) -> None:  # fmt: skip
    with sessions.begin() as session:
        session.execute(update(User).values(email_proven_at=utc_now()))
    first = invite(editor, review, email="ada@example.org")
    invite(editor, review, email="grace@example.org")
    editor.call("DELETE", f"{review}/links/{first['id']}")
    author.call("PATCH", item, {"body": "Third words."}, If_Match="*")

    run_ready_jobs(worker, kinds={"review_link.send"})

    assert mail_sink.messages() == []


def test_only_a_digest_of_the_token_is_kept(
    editor: Caller, review: str, client: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    token = token_of(invite(editor, review))
    send(client, token)
    with sessions() as session:
        for table in ("review_links", "activity_logs", "jobs", "review_decisions"):
            rows = session.scalars(text(f"SELECT {table}::text FROM {table}")).all()
            assert rows
            assert not [row for row in rows if token in row]


def test_the_hours_are_bounded_by_the_setting(editor: Caller, review: str) -> None:
    for hours, status in ((720, 201), (721, 422), (0, 422), (8_761, 422)):
        assert (
            editor.call("POST", f"{review}/links", {**STEP, "hours": hours}).status_code == status
        )
