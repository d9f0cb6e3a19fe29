"""Promises of frames: what goes in comes out, and nothing else does unnoticed."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.kit.deltas import DamagedFrameError, pack, unpack

texts = st.binary(min_size=8, max_size=5_000)


@given(texts, st.none() | texts)
def test_what_is_packed_comes_out_again(text: bytes, reference: bytes | None) -> None:
    assert unpack(pack(text, reference), reference) == text


@given(texts, st.integers(0, 40))
def test_a_frame_that_breaks_off_is_never_taken_for_a_text(text: bytes, kept: int) -> None:
    frame = pack(text)
    if kept < len(frame):
        with pytest.raises(DamagedFrameError):
            unpack(frame[:kept])


@given(texts, st.none() | texts, st.integers(0), st.integers(1, 255))
def test_a_changed_byte_ends_in_an_error_or_a_text_and_nothing_worse(
    text: bytes, reference: bytes | None, place: int, change: int
) -> None:
    frame = bytearray(pack(text, reference))
    frame[place % len(frame)] ^= change
    with suppress(DamagedFrameError):
        assert isinstance(unpack(bytes(frame), reference), bytes)


@given(st.binary(max_size=100))
def test_what_is_no_frame_is_refused(frame: bytes) -> None:
    with suppress(DamagedFrameError):
        assert isinstance(unpack(frame), bytes)


def test_an_edit_of_a_text_of_two_megabytes_takes_a_few_hundred_bytes() -> None:
    words = b" ".join(f"{n * n % 99_991}".encode() for n in range(400_000))
    edited = words[:1_000_000] + b"some other words" + words[1_000_100:]
    assert len(words) > 2_000_000
    frame = pack(edited, words)
    assert len(frame) < 1_000
    assert unpack(frame, words) == edited
