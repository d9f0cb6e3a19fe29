"""One successful call of each route that writes releases."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import select

from webapp.kit.roles import RoleName
from webapp.models import Release
from webapp.services.accounts.actors import Actor
from webapp.services.publishing import going_live, release_preparation

NAMED = {"name": "Spring"}
SOON = {"at": "2099-01-01T00:00:00Z"}


def _begun(room: Any) -> str:
    return f"/releases/{room.do('POST', '/releases', NAMED).get_json()['id']}"


def _filled(room: Any) -> str:
    path = _begun(room)
    content_id = int(room.item().rpartition("/")[2])
    room.do("POST", f"{path}/entries", {"entries": [{"content_id": content_id}]})
    return path


def _scheduled(room: Any) -> str:
    path = _filled(room)
    room.do("POST", f"{path}/schedule", SOON)
    return path


def _live(room: Any) -> str:
    path = _filled(room)
    room.do("POST", f"{path}/publish")
    with room.sessions() as session:
        release = session.scalars(select(Release).order_by(Release.id.desc()).limit(1)).one()
        batch = release_preparation.read_batch(session, release.id)
        rendered = release_preparation.render(batch)
        release_preparation.note(session, _actor(room), batch, rendered)
        going_live.go_live(session, release.id, release.revision, missed_after_seconds=3600)
        session.commit()
    return path


def _actor(room: Any) -> Any:
    return Actor(room.admin.id, room.admin.login, RoleName.ADMIN)


def _removed(room: Any) -> Any:
    path = _filled(room)
    held = room.do("GET", f"{path}/entries").get_json()["items"]
    named = {"content_ids": [one["content_id"] for one in held]}
    return room.do("POST", f"{path}/entries/remove", named)


def _added(room: Any) -> Any:
    path = _begun(room)
    content_id = int(room.item().rpartition("/")[2])
    return room.do("POST", f"{path}/entries", {"entries": [{"content_id": content_id}]})


_ONE = "/api/v1/releases/<int:release_id>"
RELEASE_WRITES: dict[str, Callable[[Any], Any]] = {
    "POST /api/v1/releases": lambda room: room.do("POST", "/releases", NAMED),
    f"PATCH {_ONE}": lambda room: room.do("PATCH", _begun(room), {"name": "Autumn"}),
    f"DELETE {_ONE}": lambda room: room.do("DELETE", _begun(room)),
    f"POST {_ONE}/entries": _added,
    f"POST {_ONE}/entries/remove": _removed,
    f"POST {_ONE}/approve": lambda room: room.do("POST", f"{_filled(room)}/approve"),
    f"POST {_ONE}/schedule": lambda room: room.do("POST", f"{_filled(room)}/schedule", SOON),
    f"POST {_ONE}/publish": lambda room: room.do("POST", f"{_filled(room)}/publish"),
    f"POST {_ONE}/cancel": lambda room: room.do("POST", f"{_scheduled(room)}/cancel"),
    f"POST {_ONE}/undo": lambda room: room.do("POST", f"{_live(room)}/undo"),
}
