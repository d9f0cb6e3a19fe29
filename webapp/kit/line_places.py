"""Where a line of one text stands in another, found by how it begins."""

from bisect import bisect_left
from collections.abc import Collection

QUOTE_LIMIT = 500
"""How many characters of a line are kept, and compared, at most."""


def quote_of(body: str, line: int) -> str | None:
    """Return how a line begins, counted from 1; None where the text has fewer lines."""
    lines = body.split("\n")
    return _beginning(lines[line - 1]) if line <= len(lines) else None


class LinePlaces:
    """The places of some lines in a text, which is read once for all of them."""

    def __init__(self, body: str, quotes: Collection[str]) -> None:
        """Look for each of the quotes that `quote_of` has made of another text."""
        self._places: dict[str, list[int]] = {quote: [] for quote in quotes}
        if self._places:
            for number, line in enumerate(body.split("\n"), 1):
                places = self._places.get(_beginning(line))
                if places is not None:
                    places.append(number)

    def nearest(self, quote: str, line: int) -> int | None:
        """Return where the line stands that was line `line` elsewhere; None where it does not.

        Of several the nearest is meant, and of two that are as near the upper one.
        """
        places = self._places[quote]
        after = bisect_left(places, line)
        around = places[max(after - 1, 0) : after + 1]
        return min(around, key=lambda place: (abs(place - line), place), default=None)


def _beginning(line: str) -> str:
    return line.removesuffix("\r")[:QUOTE_LIMIT]
