"""How long a failed job waits before it starts again."""

import secrets

BASE_SECONDS = 2.0
LONGEST_SECONDS = 3600.0


def ceiling_seconds(starts: int) -> float:
    """Return the longest wait after the given number of starts: 2 s, doubled, at most an hour."""
    return min(LONGEST_SECONDS, BASE_SECONDS * 2.0 ** max(0, min(starts, 40) - 1))


def retry_delay_seconds(starts: int) -> float:
    """Return a wait drawn evenly from half the ceiling to the ceiling.

    The jitter keeps jobs that failed together, for one cause, from coming back together.
    """
    ceiling = ceiling_seconds(starts)
    fraction = secrets.randbelow(1_000_001) / 1_000_000
    return ceiling * (0.5 + 0.5 * fraction)
