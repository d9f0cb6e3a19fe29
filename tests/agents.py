"""Agents of an account: callers that come with an API key and name their run."""

from itertools import count
from typing import Any

from tests.factories import PASSWORD, Caller

ALL = ("read", "propose", "publish", "send", "manage")
QUIET = {"notify": False}
SOON = "2099-01-01T00:00:00+00:00"
LATER = "2099-02-01T00:00:00+00:00"
UNDO = "/activity/sessions/run-7/undo"
_numbers = count(1)


class Agent:
    """A client with a key of an account, which calls its runs by a name."""

    def __init__(self, owner: Caller, *scopes: str, run: str = "run-7") -> None:
        """Let the owner make the key."""
        asked = {
            "name": f"agent {next(_numbers)}", "scopes": list(scopes), "expires_in_days": 1,
            "password": PASSWORD,
        }  # fmt: skip
        made = owner.call("POST", "/auth/api-keys", asked).get_json()
        self.owner, self.run = owner, run
        self.key_id, self.caller = made["id"], Caller.__new__(Caller)
        self.caller.client, self.caller.id = owner.client, owner.id
        self.caller.token = made["key"]

    def call(self, method: str, path: str, json: Any = None, run: str | None = None) -> Any:
        """Call the API, whatever the revision is."""
        named = {"If_Match": "*", "Agent_Session": run or self.run}
        answer = self.caller.call(method, path, json, **named)
        assert answer.status_code < 300, answer.get_data(as_text=True)
        return answer.get_json()

    def write(self, **fields: Any) -> str:
        """Write an item and return its path."""
        return f"/content/{self.call('POST', '/content', {'title': 'Draft', **fields})['id']}"


def undo(caller: Caller, path: str = UNDO, **body: Any) -> dict[str, Any]:
    """Undo a session and return the answer."""
    answer = caller.call("POST", path, body)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    report: dict[str, Any] = answer.get_json()
    return report


def reasons(report: dict[str, Any]) -> dict[str, str]:
    """Return why things were left, by their part where it is one of an account."""
    return {
        left["subject"]["kind"] if left["part"] == "whole" else left["part"]: left["reason"]
        for left in report["left"]
    }


def undone(report: dict[str, Any]) -> list[tuple[str, int]]:
    """Return what was put back."""
    return [(one["subject"]["kind"], one["subject"]["id"]) for one in report["undone"]]


def write(caller: Caller, **fields: Any) -> str:
    """Write an item by hand and return its path."""
    made = caller.call(
        "POST",
        "/content",
        {"title": "Item", "slug": f"item-{next(_numbers)}", "body": "First.", **fields},
    )
    return f"/content/{made.get_json()['id']}"


def by_hand(caller: Caller, method: str, path: str, json: Any = None) -> Any:
    """Change something by hand, whatever its revision is."""
    answer = caller.call(method, path, json, If_Match="*")
    assert answer.status_code < 300, answer.get_data(as_text=True)
    return answer.get_json()


def read(caller: Caller, path: str) -> Any:
    """Read something."""
    answer = caller.call("GET", path)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_json()


def published(caller: Caller, path: str) -> Any:
    """Read what the public sees of an item, None where that is nothing."""
    answer = caller.client.get(f"/api/v1/published/{read(caller, path)['slug']}")
    return answer.get_json() if answer.status_code == 200 else None


def plans(caller: Caller, path: str) -> list[tuple[str, str, int | None, str]]:
    """Return the open schedules of an item."""
    listed = read(caller, f"{path}/schedule")["items"]
    return [(one["action"], one["at"], one["version"], one["if_missed"]) for one in listed]
