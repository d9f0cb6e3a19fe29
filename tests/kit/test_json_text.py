"""Promises of JSON: a member that stands twice is found, wherever and however it is written."""

import pytest

from webapp.kit.json_text import MOST_NAMED, NotJsonError, repeated_members


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("{}", []),
        ('{"a": 1, "b": {"a": 1}}', []),
        ('{"a": 1, "a": 1}', ["a"]),
        ('{"a": 1, "\\u0061": 2, "a": 3}', ["a"]),
        ('[{"a": [{"b": 1, "b": 2}]}]', ["0.a.0.b"]),
        ('{"a": {"x": 1, "x": 2}, "a": {}}', ["a"]),
        ("{", []),
        ('"text"', []),
        ("1" * 5_000, []),
        ("[" * 100_000, []),
    ],
)
def test_repeated_members_are_found(text: str, paths: list[str]) -> None:
    assert repeated_members(text.encode()) == paths


def test_no_more_are_named_than_a_person_reads() -> None:
    text = ",".join(f'"{n}":{{"a":1,"a":2}}' for n in range(100))
    assert len(repeated_members(f"{{{text}}}".encode())) == MOST_NAMED


@pytest.mark.parametrize("text", [b"\xef\xbb\xbf{}", b'{"a": NaN}', b"[Infinity]", b"-Infinity"])
def test_what_json_does_not_know_is_no_json(text: bytes) -> None:
    with pytest.raises(NotJsonError):
        repeated_members(text)
