"""Texts of others made fit for logs and for the rows of jobs."""

import re

# Both parts have a bound, so that a long text without an @-sign is read once and not again and
# again. RFC 5321, 4.5.3.1 has the same bounds.
_ADDRESS = re.compile(r"[^\s<>\"'(),:;@]{1,64}@[^\s<>\"'(),:;@]{1,255}")


def without_addresses(text: str) -> str:
    """Return a text with a stand-in for each mail address."""
    return _ADDRESS.sub("(address)", text)
