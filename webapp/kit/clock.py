"""The machine's clock, for what is shown or logged. What is due, PostgreSQL's clock decides."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the present moment as aware UTC."""
    return datetime.now(UTC)
