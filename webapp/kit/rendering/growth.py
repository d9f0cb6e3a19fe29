"""Tell HTML that a parser would multiply from HTML that somebody wrote.

A parser looks through the open elements at each tag, so its time grows with the square of their
number. And it opens formatting elements that were left open again in each block that follows, so
that a few kilobytes become megabytes. Both are counted here from the tags alone, before a parser
sees them. The count errs to one side: what may be open counts as open.
"""

from collections import Counter

from webapp.kit.rendering.elements import FORMATTING, VOID
from webapp.kit.rendering.open_elements import OpenElements
from webapp.kit.rendering.refusals import RenderingRefusedError

STEPS_FOR_ALL = 3_000_000
"""Looks at an open element that every text may cost: some 2,400 unclosed ones, about 0.05 s."""

STEPS_FOR_A_TAG = 200
"""Looks that each tag may cost besides; what people write nests 30 deep at most."""

COPIED_FOR_ALL = 200_000
"""Characters of tags that every text may have opened again by the parser."""

COPIED_TIMES = 4
"""How many times its own length a text may have opened again besides."""

# The parser opens at most three alike again, and gives up an end tag after eight elements between.
_COPIES_OF_ONE = 3
_ELEMENTS_BETWEEN = 8
_CELLS = frozenset({"caption", "td", "th"})


class Growth:
    """Counts what parsing costs, tag by tag. Raises RenderingRefusedError when it is too much."""

    def __init__(self, length: int) -> None:
        """Begin with a text of so many characters."""
        self._steps_left = STEPS_FOR_ALL
        self._copied_left = COPIED_FOR_ALL + COPIED_TIMES * length
        self._open = OpenElements()
        self._formatting: dict[str, list[str]] = {}
        self._alike: Counter[str] = Counter()
        self._copied_at_each_block = 0

    def start(self, name: str, tag: str) -> None:
        """Count a start tag, given whole."""
        self._look()
        if name in FORMATTING:
            if name == "a":
                # A link ends the link before it.
                self._end_formatting(name)
            self._formatting.setdefault(name, []).append(tag)
            self._alike[tag] += 1
            self._copied_at_each_block += len(tag) if self._alike[tag] <= _COPIES_OF_ONE else 0
        elif name not in VOID or name == "hr":
            self._copy()
        self._open.start(name)

    def end(self, name: str) -> None:
        """Count an end tag."""
        self._look()
        if name in FORMATTING:
            self._end_formatting(name)
        else:
            self._copy()
            self._open.end(name)

    def _end_formatting(self, name: str) -> None:
        """Take a formatting element off, unless the parser may have to give its end tag up."""
        opened = self._formatting.get(name)
        within = self._open.blocks_within(name)
        if not opened or len(within) >= _ELEMENTS_BETWEEN or not _CELLS.isdisjoint(within):
            return
        tag = opened.pop()
        self._copied_at_each_block -= len(tag) if self._alike[tag] <= _COPIES_OF_ONE else 0
        self._alike[tag] -= 1
        self._open.end(name)

    def _copy(self) -> None:
        self._copied_left -= self._copied_at_each_block
        if self._copied_left < 0:
            raise RenderingRefusedError(
                "The text opens formatting elements (such as <b>, <code> or <a>) and does not "
                "close them, so that each paragraph after them would repeat them all. "
                "Close them where they end."
            )

    def _look(self) -> None:
        self._steps_left += STEPS_FOR_A_TAG - len(self._open.names)
        if self._steps_left < 0:
            raise RenderingRefusedError(
                "The text opens thousands of elements (such as <div> or <span>) inside each other "
                "and does not close them. Close them where they end."
            )
