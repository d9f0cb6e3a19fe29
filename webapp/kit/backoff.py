"""How long a failed job waits before it starts again."""

import secrets

BASE_SECONDS = 2.0
LONGEST_SECONDS = 3600.0


def ceiling_seconds(starts: int) -> float:
    """Return the longest wait after the given number of starts: 2 s, doubled, at most an hour."""
    return min(LONGEST_SECONDS, BASE_SECONDS * 2.0 ** max(0, min(starts, 40) - 1))


def retry_delay_seconds(starts: int) -> float:
    """Return how long to wait after the given number of starts."""
    return with_jitter(ceiling_seconds(starts))


def with_jitter(seconds: float) -> float:
    """Return a wait drawn evenly from half of `seconds` to all of it.

    The jitter keeps what failed together, for one cause, from coming back together.
    """
    fraction = secrets.randbelow(1_000_001) / 1_000_000
    return seconds * (0.5 + 0.5 * fraction)
