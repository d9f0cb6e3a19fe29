"""The work that the faults interrupt, done through the API, and what that acknowledged."""

import random
import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.chaos.rig import Rig
from tests.factories import Caller
from webapp.api.edge import ImprintApp
from webapp.kit.roles import RoleName

READERS = 25_000
COLUMN_READERS = 60
WIRE_READERS = 3
ITEMS_A_BATCH = 24
EDITED_AFTER_SCHEDULING = 3
DUE_AFTER_SECONDS = 0.9
SAVE_EVERY_SECONDS = 0.1
WORDS = ("press", "deadline", "column", "margin", "proof", "draft", "galley", "caption", "byline")

_MAKE_READERS = """
    WITH made AS (
        INSERT INTO users (login, email, email_hash, password_hash, display_name, role_id)
        SELECT 'reader-' || n, 'reader-' || n || '@example.org',
            sha256(convert_to('reader-' || n || '@example.org', 'UTF8')), 'no password',
            'Reader ' || n, (SELECT id FROM roles WHERE name = 'reader')
        FROM generate_series(1, %(readers)s) AS n
        RETURNING id, split_part(login, '-', 2)::int AS n
    ), mute AS (
        INSERT INTO notification_preferences (user_id, by_mail)
        SELECT id, false FROM made WHERE n > %(column)s
    )
    INSERT INTO follows (user_id, author_id)
    SELECT id, %(star_id)s FROM made
    UNION ALL SELECT id, %(columnist_id)s FROM made WHERE n <= 2 * %(column)s
    UNION ALL SELECT id, %(wire_id)s FROM made WHERE n <= %(wire)s
    RETURNING id
"""


@dataclass
class Acknowledged:
    """What was answered with success, and so has to be true in the end."""

    saves: dict[tuple[int, int], str] = field(default_factory=dict)
    publishes: Counter[int] = field(default_factory=Counter)
    schedules: dict[int, tuple[int, str]] = field(default_factory=dict)
    unanswered_saves: int = 0

    def save(self, item: dict[str, Any]) -> None:
        """Take note of a version that was acknowledged with this text."""
        self.saves[item["id"], item["version"]] = item["body"]


class Newsroom:
    """Three authors: one with a batch a round, one with mail readers, one with a great crowd."""

    def __init__(self, rig: Rig, app: ImprintApp, random_source: random.Random) -> None:
        self.acknowledged = Acknowledged()
        self._rig = rig
        self._random = random_source
        self._wire, self._columnist, self._star = (
            Caller(app.test_client(), RoleName.ADMIN) for _ in range(3)
        )
        rig.rows(
            _MAKE_READERS,
            readers=READERS,
            column=COLUMN_READERS,
            wire=WIRE_READERS,
            star_id=self._star.id,
            columnist_id=self._columnist.id,
            wire_id=self._wire.id,
        )
        self._withdrawn: list[int] = []

    def work(self, *, with_star: bool) -> datetime:
        """Do one round's work and return the moment at which its schedules are due."""
        due_at = datetime.now(UTC) + timedelta(seconds=DUE_AFTER_SECONDS)
        items = [self._write(self._wire) for _ in range(ITEMS_A_BATCH)]
        for item in items:
            self._schedule(item["id"], "publish", due_at)
        for item in items[:EDITED_AFTER_SCHEDULING]:
            self._edit(item["id"])
        self._schedule_again(due_at)
        self._publish(self._columnist)
        if with_star:
            self._publish(self._star)
        return due_at

    def bring_due(self) -> None:
        """Schedule one more item, which is due by the time that it is scheduled or so."""
        item = self._write(self._wire)
        self._schedule(item["id"], "publish", datetime.now(UTC) + timedelta(seconds=0.5))

    def _write(self, author: Caller) -> dict[str, Any]:
        item = _answer(author.call("POST", "/content", self._text()), 201)
        self.acknowledged.save(item)
        return item

    def _edit(self, content_id: int) -> None:
        changes = {"body": self._text()["body"]}
        answer = self._wire.call("PATCH", f"/content/{content_id}", changes, If_Match="*")
        self.acknowledged.save(_answer(answer, 200))

    def _publish(self, author: Caller) -> None:
        content_id = self._write(author)["id"]
        _answer(author.call("POST", f"/content/{content_id}/publish", {}, If_Match="*"), 200)
        self.acknowledged.publishes[content_id] += 1

    def _schedule(self, content_id: int, action: str, due_at: datetime) -> None:
        plan = {"action": action, "at": due_at.isoformat()}
        answer = self._wire.call("POST", f"/content/{content_id}/schedule", plan, If_Match="*")
        self.acknowledged.schedules[_answer(answer, 201)["id"]] = (content_id, action)

    def _schedule_again(self, due_at: datetime) -> None:
        """Bring one item of an earlier round out in a new version, and take another one back."""
        fired = self._rig.rows(
            """
            SELECT content_id FROM schedules WHERE content_id <> ALL (%(withdrawn)s)
            GROUP BY content_id HAVING bool_and(state = 'fired') ORDER BY content_id
            """,
            withdrawn=self._withdrawn,
        )
        if len(fired) < 2:
            return
        (updated,), (withdrawn,) = self._random.sample(fired, 2)
        self._edit(updated)
        self._schedule(updated, "publish", due_at)
        self._schedule(withdrawn, "unpublish", due_at)
        self._withdrawn.append(withdrawn)

    def _text(self) -> dict[str, Any]:
        words = self._random.choices(WORDS, k=40)
        return {"title": " ".join(words[:5]), "body": " ".join(words)}


class Editor(threading.Thread):
    """Somebody who saves all the time, through every fault, and remembers each answer."""

    def __init__(self, app: ImprintApp, acknowledged: Acknowledged, seed: int) -> None:
        super().__init__(name="editor")
        self.failure: AssertionError | None = None
        self._acknowledged = acknowledged
        self._random = random.Random(seed)
        self._done = threading.Event()
        self._caller = Caller(app.test_client(), RoleName.ADMIN)
        made = self._caller.call("POST", "/content", {"title": "Diary", "body": "First entry."})
        self._acknowledged.save(_answer(made, 201))
        self._path, self._etag = f"/content/{made.get_json()['id']}", made.headers["ETag"]

    def run(self) -> None:
        """Save until told to stop."""
        while not self._done.wait(SAVE_EVERY_SECONDS):
            try:
                self._save()
            except AssertionError as failure:
                self.failure = failure
                return

    def stop(self) -> None:
        """End the thread and wait for its end."""
        self._done.set()
        self.join()

    def _save(self) -> None:
        text = " ".join(self._random.choices(WORDS, k=60))
        answer = self._caller.call("PATCH", self._path, {"body": text}, If_Match=self._etag)
        if answer.status_code == 200:
            self._acknowledged.save(answer.get_json())
        else:
            # 412 follows a save whose commit went through and whose answer did not.
            assert answer.status_code in {412, 503}, answer.get_data(as_text=True)
            self._acknowledged.unanswered_saves += answer.status_code == 503
            answer = self._caller.call("GET", self._path)
        if answer.status_code == 200:
            self._etag = answer.headers["ETag"]


def _answer(response: Any, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.get_data(as_text=True)
    answered: dict[str, Any] = response.get_json()
    return answered
