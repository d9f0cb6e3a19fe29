"""How long a failed job waits before it starts again."""

import secrets

BASE_SECONDS = 2.0
LONGEST_SECONDS = 3600.0
LONGEST_DECLINE_SECONDS = 60.0


def ceiling_seconds(starts: int) -> float:
    """Return the longest wait after the given number of starts: 2 s, doubled, at most an hour."""
    return min(LONGEST_SECONDS, BASE_SECONDS * 2.0 ** max(0, min(starts, 40) - 1))


def retry_delay_seconds(starts: int) -> float:
    """Return how long to wait after the given number of starts."""
    return with_jitter(ceiling_seconds(starts))


def decline_delay_seconds(declines: int) -> float:
    """Return how long a job waits that so many workers in turn had to leave to another release.

    1 s at first, because a newer worker may be there already; doubled, at most a minute, so that a
    worker that comes with the next release finds it soon.
    """
    return with_jitter(min(LONGEST_DECLINE_SECONDS, 2.0 ** max(0, min(declines, 40) - 1)))


def with_jitter(seconds: float) -> float:
    """Return a wait drawn evenly from half of `seconds` to all of it.

    The jitter keeps what failed together, for one cause, from coming back together.
    """
    fraction = secrets.randbelow(1_000_001) / 1_000_000
    return seconds * (0.5 + 0.5 * fraction)
