"""Promise: a browser lets pages of named origins call the API, and no other page.

Two origins serve the same page, which changes its reader's profile with a token.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from dev.ports import LOOPBACK, free_port
from tests.factories import Caller
from tests.pages.pressed_browser import CHROMIUM, PressedBrowser
from tests.running_api import running_api
from webapp.kit.roles import RoleName
from webapp.settings import Settings

PAGE = """<!doctype html><title>A page</title><p id="told">nothing yet</p><script>
const told = document.querySelector("#told"), [address, token] = %s;
const headers = {Authorization: `Bearer ${token}`};
fetch(address, {headers}).then(async (seen) => {
  const changed = await fetch(address, {
    method: "PATCH", body: JSON.stringify({bio: "Written by a page"}),
    headers: {...headers, "Content-Type": "application/json", "If-Match": seen.headers.get("ETag")},
  });
  told.textContent = `answered ${changed.status}`;
}).catch(() => { told.textContent = "kept away"; });
</script>"""

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="wants chromium on this machine")


@contextmanager
def origin(port: int, page: str) -> Iterator[str]:
    """Serve one page from an origin of its own."""

    class OnePage(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer((LOOPBACK, port), OnePage) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{LOOPBACK}:{port}"
        server.shutdown()


def test_a_page_may_call_the_api_where_its_origin_is_named(
    settings: Settings, client: FlaskClient, tmp_path: Path
) -> None:
    reader = Caller(client, RoleName.READER)
    named, other = free_port(), free_port()
    origins = f"http://{LOOPBACK}:{named}"
    with running_api(settings, tmp_path, IMPRINT_CORS_ORIGINS=origins) as api:
        address = f"http://{LOOPBACK}:{api.port}/api/v1/accounts/me"
        page = PAGE % json.dumps([address, reader.token])
        with (
            origin(other, page) as stranger,
            origin(named, page) as friend,
            PressedBrowser(tmp_path / "browser") as browser,
        ):
            browser.open(stranger)
            browser.wait_for("kept away")
            assert reader.call("GET", "/accounts/me").get_json()["bio"] == ""
            browser.open(friend)
            browser.wait_for("answered 200")
    assert reader.call("GET", "/accounts/me").get_json()["bio"] == "Written by a page"
