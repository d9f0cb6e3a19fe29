"""Promises of pages in a real browser: they work under their own Content-Security-Policy.

Below a path and behind nginx, which is the harder case: every address in a page is relative.
"""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.ports import LOOPBACK
from tests.nginx import NGINX, behind_nginx
from tests.patience import HANG_SECONDS
from webapp.settings import Settings

CHROMIUM = shutil.which("chromium", path="/usr/bin")
OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--enable-logging=stderr", "--virtual-time-budget=20000", "--dump-dom",
)  # fmt: skip

pytestmark = pytest.mark.skipif(
    CHROMIUM is None or NGINX is None, reason="wants chromium and nginx on this machine"
)


class Browser:
    """A browser that opens one page of the API at a time and keeps nothing."""

    def __init__(self, root: str, folder: Path) -> None:
        """Open nothing yet."""
        self._root = root
        self._folder = folder

    def open(self, page: str) -> tuple[str, str]:
        """Return what a page has become, and what the browser complains of in its console."""
        assert CHROMIUM is not None
        profile = f"--user-data-dir={self._folder}"
        done = subprocess.run(
            [CHROMIUM, *OPTIONS, profile, f"{self._root}{page}"],
            capture_output=True,
            text=True,
            timeout=HANG_SECONDS,
            check=True,
        )
        complaints = ("Content Security Policy", "Content-Security-Policy", "Uncaught")
        lines = [line for line in done.stderr.splitlines() if any(c in line for c in complaints)]
        return done.stdout, "\n".join(lines)


@pytest.fixture
def browser(settings: Settings, tmp_path: Path) -> Iterator[Browser]:
    """A browser before the API, which stands below a path."""
    with behind_nginx(settings, tmp_path, IMPRINT_BASE_URL="http://127.0.0.1/cms") as port:
        yield Browser(f"http://{LOOPBACK}:{port}/cms/", tmp_path / "profile")


def test_pages_work_in_a_browser_under_their_own_policy(browser: Browser) -> None:
    docs, complaints = browser.open("docs")
    assert complaints == ""
    # What the viewer makes of the document; neither the page nor the viewer holds these words.
    assert "Login and sessions" in docs
    assert "/cms" in docs

    for page in ("reset-password?token=abc", "reset-password", "verify-email?token=abc"):
        shown, complaints = browser.open(page)
        assert complaints == "", page
        assert "<h1>" in shown, page

    form, complaints = browser.open("unsubscribe?reader=1&key=x")
    assert complaints == ""
    assert "End these mails" in form


def test_a_browser_tells_of_what_a_policy_keeps_from_a_page(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    policy = "<meta http-equiv=Content-Security-Policy content=\"script-src 'none'\">"
    page.write_text(f"<!doctype html>{policy}<script>document.title = 'ran'</script>")
    document, complaints = Browser("file://", tmp_path / "profile").open(str(page))
    assert "ran</title>" not in document
    assert "Content Security Policy" in complaints
