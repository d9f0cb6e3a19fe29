"""A site with plans of every kind, what is foreseen of it, and how it comes true."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from flask.testing import FlaskClient
from sqlalchemy import text

from tests.factories import Caller
from webapp.kit.clock import utc_now
from webapp.services.publishing import firing, going_live
from workers.context import WorkerContext

_UPDATED = re.compile(r'("updated_at" : )"[^"]*"')


def asked(at: datetime, path: str = "") -> str:
    """Return the address of a public read, for a moment."""
    sign = "&" if "?" in path else "?"
    return f"{path}{sign}at={quote(at.isoformat())}"


def plan(editor: Caller, content_id: int, at: datetime, action: str = "publish") -> int:
    """Plan an action, with the newest version."""
    body = {"action": action, "at": at.isoformat()}
    made = editor.call("POST", f"/content/{content_id}/schedule", body, If_Match="*")
    assert made.status_code == 201, made.get_json()
    schedule_id: int = made.get_json()["id"]
    return schedule_id


def come_true(worker: WorkerContext, at: datetime) -> None:
    """Let the moment come: carry out one after the other what is planned up to it."""
    with worker.transaction() as session:
        due = session.scalars(
            text(
                "SELECT id FROM schedules WHERE state = 'pending' AND due_at <= :at"
                " ORDER BY due_at, id"
            ),
            {"at": at},
        ).all()
    for schedule_id in due:
        with worker.transaction() as session:
            session.execute(
                text("UPDATE schedules SET state = 'handed' WHERE id = :id"), {"id": schedule_id}
            )
            result = firing.fire(session, [schedule_id], missed_after_seconds=60)
            assert result.fired == [schedule_id]


@dataclass
class Site:
    """Items by their names, and the moments at which something happens."""

    editor: Caller
    anybody: FlaskClient
    ids: dict[str, int] = field(default_factory=dict)
    moments: list[datetime] = field(default_factory=list)

    def write(self, name: str, **fields: Any) -> int:
        """Write an item that is named by its slug."""
        given = {"title": f"About {name}", "slug": name, "body": f"The *{name}* text.", **fields}
        made = self.editor.call("POST", "/content", given)
        assert made.status_code == 201, made.get_json()
        self.ids[name] = made.get_json()["id"]
        return self.ids[name]

    def bring_out(self, name: str, **fields: Any) -> int:
        """Write an item and publish it."""
        content_id = self.write(name, **fields)
        self.succeed("POST", f"/content/{content_id}/publish", {})
        return content_id

    def edit(self, name: str, **changes: Any) -> None:
        """Make a newer version of an item."""
        self.succeed("PATCH", f"/content/{self.ids[name]}", changes)

    def succeed(self, method: str, path: str, json: Any = None) -> Any:
        """Call the API as the editor, which has to say yes."""
        answer = self.editor.call(method, path, json, If_Match="*")
        assert answer.status_code < 300, (path, answer.get_json())
        return answer.get_json()

    def foresee(self, path: str, at: datetime) -> tuple[int, str]:
        """Return what the editor is told of a public address for a moment."""
        return _said(self.editor.call("GET", asked(at, path)))

    def see(self, path: str) -> tuple[int, str]:
        """Return what anybody is told of it now."""
        return _said(self.anybody.get(f"/api/v1{path}"))


def _said(answer: Any) -> tuple[int, str]:
    """Return what differs in nothing but the moment of the firing, the request and the address."""
    if answer.status_code == 301:
        return 301, answer.headers["Location"].partition("?")[0]
    if answer.status_code != 200:
        return answer.status_code, ""
    return 200, _UPDATED.sub(r"\1", answer.get_data(as_text=True))


def make_site(editor: Caller, admin: Caller, anybody: FlaskClient) -> Site:
    """Write a site on which everything that can be planned is planned."""
    site = Site(editor, anybody)
    site.moments = [utc_now() + timedelta(days=days) for days in (1, 2, 3)]
    first, second, third = site.moments
    shore = admin.call("POST", "/categories", {"name": "Shore"}).get_json()["id"]
    below = {"name": "Rocks", "parent_id": shore}
    rocks = admin.call("POST", "/categories", below).get_json()["id"]
    site.bring_out("stays", tags=["Tide"], category_id=shore)
    site.bring_out("changes", category_id=rocks, origin="assisted")
    site.edit("changes", slug="changed", title="Changed harbour", tags=["Tide", "Hidden Word"],
              category_id=shore)  # fmt: skip
    plan(editor, site.ids["changes"], second)
    site.bring_out("loses", tags=["Tide"], category_id=shore, body="harbour")
    site.edit("loses", tags=[], category_id=None, body="Nothing of it.", origin="human")
    plan(editor, site.ids["loses"], second)
    site.bring_out("goes", tags=["Tide"], category_id=rocks, body="harbour")
    plan(editor, site.ids["goes"], second, "unpublish")
    plan(editor, site.write("comes", tags=["Tide", "hidden word"], category_id=shore,
                            body="To the harbour", origin="assisted"), first)  # fmt: skip
    plan(editor, site.write("visits", tags=["Tide"], category_id=rocks, body="harbour"), first)
    plan(editor, site.ids["visits"], third, "unpublish")
    plan(editor, site.write("late", category_id=shore), third)
    site.write("draft", tags=["Tide"], category_id=shore, body="harbour")
    return site


def go_live(worker: WorkerContext, release_id: int) -> None:
    """Let the moment of a release come."""
    with worker.transaction() as session:
        revision = session.scalars(
            text("SELECT revision FROM releases WHERE id = :id"), {"id": release_id}
        ).one()
        outcome = going_live.go_live(session, release_id, revision, missed_after_seconds=60)
        assert outcome is not None
        assert outcome.state == "live", outcome
