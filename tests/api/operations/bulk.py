"""How tests ask for bulk actions, and let the worker do them."""

from typing import Any

from tests.factories import Caller, run_ready_jobs
from workers.context import WorkerContext

RUN = {"bulk_action.run"}


def ask(caller: Caller, action: str, *paths: str, **fields: Any) -> str:
    """Ask for a bulk action on some items, or on those that fit `filter`, and return its path."""
    if paths:
        fields["content_ids"] = [id_of(path) for path in paths]
    answer = caller.call("POST", "/bulk-actions", {"action": action, **fields})
    assert answer.status_code == 202, answer.get_data(as_text=True)
    return str(answer.headers["Location"]).removeprefix("/api/v1")


def do(caller: Caller, worker: WorkerContext, action: str, *paths: str, **fields: Any) -> Any:
    """Ask for a bulk action, let it be done, and return what it says then."""
    path = ask(caller, action, *paths, **fields)
    run_ready_jobs(worker, kinds=RUN)
    return caller.call("GET", path).get_json()


def put_back(caller: Caller, worker: WorkerContext, bulk: Any) -> Any:
    """Undo a bulk action and return what the undo says in the end."""
    answer = caller.call("POST", f"/bulk-actions/{bulk['id']}/undo")
    assert answer.status_code == 202, answer.get_data(as_text=True)
    run_ready_jobs(worker, kinds=RUN)
    return caller.call("GET", f"/bulk-actions/{answer.get_json()['id']}").get_json()


def counts(bulk: Any) -> tuple[str, int, int, int, int]:
    """Return its state, and how many items it matched, did, skipped and failed at."""
    return (bulk["state"], bulk["matched"], bulk["done"], bulk["skipped"], bulk["failed"])


def outcomes(caller: Caller, bulk: Any, **query: str) -> dict[int, tuple[str, str | None]]:
    """Return what became of each item: its state and the reason."""
    asked = "&".join(["limit=100", *(f"{name}={value}" for name, value in query.items())])
    listed = caller.call("GET", f"/bulk-actions/{bulk['id']}/items?{asked}").get_json()
    return {one["content_id"]: (one["state"], one["reason"]) for one in listed["items"]}


def id_of(path: str) -> int:
    """Return the id of an item by its path."""
    return int(path.rpartition("/")[2])
