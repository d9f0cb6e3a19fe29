"""The links of mails in a real browser: a look changes nothing, and the button does what it says.

The API stands below a path and behind nginx, as in `test_browser`.
"""

import re
import time
import zipfile
from pathlib import Path

import pytest
import requests
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from dev.mail_sink import MailSink
from dev.ports import LOOPBACK
from tests.factories import make_actor, make_content, run_ready_jobs
from tests.nginx import NGINX, behind_nginx
from tests.pages.pressed_browser import CHROMIUM, PressedBrowser
from tests.patience import HANG_SECONDS
from webapp.jobs.account_messages import SendPasswordChanged
from webapp.jobs.outbox import enqueue
from webapp.kit.roles import RoleName
from webapp.models import ActivityLog, User
from webapp.services.accounts import accounts, password_resets, verifications
from webapp.services.audience import follows, notifications
from webapp.services.audience.follows import Target
from webapp.services.operations import account_exports
from webapp.services.publishing import publishing
from webapp.settings import Settings
from workers.context import WorkerContext

NEW_PASSWORD = "a password that a browser has typed"

pytestmark = pytest.mark.skipif(
    CHROMIUM is None or NGINX is None, reason="wants chromium and nginx on this machine"
)


def link_in(mail_sink: MailSink, pattern: str) -> str:
    """Return what the only mail links to, from the page's name on."""
    (message,) = mail_sink.messages()
    body = message.get_body(("plain",))
    assert body is not None
    found = re.search(pattern, body.get_content())
    assert found is not None, body.get_content()
    return found[0]


def await_file(path: Path) -> Path:
    """Return a file that a browser keeps, once it is there."""
    until = time.monotonic() + HANG_SECONDS
    while not path.exists():
        assert time.monotonic() < until, list(path.parent.iterdir())
        time.sleep(0.1)
    return path


def password_hash(sessions: sessionmaker[Session], user_id: int) -> str:
    with sessions() as session:
        return session.scalars(select(User.password_hash).where(User.id == user_id)).one()


def may_log_in(port: int, login: str, password: str) -> bool:
    door = f"http://{LOOPBACK}:{port}/cms/api/v1/auth/token"
    credentials = {"login": login, "password": password}
    return requests.post(door, json=credentials, timeout=60).status_code == 200


def is_in_sight(browser: PressedBrowser, *selectors: str) -> None:
    """See that nothing touches the edge of a narrow window or a wide one, or goes beyond it."""
    for width in (360, 1280):
        browser.resize(width)
        shown, content = browser.width()
        assert content <= shown == width
        for selector in selectors:
            assert browser.left_edge(selector) >= 8, (width, selector)


@pytest.mark.parametrize("scripts", [True, False])
def test_a_reset_is_opened_without_effect_and_pressed_once(
    settings: Settings,
    worker: WorkerContext,
    sessions: sessionmaker[Session],
    mail_sink: MailSink,
    tmp_path: Path,
    scripts: bool,
) -> None:
    with sessions.begin() as session:
        reader = make_actor(session, RoleName.READER)
        password_resets.request_reset(session, f"{reader.login}@example.org")
    run_ready_jobs(worker)
    link = link_in(mail_sink, r"reset-password\?token=\S+")
    before = password_hash(sessions, reader.user_id)
    with behind_nginx(settings, tmp_path) as port:
        address = f"http://{LOOPBACK}:{port}/cms/{link}"
        with PressedBrowser(tmp_path / "profile", scripts=scripts) as browser:
            browser.open(address)
            assert ("token" in browser.address()) is not scripts
            is_in_sight(browser, "h1", "button")
            assert password_hash(sessions, reader.user_id) == before
            browser.type("#password", "password1234")
            browser.press("button")
            browser.wait_for("is a common password")
            is_in_sight(browser, "h1", "#error", "button")
            browser.type("#password", NEW_PASSWORD)
            browser.press("button")
            browser.wait_for("Your password is set")
            after = password_hash(sessions, reader.user_id)
            assert after != before
            assert "password=" not in browser.address()
            browser.open("about:blank")
            browser.open(address)
            browser.type("#password", "another password of a browser")
            browser.press("button")
            browser.wait_for("This reset token is unknown, used or expired.")
        assert may_log_in(port, reader.login, NEW_PASSWORD)
    assert password_hash(sessions, reader.user_id) == after


