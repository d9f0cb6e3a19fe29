"""Promise: work that is heavy but honest holds up no reader."""

from tests.factories import Caller
from tests.running_api import RunningApi
from tests.serving.raw_client import (
    as_json,
    receive,
    request_bytes,
    sent,
)
from tests.serving.test_hanging_requests import reads_are_answered_while
from webapp.serving.classes import CONTENTS

# Some seconds of a core for the renderer: ordinary paragraphs, and many of them.
PARAGRAPH = "A *word* with [a link](https://example.org/one) and `code`, **and** so on.\n\n"
LONG = PARAGRAPH * (400_000 // len(PARAGRAPH))


def test_long_texts_that_are_rendered_hold_up_nothing(api: RunningApi, editor: Caller) -> None:
    head = f"Authorization: Bearer {editor.token}\r\nIf-Match: *"
    ids = [
        editor.call("POST", "/content", {"title": f"Long {number}", "body": LONG}).get_json()["id"]
        for number in range(4)
    ]
    requests = [
        request_bytes("POST", f"/api/v1/content/{each}/publish", as_json({}), head=head)
        for each in ids
    ]
    with sent(api.port, requests) as sockets:
        reads_are_answered_while(sockets, api.port)
        answers = [receive(connection) for connection in sockets]
    # On a busy machine the turn of the last may not come; those are told that nothing was done.
    done = [status for status, _, _ in answers if status == 200]
    refused = [body for status, headers, body in answers if "retry-after" in headers]
    assert len(done) >= CONTENTS.threads
    assert len(done) + len(refused) == len(ids)
    assert all(b"nothing was done" in body for body in refused)
