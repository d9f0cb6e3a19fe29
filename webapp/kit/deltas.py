"""Texts as zstd frames, alone or as what they differ by from another text, the reference.

A frame names neither its reference nor a checksum of its own: who keeps it keeps the two apart, and
compares what comes out with a digest.
"""

import sys

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

# Of a text of 20 KB more would save a hundred bytes and take four times as long; of one of 2 MB it
# would take seconds.
_LEVEL_ALONE = 9
# Between two texts that are nearly the same no level finds more.
_LEVEL_OF_A_DELTA = 3
_SMALLEST_WINDOW_LOG = 10
_LARGEST_WINDOW_LOG = 27
# A frame says how long its text is, and one that is damaged may say anything.
LONGEST_TEXT_BYTES = 64 * 1024 * 1024

_Parameter = zstd.CompressionParameter


class DamagedFrameError(Exception):
    """A frame cannot be read, or not with this reference."""


def pack(text: bytes, reference: bytes | None = None) -> bytes:
    """Return the frame of a text, which only its reference opens again, where there is one."""
    options: dict[int, int] = {
        _Parameter.compression_level: _LEVEL_ALONE if reference is None else _LEVEL_OF_A_DELTA,
        _Parameter.checksum_flag: 0,
    }
    if reference is not None:
        # The window covers both, or what lies far back would be written once more.
        needed = (len(text) + len(reference)).bit_length()
        options[_Parameter.window_log] = min(max(needed, _SMALLEST_WINDOW_LOG), _LARGEST_WINDOW_LOG)
        options[_Parameter.enable_long_distance_matching] = 1
    return zstd.compress(text, options=options, zstd_dict=_as_prefix(reference))


def unpack(frame: bytes, reference: bytes | None = None) -> bytes:
    """Return the text of a frame. Raises DamagedFrameError.

    With another reference than the frame was made with it may raise, or return another text.
    """
    try:
        size = zstd.get_frame_info(frame).decompressed_size
        if size is None or size > LONGEST_TEXT_BYTES:
            raise DamagedFrameError("The frame does not say how long its text is.")
        return zstd.decompress(frame, zstd_dict=_as_prefix(reference))
    except zstd.ZstdError as error:
        raise DamagedFrameError(str(error)) from error


def _as_prefix(reference: bytes | None) -> tuple[zstd.ZstdDict, int] | None:
    # Less than eight bytes are no dictionary; a text of ours is never that short.
    return None if reference is None else zstd.ZstdDict(reference, is_raw=True).as_prefix
