"""How a message lies in its job's row, and how a row of an older or a newer release is read.

Releases run side by side while they are rolled out. A payload says which version of its message's
shape it has; one that says nothing has version 1, as all had before they said it, so that a kind
whose shape never changed is written as ever.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from webapp.jobs.message import Message
from webapp.jobs.outcomes import PermanentError

VERSION_KEY = "payload_version"

AnyMessage = TypeVar("AnyMessage", bound=Message)


class NewerPayloadError(Exception):
    """A newer release has written this payload, and this one cannot know what it says."""


def write_payload(message: Message) -> dict[str, Any]:
    """Return what goes into the row of the message's job."""
    return {**message.model_dump(mode="json"), **version_mark(type(message))}


def version_mark(message_type: type[Message]) -> dict[str, int]:
    """Return what a payload says of its version, for statements that put the rest together."""
    version = message_type.payload_version
    return {} if version == 1 else {VERSION_KEY: version}


def read_payload(message_type: type[AnyMessage], payload: Mapping[str, Any]) -> AnyMessage:
    """Return the message that a row holds, also where an older release has written it.

    Raises NewerPayloadError; PermanentError and pydantic's ValidationError where the payload is not
    what its version says. A field too many is such a fault: a new field is a new version.
    """
    version = payload.get(VERSION_KEY, 1)
    if type(version) is not int or version < 1:
        raise PermanentError("The version of the payload is no number from 1 up.")
    known = message_type.payload_version
    if version > known:
        raise NewerPayloadError(
            f"This release knows version {known} of {message_type.kind}, and no version {version}."
        )
    fields = {name: value for name, value in payload.items() if name != VERSION_KEY}
    if version < known:
        fields = message_type.fields_of_older(version, fields)
    return message_type.model_validate(fields)
