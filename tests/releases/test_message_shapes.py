"""The shapes of all messages, each version that a row may still have: what the last release wrote.

`message_shapes.json` keeps them. A change of a shape is a new entry in it, never another text of an
old one, except that the one of the present version may change until a release has it.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from webapp.jobs.message import Message
from webapp.jobs.messages import MESSAGES
from webapp.jobs.payloads import VERSION_KEY, read_payload

KEPT: dict[str, dict[str, Any]] = json.loads(
    Path(__file__).with_name("message_shapes.json").read_text()
)


def shape_of(message: type[Message]) -> dict[str, Any]:
    """Return the fields of a message: their types, and which of them have to be there."""
    schema = message.model_json_schema()
    fields = schema["properties"].values()
    for field in fields:
        field.pop("title")
    return {"properties": schema["properties"], "required": sorted(schema.get("required", []))}


@pytest.mark.parametrize("message", MESSAGES.values(), ids=list(MESSAGES))
def test_the_shape_of_a_message_changes_with_its_version_alone(message: type[Message]) -> None:
    versions = KEPT.get(message.kind, {})
    assert set(versions) <= {str(n + 1) for n in range(message.payload_version)}
    kept = versions.get(str(message.payload_version), {})
    assert kept.get("shape") == shape_of(message), (
        "see “Change the payload of a job” in docs/recipes.md"
    )


@pytest.mark.parametrize(
    ("kind", "version"), [(kind, version) for kind in KEPT for version in KEPT[kind]]
)
def test_a_row_of_each_kept_version_is_read(kind: str, version: str) -> None:
    payload = KEPT[kind][version]["example"]
    assert payload.get(VERSION_KEY, 1) == int(version)
    assert read_payload(MESSAGES[kind], payload)
