"""One walk through a running Imprint, over HTTP: every process has a part in it."""

import json
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from tests.patience import HANG_SECONDS

PASSWORD = "a password for a walk"
TITLE = "All the way to the follower"
SLUG = "all-the-way"


def walk(
    base: str, owner_url: str, mails: Path, wait: Callable[[Callable[[], bool]], None]
) -> None:
    """Schedule an item of an author who is followed, and see it public, told and mailed.

    `mails` is the folder of a mail sink; `wait` returns when a condition has come true.
    """
    author, reader = (Person(base, login) for login in ("walking-author", "walking-reader"))
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute(
            "UPDATE users SET role_id = (SELECT id FROM roles WHERE name = 'editor') WHERE id = %s",
            (author.id,),
        )
    reader.call("PUT", f"/follows/author/{author.id}")
    item = {"title": TITLE, "slug": SLUG, "body": "Some *text*.", "tags": ["walks"]}
    content_id = author.call("POST", "/content", item)["id"]
    soon = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    plan = {"action": "publish", "at": soon}
    author.call("POST", f"/content/{content_id}/schedule", plan, {"If-Match": "*"})
    reader.call("POST", "/auth/password-reset", {"email": reader.email})

    wait(lambda: bool(reader.call("GET", "/notifications")["items"]))
    assert "<em>text</em>" in reader.call("GET", f"/published/{SLUG}")["html"]
    # The proof of the address, the reset, and the news.
    wait(lambda: len(mails_to(mails, reader.email)) == 3)
    assert sum(TITLE in mail for mail in mails_to(mails, reader.email)) == 1
    author.call("POST", f"/content/{content_id}/unpublish", {}, {"If-Match": "*"})


def mails_to(mails: Path, address: str) -> list[str]:
    """Return the mails in a sink's folder that go to an address."""
    texts = [path.read_text(encoding="utf-8") for path in mails.glob("*.eml")]
    return [text for text in texts if f"To: {address}" in text]


class Person:
    """An account that was made and logged in over HTTP."""

    def __init__(self, base: str, login: str) -> None:
        """Register and log in."""
        self._base = f"{base}/api/v1"
        self._headers = {"Content-Type": "application/json"}
        self.email = f"{login}@example.org"
        credentials = {"login": login, "password": PASSWORD}
        self.id: int = self.call("POST", "/accounts", {**credentials, "email": self.email})["id"]
        token = self.call("POST", "/auth/token", credentials)["access_token"]
        self._headers["Authorization"] = f"Bearer {token}"

    def call(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> Any:
        """Call the API and return what it answers; any error ends the walk."""
        request = urllib.request.Request(
            f"{self._base}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={**self._headers, **(headers or {})},
        )
        with urllib.request.urlopen(request, timeout=HANG_SECONDS) as answer:
            return json.loads(answer.read() or b"null")
