"""Promises about comments of agents: they go with the session, and keep no text from going back."""

from tests.agents import Agent, by_hand, read, reasons, undo, write
from tests.factories import Caller

SAID = {"body": "This is not so."}


def test_what_an_agent_said_is_taken_back_unless_it_was_answered(
    manager: Caller, agent: Agent
) -> None:
    path = f"{write(manager)}/comments"
    gone, answered = agent.call("POST", path, SAID), agent.call("POST", path, SAID)
    kept = by_hand(manager, "POST", path, SAID)
    for thread in (gone, answered, kept):
        agent.call("POST", f"{path}/threads/{thread['id']}/replies", SAID)
    agent.call("PATCH", f"{path}/{gone['first']['id']}", {"body": "It is so."})
    said = read(manager, f"{path}/threads/{answered['id']}")["items"]
    by_hand(manager, "POST", f"{path}/threads/{answered['id']}/replies", SAID)

    for trial in (True, False):
        (left,) = undo(manager, dry_run=trial)["left"]
        assert (left["reason"], left["subject"]["kind"]) == ("answered", "content")
        assert left["comment_ids"] == [one["id"] for one in said]

    counts = {one["id"]: one["comment_count"] for one in read(manager, path)["items"]}
    assert counts == {answered["id"]: 3, kept["id"]: 1}


def test_threads_are_settled_as_they_were(manager: Caller, agent: Agent) -> None:
    path = f"{write(manager)}/comments"
    threads = [by_hand(manager, "POST", path, SAID)["id"] for _ in range(3)]
    first, second, third = (f"{path}/threads/{thread_id}" for thread_id in threads)
    by_hand(manager, "POST", f"{second}/resolve")
    agent.call("POST", f"{first}/resolve")
    agent.call("POST", f"{second}/reopen")
    for move in ("resolve", "reopen"):
        agent.call("POST", f"{third}/{move}")

    assert undo(manager)["left"] == []

    settled = [read(manager, one)["thread"]["resolved_at"] is not None for one in (first, second)]
    assert settled == [False, True]
    assert read(manager, third)["thread"]["resolved_at"] is None


def test_comments_of_others_keep_no_text_from_being_put_back(manager: Caller, agent: Agent) -> None:
    path = write(manager)
    agent.call("PATCH", path, {"body": "Worse."})
    by_hand(manager, "POST", f"{path}/comments", SAID)
    assert undo(manager)["left"] == []
    assert read(manager, path)["body"] == "First."
    assert len(read(manager, f"{path}/comments")["items"]) == 1


def test_words_that_a_session_changed_or_deleted_are_not_to_be_had_again(
    manager: Caller, agent: Agent
) -> None:
    path = f"{write(manager)}/comments"
    made = by_hand(manager, "POST", path, SAID)
    agent.call("DELETE", f"{path}/{made['first']['id']}")
    assert reasons(undo(manager)) == {"content": "irreversible"}


def test_a_new_draft_goes_to_the_trash_with_what_was_said_of_it(
    manager: Caller, agent: Agent
) -> None:
    path = agent.write()
    comments = f"{path}/comments"
    thread = agent.call("POST", comments, SAID)
    agent.call("POST", f"{comments}/threads/{thread['id']}/resolve")
    agent.call("DELETE", path)
    assert undo(manager)["left"] == []
    assert read(manager, path)["status"] == "trashed"
    assert read(manager, comments)["items"] == []
