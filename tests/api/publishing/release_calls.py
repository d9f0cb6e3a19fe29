"""How tests put releases together, and let the workers do what they ask."""

from typing import Any

from tests.factories import Caller, run_ready_jobs
from workers.context import WorkerContext

PREPARE = {"release.prepare"}
RUN = {"release.prepare", "release.publish"}
ANY = {"If_Match": "*"}
LATER = "2099-01-01T00:00:00Z"


def write(caller: Caller, title: str, **fields: Any) -> int:
    """Write an item and return its id."""
    made = caller.call("POST", "/content", {"title": title, "body": "Text.", **fields})
    assert made.status_code == 201, made.get_json()
    return int(made.get_json()["id"])


def written(caller: Caller, content_id: int, **fields: Any) -> int:
    """Save another version of an item, and return the item's id."""
    saved = caller.call("PATCH", f"/content/{content_id}", fields, **ANY)
    assert saved.status_code == 200, saved.get_json()
    return content_id


def published(caller: Caller, title: str, **fields: Any) -> int:
    """Write an item, make it public, and return its id."""
    content_id = write(caller, title, **fields)
    shown = caller.call("POST", f"/content/{content_id}/publish", {}, **ANY)
    assert shown.status_code == 200, shown.get_json()
    return content_id


def begin(caller: Caller, *entries: Any, **fields: Any) -> str:
    """Begin a release with entries, each an id to publish or a pair of id and action."""
    made = caller.call("POST", "/releases", {"name": "Spring", **fields})
    assert made.status_code == 201, made.get_json()
    path = f"/releases/{made.get_json()['id']}"
    if entries:
        add(caller, path, *entries)
    return path


def add(caller: Caller, path: str, *entries: Any) -> Any:
    """Put items into a release."""
    wishes = [
        {"content_id": one[0], "action": one[1]} if isinstance(one, tuple) else {"content_id": one}
        for one in entries
    ]
    return do(caller, f"{path}/entries", {"entries": wishes})


def do(caller: Caller, path: str, json: Any = None) -> Any:
    """Ask for something whatever the revision is, and return the answer, which has to be a yes."""
    answer = caller.call("POST", path, json, **ANY)
    assert answer.status_code < 300, answer.get_json()
    return answer.get_json()


def refused(caller: Caller, path: str, json: Any = None, status: int = 409) -> Any:
    """Ask for something that has to be refused, and return the problem."""
    answer = caller.call("POST", path, json, **ANY)
    assert answer.status_code == status, answer.get_json()
    return answer.get_json()


def go_live(caller: Caller, worker: WorkerContext, path: str) -> Any:
    """Press, let the workers do it, and return the release as it is then."""
    do(caller, f"{path}/publish")
    run_ready_jobs(worker, kinds=RUN)
    return read(caller, path)


def read(caller: Caller, path: str) -> Any:
    """Return something as the caller reads it."""
    return caller.call("GET", path).get_json()


def public(caller: Caller, slug: str) -> Any:
    """Return what the public reads under a slug: its title, or the status of the answer."""
    answer = caller.client.get(f"/api/v1/published/{slug}")
    return answer.get_json()["title"] if answer.status_code == 200 else answer.status_code


def reasons(problem: Any) -> dict[int, str]:
    """Return the items that a problem names, and why."""
    return {
        int(error["field"].removeprefix("entries.")): error["reason"] for error in problem["errors"]
    }
