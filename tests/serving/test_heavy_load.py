"""Promise: work that is heavy but honest holds up no reader."""

from tests.factories import Caller
from tests.running_api import RunningApi
from tests.serving.raw_client import as_json, ask, receive, request_bytes, sent, unanswered
from tests.serving.test_hanging_requests import READS
from webapp.serving.classes import CONTENTS

# Some seconds of a core for the renderer: ordinary paragraphs, and many of them.
PARAGRAPH = "A *word* with [a link](https://example.org/one) and `code`, **and** so on.\n\n"
LONG = PARAGRAPH * (400_000 // len(PARAGRAPH))


def test_long_texts_that_are_rendered_hold_up_nothing(api: RunningApi, editor: Caller) -> None:
    head = f"Authorization: Bearer {editor.token}\r\nIf-Match: *"
    ids = [
        editor.call("POST", "/content", {"title": f"Long {number}", "body": LONG}).get_json()["id"]
        for number in range(CONTENTS.threads)
    ]
    requests = [
        request_bytes("POST", f"/api/v1/content/{each}/publish", as_json({}), head=head)
        for each in ids
    ]
    meanwhile = 0
    with sent(api.port, requests) as sockets:
        while unanswered(sockets) == len(sockets):
            for path in READS:
                assert ask(api.port, request_bytes("GET", path))[0] == 200
            # Those that were asked before the first of the texts was done did not wait for it.
            meanwhile += unanswered(sockets) == len(sockets)
        answers = [receive(connection) for connection in sockets]
    assert meanwhile > 0
    assert 200 in {status for status, _, _ in answers}
    # On a busy machine the turn of one may not come; it is told to come again.
    assert all(status == 200 or "retry-after" in headers for status, headers, _ in answers)
