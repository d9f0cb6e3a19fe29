"""Promises about what becomes of a review: whoever waits for it is told, in the inbox and once."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from dev.mail_sink import MailSink
from tests.factories import Caller, run_ready_jobs
from webapp.kit.clock import utc_now
from webapp.kit.roles import RoleName
from webapp.models import User
from workers.context import WorkerContext


@pytest.fixture
def author(client: FlaskClient) -> Caller:
    """A logged-in author."""
    return Caller(client, RoleName.AUTHOR)


@pytest.fixture
def editors(client: FlaskClient) -> tuple[Caller, Caller]:
    """Two logged-in editors."""
    return Caller(client, RoleName.EDITOR), Caller(client, RoleName.EDITOR)


@pytest.fixture
def item(author: Caller) -> str:
    """An item of the author."""
    made = author.call("POST", "/content", {"title": "On tides", "body": "Text."})
    return f"/content/{made.get_json()['id']}"


@pytest.fixture
def _proven(
    sessions: sessionmaker[Session], author: Caller, editors: tuple[Caller, Caller]
) -> None:
    """Let everybody have proven their address."""
    with sessions.begin() as session:
        session.execute(update(User).values(email_proven_at=utc_now()))


def submit(caller: Caller, item: str) -> Any:
    made = caller.call("POST", f"{item}/reviews", {}, If_Match="*")
    assert made.status_code == 201
    return made.get_json()


def decide(caller: Caller, item: str, review: Any, decision: str, comment: str = "") -> None:
    said = {"decision": decision, "version": review["version"], "comment": comment}
    path = f"{item}/reviews/{review['id']}/decisions"
    assert caller.call("POST", path, said).status_code == 200


def told(caller: Caller) -> list[tuple[str, str]]:
    items = caller.call("GET", "/notices").get_json()["items"]
    return [(one["text"], one["words"]) for one in items]


@pytest.mark.usefixtures("_proven")
@pytest.mark.parametrize(
    ("decision", "said"),
    [
        ("approve", "approved version 1 of “On tides”."),
        ("changes_wanted", "wants changes in version 1 of “On tides”."),
        ("reject", "rejected version 1 of “On tides”."),
    ],
)
def test_a_decision_is_in_the_authors_inbox_and_in_one_mail(
    author: Caller, editors: tuple[Caller, Caller], item: str, worker: WorkerContext,
    mail_sink: MailSink, decision: str, said: str,
) -> None:  # fmt: skip
    editor, _ = editors
    decide(editor, item, submit(author, item), decision, "Mind the moon.")
    assert told(author) == [(f"{editor.login} {said}", "Mind the moon.")]
    assert told(editor) == []
    run_ready_jobs(worker)
    (mail,) = mail_sink.messages()
    assert author.email in mail["To"]


@pytest.mark.usefixtures("_proven")
def test_who_asked_for_the_review_of_anothers_item_is_told_as_well(
    author: Caller, editors: tuple[Caller, Caller], item: str, worker: WorkerContext,
    mail_sink: MailSink,
) -> None:  # fmt: skip
    asking, deciding = editors
    decide(deciding, item, submit(asking, item), "reject", "Not now.")
    for caller in (author, asking):
        assert told(caller) == [(f"{deciding.login} rejected version 1 of “On tides”.", "Not now.")]
    run_ready_jobs(worker)
    mailed = sorted(str(mail["To"]) for mail in mail_sink.messages())
    assert len(mailed) == 2
    assert (author.email in mailed[0], asking.email in mailed[1]) == (True, True)


def test_a_decision_of_ones_own_tells_nobody(editors: tuple[Caller, Caller]) -> None:
    editor, _ = editors
    made = editor.call("POST", "/content", {"title": "Own"}).get_json()["id"]
    decide(editor, f"/content/{made}", submit(editor, f"/content/{made}"), "approve")
    assert told(editor) == []


def test_an_approval_and_its_taking_back_are_two_notices(
    author: Caller, editors: tuple[Caller, Caller], item: str
) -> None:
    editor, _ = editors
    review = submit(author, item)
    decide(editor, item, review, "approve")
    decide(editor, item, review, "changes_wanted", "On second thoughts.")
    assert [words for _, words in told(author)] == ["On second thoughts.", ""]


@pytest.mark.usefixtures("_proven")
def test_what_a_guest_says_is_told_to_the_author_and_to_who_asked(
    author: Caller, editors: tuple[Caller, Caller], item: str, client: FlaskClient,
    worker: WorkerContext, mail_sink: MailSink,
) -> None:  # fmt: skip
    editor, _ = editors
    review = submit(author, item)
    asked = {"name": "Ada of the legal department"}
    link = editor.call("POST", f"{item}/reviews/{review['id']}/links", asked).get_json()
    token = str(link["url"]).partition("?token=")[2]
    said = {"token": token, "decision": "changes_wanted", "comment": "Mind the moon."}
    assert [client.post("/review", data=said).status_code for _ in range(2)] == [200, 409]
    words = ("A guest said of version 1 of “On tides”: it wants changes.", "Mind the moon.")
    assert (told(author), told(editor)) == ([words], [words])
    run_ready_jobs(worker)
    assert len(mail_sink.messages()) == 2
