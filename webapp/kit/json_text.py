"""JSON as RFC 8259 wants it from who writes it: UTF-8, no NaN, and no member of an object twice."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


class NotJsonError(ValueError):
    """The text is no JSON, although readers of JSON may take it; the message says why."""


MOST_NAMED = 20
"""How many repeated members are named; the rest is found when these are mended."""


def repeated_members(text: bytes) -> list[str]:
    """Return the dotted paths of the members that an object of this text holds more than once.

    Which of two wins differs from reader to reader. A text that cannot be read has none: saying
    what is wrong with it is left to who reads it for its values. Raises NotJsonError for a byte
    order mark, and for NaN and Infinity.
    """
    if text.startswith(b"\xef\xbb\xbf"):
        raise NotJsonError("It begins with a byte order mark.")
    # The objects are kept with their names, so that no other one gets the id of one of them.
    repeated: dict[int, tuple[dict[str, Any], list[str]]] = {}

    def keep(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) < len(pairs):
            repeated[id(members)] = members, _twice(name for name, _ in pairs)
        return members

    try:
        value = json.loads(text.decode(), object_pairs_hook=keep, parse_constant=_refuse)
    except NotJsonError:
        raise
    except (ValueError, RecursionError):
        return []
    names = {place: found for place, (_, found) in repeated.items()}
    return _paths_of(value, names) if names else []


def _refuse(constant: str) -> None:
    raise NotJsonError(f"{constant} is no number in JSON.")


def _twice(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def _paths_of(value: Any, repeated: dict[int, list[str]]) -> list[str]:  # noqa: ANN401
    """Return where in a value the objects stand whose members were repeated, by their ids."""
    found: list[str] = []
    # A step knows the one before it, because written out the paths of a large text are larger.
    waiting: list[tuple[_Step | None, Any]] = [(None, value)]
    while waiting and len(found) < MOST_NAMED:
        step, inner = waiting.pop()
        found.extend(_written(_Step(name, step)) for name in repeated.get(id(inner), ()))
        members = inner.items() if isinstance(inner, dict) else enumerate(inner)
        waiting.extend(
            (_Step(name, step), member)
            for name, member in members
            if isinstance(member, dict | list)
        )
    return found[:MOST_NAMED]


@dataclass(frozen=True)
class _Step:
    name: str | int
    before: "_Step | None"


def _written(step: _Step | None) -> str:
    names: list[str] = []
    while step is not None:
        names.append(str(step.name))
        step = step.before
    return ".".join(reversed(names))
