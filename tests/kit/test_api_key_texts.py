"""The texts of API keys: known for certain by their prefix and checksum."""

import re

import pytest

from webapp.kit.api_key_texts import KEY_LENGTH, is_key, new_key

# As docs/security.md gives it to scanners of secrets.
PATTERN = re.compile(r"imprint_[0-9A-Za-z]{49}")
# 43 zeros of a secret and the CRC-32 of what stands before it, as Python's zlib gives it.
KNOWN = "imprint_" + "0" * 43


def test_a_new_key_is_one_that_scanners_know() -> None:
    keys = {new_key() for _ in range(200)}
    assert len(keys) == 200
    for key in keys:
        assert len(key) == KEY_LENGTH
        assert PATTERN.fullmatch(key)
        assert is_key(key)


def test_a_key_with_one_character_changed_is_none() -> None:
    key = new_key()
    for place in range(len(key)):
        other = "x" if key[place] != "x" else "y"
        assert not is_key(key[:place] + other + key[place + 1 :])


@pytest.mark.parametrize(
    "text", ["", "imprint_", KNOWN, KNOWN + "000000", "imprint_" + "é" * 49, "imprint_" + " " * 49]
)
def test_what_has_not_its_checksum_is_no_key(text: str) -> None:
    assert not is_key(text)
