"""Promises about what is said of an item: whoever it concerns is told, once and in few mails."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from dev.mail_sink import MailSink
from tests.at_once import at_once
from tests.factories import Caller, run_ready_jobs
from tests.statements import noting_executions
from webapp.api.edge import ImprintApp
from webapp.kit.clock import utc_now
from webapp.kit.roles import RoleName
from webapp.models import Job, User
from webapp.services.content import comment_notices
from workers.context import WorkerContext


@pytest.fixture
def author(client: FlaskClient) -> Caller:
    """A logged-in author."""
    return Caller(client, RoleName.AUTHOR)


@pytest.fixture
def editors(client: FlaskClient) -> list[Caller]:
    """Three logged-in editors."""
    return [Caller(client, RoleName.EDITOR) for _ in range(3)]


@pytest.fixture
def path(author: Caller) -> str:
    """The path of the comments on an item of the author."""
    made = author.call("POST", "/content", {"title": "On tides", "body": "Text."})
    return f"/content/{made.get_json()['id']}/comments"


def say(caller: Caller, path: str, body: str) -> Any:
    made = caller.call("POST", path, {"body": body})
    assert made.status_code == 201, made.get_json()
    return made.get_json()


def replies(path: str, thread: Any) -> str:
    return f"{path}/threads/{thread['id']}/replies"


def named(*people: Caller) -> str:
    return " ".join(f"@[{one.login}]({one.id})" for one in people)


def told(caller: Caller) -> list[tuple[str, str]]:
    items = caller.call("GET", "/notices").get_json()["items"]
    return [(one["kind"], one["words"]) for one in items]


def wait_a_minute(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        session.execute(update(Job).where(Job.state == "ready").values(run_at=utc_now()))


def test_the_author_and_who_took_part_are_told_and_not_who_says_it(
    author: Caller, editors: list[Caller], path: str
) -> None:
    first, second, third = editors
    thread = say(first, path, "Is this so?")
    say(second, replies(path, thread), "It is not.")
    say(author, replies(path, thread), "It is.")
    added = "comment.added"
    assert told(author) == [(added, "It is not."), (added, "Is this so?")]
    assert told(first) == [(added, "It is."), (added, "It is not.")]
    assert told(second) == [(added, "It is.")]
    assert told(third) == []
    (newest, *_) = second.call("GET", "/notices").get_json()["items"]
    assert newest["text"] == f"{author.login} commented on “On tides”."
    assert (newest["by_id"], newest["details"]) == (author.id, {"thread_id": thread["id"]})


def test_who_is_named_is_told_so_once_and_reads_a_name(
    author: Caller, editors: list[Caller], path: str
) -> None:
    first, second, third = editors
    thread = say(author, path, f"{named(first, author)}, look.")
    assert told(first) == [("comment.mentioned", f"@{first.login} @{author.login}, look.")]
    assert told(author) == []
    comment = f"{path}/{thread['first']['id']}"
    for body in (f"{named(first, second)}?", f"{named(first, second)}!"):
        assert author.call("PATCH", comment, {"body": body}).status_code == 200
    for caller in (first, second):
        assert told(caller) == [("comment.mentioned", f"@{first.login} @{second.login}!")]
    assert told(third) == []


def test_nobody_is_named_who_may_not_see_the_item(
    author: Caller, editors: list[Caller], path: str, client: FlaskClient,
    sessions: sessionmaker[Session],
) -> None:  # fmt: skip
    colleague, reader = Caller(client, RoleName.AUTHOR), Caller(client, RoleName.READER)
    off = editors[2]
    with sessions.begin() as session:
        session.execute(update(User).where(User.id == off.id).values(disabled_at=utc_now()))
    thread = say(author, path, "Mine.")
    answers = set()
    for number in (colleague.id, reader.id, off.id, 10**9):
        body = {"body": f"@[x]({number}) {named(editors[0])}"}
        for method, address in (
            ("POST", path),
            ("POST", replies(path, thread)),
            ("PATCH", f"{path}/{thread['first']['id']}"),
        ):
            refused = author.call(method, address, body)
            assert refused.status_code == 422
            answers.add(refused.get_json()["errors"][0]["reason"].replace(str(number), "n"))
    assert answers == {"names n, which may not see this item; /people lists who may"}
    assert told(editors[0]) == told(colleague) == []
    assert author.call("GET", path).get_json()["items"][0]["comment_count"] == 1


def test_an_edit_may_keep_a_name_that_has_lost_its_right(
    author: Caller, editors: list[Caller], path: str, sessions: sessionmaker[Session]
) -> None:
    thread = say(author, path, f"{named(editors[0])}?")
    with sessions.begin() as session:
        off = update(User).where(User.id == editors[0].id).values(disabled_at=utc_now())
        session.execute(off)
    edited = {"body": f"{named(editors[0])}!"}
    assert author.call("PATCH", f"{path}/{thread['first']['id']}", edited).status_code == 200


def test_so_many_may_be_named_and_no_more(
    author: Caller, editors: list[Caller], path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comment_notices, "MOST_MENTIONS", 2)
    say(author, path, named(*editors[:2], editors[0]))
    assert author.call("POST", path, {"body": named(*editors)}).status_code == 422


def test_who_may_be_named_is_listed_by_name_to_who_sees_the_item(
    author: Caller, editors: list[Caller], path: str, client: FlaskClient
) -> None:
    people = path.replace("comments", "people")
    colleague = Caller(client, RoleName.AUTHOR)
    found = author.call("GET", people).get_json()["items"]
    everybody = sorted((one.login, one.id) for one in (author, *editors))
    assert [(one["display_name"], one["id"]) for one in found] == everybody
    wanted = editors[1].login.upper()
    (one, *_) = editors[0].call("GET", f"{people}?q={wanted}").get_json()["items"]
    assert one["id"] == editors[1].id
    assert author.call("GET", f"{people}?q=%25").get_json()["items"] == []
    assert colleague.call("GET", people).status_code == 404


def test_who_began_a_thread_is_told_each_time_that_somebody_else_settles_it(
    author: Caller, editors: list[Caller], path: str
) -> None:
    thread = say(editors[0], path, "Is this so?")
    below = f"{path}/threads/{thread['id']}"
    for move in ("resolve", "resolve", "reopen", "resolve"):
        assert author.call("POST", f"{below}/{move}").status_code == 200
    assert told(editors[0]) == [("comment.resolved", "")] * 2
    (newest, _) = editors[0].call("GET", "/notices").get_json()["items"]
    assert newest["text"] == f"{author.login} settled your thread on “On tides”."
    editors[0].call("POST", f"{below}/reopen")
    editors[0].call("POST", f"{below}/resolve")
    assert len(told(editors[0])) == 2


def test_what_is_deleted_is_told_no_more(
    author: Caller, editors: list[Caller], path: str, worker: WorkerContext, mail_sink: MailSink,
    sessions: sessionmaker[Session],
) -> None:  # fmt: skip
    with sessions.begin() as session:
        session.execute(update(User).values(email_proven_at=utc_now()))
    thread = say(editors[0], path, "Is this so?")
    wrong = say(editors[0], replies(path, thread), "It is stupid.")
    say(editors[0], replies(path, thread), "It is not.")
    editors[0].call("DELETE", f"{path}/{wrong['id']}")
    page = author.call("GET", "/notices").get_json()
    assert [one["words"] for one in page["items"]] == ["It is not.", "Is this so?"]
    assert page["unread"] == 2
    wait_a_minute(sessions)
    run_ready_jobs(worker, kinds={"notices.mail"})
    (mail,) = mail_sink.messages()
    body = mail.get_body(("plain",))
    assert body is not None
    assert "stupid" not in body.get_content()


def test_what_is_said_of_an_item_in_a_minute_is_one_mail_each(
    author: Caller, editors: list[Caller], path: str, worker: WorkerContext, mail_sink: MailSink,
    sessions: sessionmaker[Session],
) -> None:  # fmt: skip
    with sessions.begin() as session:
        session.execute(update(User).values(email_proven_at=utc_now()))
    thread = say(editors[0], path, f"{named(editors[1])}: one.")
    say(editors[0], replies(path, thread), "Two.")
    say(editors[0], path, "Three.")
    assert run_ready_jobs(worker, kinds={"notices.mail"}) == 0
    wait_a_minute(sessions)
    assert run_ready_jobs(worker, kinds={"notices.mail"}) == 3
    mails = {
        str(mail["To"]).partition("@")[0].split("<")[-1]: mail for mail in mail_sink.messages()
    }
    assert set(mails) == {author.login, editors[1].login}
    assert len(mail_sink.messages()) == 2
    body = mails[author.login].get_body(("plain",))
    assert body is not None
    text = body.get_content()
    assert [text.count(word) for word in (f"@{editors[1].login}: one.", "Two.", "Three.")] == [
        1
    ] * 3
    assert mails[editors[1].login]["Subject"] == "You are asked about “On tides”"


def test_of_many_who_say_something_at_once_each_is_told_of_all_others(
    author: Caller, editors: list[Caller], path: str, app: ImprintApp
) -> None:
    thread = say(author, path, "What do you think?")
    for editor in editors:
        say(editor, replies(path, thread), "I shall think.")
    before = {one.id: len(told(one)) for one in (author, *editors)}

    def answer(turn: int) -> str:
        caller = editors[turn % 3]
        headers = {"Authorization": f"Bearer {caller.token}"}
        address = f"/api/v1{replies(path, thread)}"
        sent = app.test_client().post(address, json={"body": f"Turn {turn}."}, headers=headers)
        return str(sent.status_code)

    assert at_once(answer, 6) == ["201"] * 6
    for editor in editors:
        assert len(told(editor)) - before[editor.id] == 4
    assert len(told(author)) - before[author.id] == 6


def test_however_many_take_part_a_reply_takes_as_many_statements(
    author: Caller, editors: list[Caller], path: str, sessions: sessionmaker[Session]
) -> None:
    thread = say(author, path, "What do you think?")
    counts = []
    for editor in editors:
        with noting_executions() as noted:
            say(editor, replies(path, thread), "This.")
        counts.append(len(noted))
    assert len(set(counts)) == 1, noted
    with sessions() as session:
        jobs = session.scalars(select(Job).where(Job.kind == "notices.mail").order_by(Job.id)).all()
    assert [len(job.payload["notice_ids"]) for job in jobs] == [1, 2, 3]