@pytest.mark.parametrize("scripts", [True, False])
def test_an_address_is_confirmed_when_the_button_is_pressed_and_not_before(
    settings: Settings,
    worker: WorkerContext,
    sessions: sessionmaker[Session],
    mail_sink: MailSink,
    tmp_path: Path,
    scripts: bool,
) -> None:
    with sessions.begin() as session:
        reader = make_actor(session, RoleName.READER)
        verifications.request_again(session, reader.user_id)
    run_ready_jobs(worker)
    link = link_in(mail_sink, r"verify-email\?token=\S+")

    def is_verified() -> bool:
        with sessions() as session:
            return accounts.get_account(session, reader.user_id).email_verified

    with (
        behind_nginx(settings, tmp_path) as port,
        PressedBrowser(tmp_path / "profile", scripts=scripts) as browser,
    ):
        browser.open(f"http://{LOOPBACK}:{port}/cms/{link}")
        browser.wait_for(reader.login)
        is_in_sight(browser, "h1", "button")
        assert not is_verified()
        browser.press("button")
        browser.wait_for("Your address is confirmed")
    assert is_verified()


@pytest.mark.parametrize("scripts", [True, False])
def test_an_account_freezes_when_the_button_is_pressed_and_not_before(
    settings: Settings,
    worker: WorkerContext,
    sessions: sessionmaker[Session],
    mail_sink: MailSink,
    tmp_path: Path,
    scripts: bool,
) -> None:
    with sessions.begin() as session:
        reader = make_actor(session, RoleName.READER)
        enqueue(session, SendPasswordChanged(user_id=reader.user_id))
    run_ready_jobs(worker)
    link = link_in(mail_sink, r"freeze-account\?token=\S+")

    def is_frozen() -> bool:
        with sessions() as session:
            frozen = select(User.frozen_at).where(User.id == reader.user_id)
            return session.scalars(frozen).one() is not None

    with (
        behind_nginx(settings, tmp_path) as port,
        PressedBrowser(tmp_path / "profile", scripts=scripts) as browser,
    ):
        browser.open(f"http://{LOOPBACK}:{port}/cms/{link}")
        browser.wait_for(reader.login)
        assert ("token" in browser.address()) is not scripts
        is_in_sight(browser, "h1", "button")
        assert not is_frozen()
        browser.press_key("Tab", "Tab", 9)
        browser.press_key("Enter", "Enter", 13)
        browser.wait_for("The account is frozen")
        is_in_sight(browser, "h1", "p")
    assert is_frozen()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_copy_of_the_data_comes_when_the_button_is_pressed_and_not_before(
    settings: Settings,
    worker: WorkerContext,
    sessions: sessionmaker[Session],
    mail_sink: MailSink,
    tmp_path: Path,
    scripts: bool,
) -> None:
    with sessions.begin() as session:
        reader = make_actor(session, RoleName.READER)
        account_exports.ask(session, reader.user_id)
    run_ready_jobs(worker)
    link = link_in(mail_sink, r"export\?token=\S+")
    kept = tmp_path / "kept"
    kept.mkdir()
    fetched = select(ActivityLog.id).where(ActivityLog.action == "account.export.fetch")
    with (
        behind_nginx(settings, tmp_path) as port,
        PressedBrowser(tmp_path / "profile", scripts=scripts) as browser,
    ):
        browser.keep_downloads(kept)
        browser.open(f"http://{LOOPBACK}:{port}/cms/{link}")
        browser.wait_for("A copy of your data")
        assert ("token" in browser.address()) is not scripts
        is_in_sight(browser, "h1", "button")
        with sessions() as session:
            assert session.scalars(fetched).all() == []
        browser.press("button")
        file = await_file(kept / "my-data-1.zip")
        browser.open("about:blank")
        browser.open(f"http://{LOOPBACK}:{port}/cms/export?token=unknown")
        browser.wait_for("Log in and ask for another copy.")
    with zipfile.ZipFile(file) as files:
        assert files.testzip() is None
        assert any(reader.login.encode() in files.read(name) for name in files.namelist())
    with sessions() as session:
        assert len(session.scalars(fetched).all()) == 1


@pytest.mark.parametrize("scripts", [True, False])
def test_mails_end_when_the_button_is_pressed_and_not_before(
    settings: Settings,
    worker: WorkerContext,
    sessions: sessionmaker[Session],
    mail_sink: MailSink,
    tmp_path: Path,
    scripts: bool,
) -> None:
    with sessions.begin() as session:
        author, reader = make_actor(session), make_actor(session, RoleName.READER)
        follows.follow(session, reader, Target.AUTHOR, author.user_id)
        publishing.publish(session, author, make_content(session, author), None)
    run_ready_jobs(worker)
    link = link_in(mail_sink, r"unsubscribe\?\S+")

    def wants_mail() -> bool:
        with sessions() as session:
            return notifications.mail_wishes(session, reader.user_id).by_mail

    with (
        behind_nginx(settings, tmp_path) as port,
        PressedBrowser(tmp_path / "profile", scripts=scripts) as browser,
    ):
        browser.open(f"http://{LOOPBACK}:{port}/cms/{link}")
        is_in_sight(browser, "h1", "button")
        assert wants_mail()
        browser.press("button")
        browser.wait_for("You get no more of these mails.")
        is_in_sight(browser, "h1", "p")
    assert not wants_mail()
