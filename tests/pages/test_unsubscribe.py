"""Promises about the link that ends the mails of events."""

import re
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from dev.mail_sink import MailSink
from tests.factories import make_actor, make_content, run_ready_jobs
from webapp.kit.clock import utc_now
from webapp.kit.roles import RoleName
from webapp.models import MailDelivery, User
from webapp.services.accounts.actors import Actor
from webapp.services.audience import follows, notifications
from webapp.services.audience.follows import Target
from webapp.services.publishing import publishing
from workers.context import WorkerContext


@pytest.fixture
def reader(sessions: sessionmaker[Session]) -> Actor:
    """A reader who follows the author of an article that waits to be told of."""
    with sessions.begin() as session:
        author, reader = make_actor(session), make_actor(session, RoleName.READER)
        follows.follow(session, reader, Target.AUTHOR, author.user_id)
        publishing.publish(session, author, make_content(session, author, title="One\ntwo"), None)
    return reader


def wants_mail(sessions: sessionmaker[Session], reader: Actor) -> bool:
    with sessions() as session:
        return notifications.mail_wishes(session, reader.user_id).by_mail


def test_a_click_ends_the_mails_and_a_look_does_not(
    client: FlaskClient,
    worker: WorkerContext,
    sessions: sessionmaker[Session],
    reader: Actor,
    mail_sink: MailSink,
) -> None:
    run_ready_jobs(worker)
    (message,) = mail_sink.messages()
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    found = re.fullmatch(r"<(\S+)>", str(message["List-Unsubscribe"]))
    assert found is not None
    link = urlsplit(found[1])
    path = f"{link.path}?{link.query}"

    opened = client.get(path)
    assert "unsafe" not in opened.headers["Content-Security-Policy"]
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', opened.text))
    assert fields == dict(parse_qsl(link.query))
    assert wants_mail(sessions, reader)
    for wrong in (path[:-1], path.replace("reader=", "reader=9"), "/unsubscribe", f"{path}é"):
        refused = client.post(wrong)
        assert (refused.status_code, refused.mimetype) == (404, "text/html")
        assert "This link does not work" in refused.text
    assert wants_mail(sessions, reader)
    clicked = client.post(path, data={"List-Unsubscribe": "One-Click"})
    assert clicked.status_code == 200
    assert not wants_mail(sessions, reader)
    assert client.post(path).status_code == 200
    # A form knows whose it is when its address has left the browser's history.
    assert client.post("/unsubscribe", data=fields).status_code == 200


@pytest.mark.parametrize("proven", [True, False])
def test_where_it_is_set_so_only_proven_addresses_are_told_of_events(
    worker: WorkerContext,
    sessions: sessionmaker[Session],
    reader: Actor,
    mail_sink: MailSink,
    proven: bool,
) -> None:
    if proven:
        with sessions.begin() as session:
            session.execute(update(User).values(email_proven_at=utc_now()))
    careful = worker.settings.model_copy(update={"mail_to_unproven": False})
    run_ready_jobs(WorkerContext(careful, sessions, worker.account_mailer, worker.bulk_mailer))
    with sessions() as session:
        delivery = session.scalars(select(MailDelivery)).one()
        assert notifications.count_unread(session, reader) == 1
    assert delivery.state == ("sent" if proven else "suppressed")
    names = [str(message["To"]) for message in mail_sink.messages()]
    assert names == [f"{reader.login.title()} <{reader.login}@example.org>"] * proven
