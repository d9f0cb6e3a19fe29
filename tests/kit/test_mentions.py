"""Promises about mentions: what is one, what is none, and how it is read."""

import pytest

from webapp.kit.mentions import as_read, mentioned_ids


@pytest.mark.parametrize(
    ("text", "ids", "read"),
    [
        ("Ask @[Ada Lovelace](12).", {12}, "Ask @Ada Lovelace."),
        ("@[A](1)@[B](2) @[A](1)", {1, 2}, "@A@B @A"),
        ("ada@example.org, @ada, @[ada], [ada](12), @ [ada](12)", set(), None),
        ("@[](1) @[a](0) @[a](01) @[a](x) @[a](1234567890123456789)", set(), None),
        ("@[a\nb](1) @[a[b]](1)", set(), None),
    ],
)
def test_a_mention_is_one_form_and_nothing_else(text: str, ids: set[int], read: str | None) -> None:
    assert mentioned_ids(text) == ids
    assert as_read(text) == (text if read is None else read)
