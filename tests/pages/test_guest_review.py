"""The page of a guest's review in a real browser: it is read, and answered once, without a script.

The API stands below a path and behind nginx, as in `test_browser`.
"""

from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from dev.mail_sink import MailSink
from dev.ports import LOOPBACK
from tests.factories import make_actor, make_content, run_ready_jobs
from tests.nginx import NGINX, behind_nginx
from tests.pages.pressed_browser import CHROMIUM, PressedBrowser
from tests.pages.test_pressed_pages import link_in
from webapp.kit.roles import RoleName
from webapp.models import Review
from webapp.services.content import content
from webapp.services.publishing import publishing, review_links, reviews
from webapp.services.publishing.review_links import Guest
from webapp.settings import Settings
from workers.context import WorkerContext

BODY = "The tide comes in.\n\n| a | b |\n|---|---|\n| " + "wide " * 60 + "| c |\n\n" + "x" * 400

pytestmark = pytest.mark.skipif(
    CHROMIUM is None or NGINX is None, reason="wants chromium and nginx on this machine"
)


CONTRAST = """(selector => {
            const lit = colour => {
                const parts = colour.match(/[0-9.]+/g).slice(0, 3).map(part => {
                    const share = part / 255;
                    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
                });
                return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
            };
            let behind = document.querySelector(selector);
            const text = lit(getComputedStyle(behind).color);
            const clear = 'rgba(0, 0, 0, 0)';
            while (getComputedStyle(behind).backgroundColor === clear) {
                behind = behind.parentElement;
            }
            const back = lit(getComputedStyle(behind).backgroundColor);
            return (Math.max(text, back) + 0.05) / (Math.min(text, back) + 0.05);
        })"""


def contrast(browser: PressedBrowser, selector: str) -> float:
    """Return how well a text stands out from what is behind it (WCAG 2.2, 1.4.3)."""
    ratio: float = browser.run(f"{CONTRAST}({selector!r})")
    return ratio


def fits(browser: PressedBrowser, *selectors: str) -> None:
    """See that a narrow window and a wide one are read without moving sideways."""
    for width in (360, 1280):
        browser.resize(width)
        shown, content_width = browser.width()
        assert content_width <= shown
        for selector in selectors:
            assert browser.left_edge(selector) >= 8, (width, selector)


def tab_to(browser: PressedBrowser, name: str) -> None:
    """Go on by the keyboard until it is at a field; a wide table is a stop as well."""
    for _ in range(5):
        browser.press_key("Tab", "Tab", 9)
        if browser.run("document.activeElement.name") == name:
            return
    pytest.fail(f"{name} is not reached by the keyboard")


def invite(sessions: sessionmaker[Session]) -> None:
    """Let a guest be asked by mail about the second version of something public."""
    with sessions.begin() as session:
        editor = make_actor(session, RoleName.EDITOR)
        item = make_content(session, editor, title="On tides", body=BODY)
        publishing.publish(session, editor, item, None)
        content.edit(session, editor, item, None, {"body": BODY.replace("in.", "out.")})
        review_id = reviews.submit(session, editor, item, None)
        guest = Guest("Ada", "ada@example.org", "review")
        review_links.make(session, editor, item, review_id, guest, hours=None, most_hours=720)


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_guest_reads_what_changed_and_answers_by_keyboard(
    settings: Settings, worker: WorkerContext, sessions: sessionmaker[Session],
    mail_sink: MailSink, tmp_path: Path, scheme: str, scripts: bool,
) -> None:  # fmt: skip
    invite(sessions)

    def state() -> str:
        with sessions() as session:
            return session.scalars(select(Review.state)).one()

    run_ready_jobs(worker, kinds={"review_link.send"})
    link = link_in(mail_sink, r"review\?token=\S+")
    with (
        behind_nginx(settings, tmp_path) as port,
        PressedBrowser(tmp_path / "profile", scripts=scripts) as browser,
    ):
        browser.prefer(scheme)
        browser.open(f"http://{LOOPBACK}:{port}/cms/{link}")
        browser.wait_for("What do you say, Ada?")
        fits(browser, "h1", "ins", "del", "fieldset", "textarea", "button")
        for selector in ("p", "ins", "del", "legend", ".hint", "button"):
            assert contrast(browser, selector) >= 4.5, selector
        assert state() == "open"
        tab_to(browser, "decision")
        browser.press_key(" ", "Space", 32)
        tab_to(browser, "comment")
        browser.type_here("Well said.")
        browser.press_key("Tab", "Tab", 9)
        browser.press_key("Enter", "Enter", 13)
        browser.wait_for("Your answer has been passed on.")
        assert "token" not in browser.address()
        fits(browser, "h1", "p")
        browser.open(f"http://{LOOPBACK}:{port}/cms/{link}")
        browser.wait_for("This link was answered on")
    assert state() == "approved"
