"""Which elements a parser of HTML has open, followed tag by tag.

As far as it decides what costs time, this is the tree construction of the HTML standard: which
start tags end an element before them, and which end tags reach the element that they name. Where
it is simpler than the standard, it leaves more open than a parser would.
"""

from webapp.kit.rendering.elements import BLOCKS, FORMATTING, VOID

_CELL_EDGES = frozenset({"caption", "table", "td", "th"})
_TABLE_PARTS = frozenset("caption colgroup table tbody td tfoot th thead tr".split())  # noqa: SIM905
_ITEMS = frozenset({"dd", "div", "dt", "li", "p"})

# What a start tag ends before it, unless one of the elements behind it stands between.
_ENDED_BY_START = {
    "li": (frozenset({"li"}), BLOCKS - _ITEMS),
    "dd": (frozenset({"dd", "dt"}), BLOCKS - _ITEMS),
    "dt": (frozenset({"dd", "dt"}), BLOCKS - _ITEMS),
    "td": (frozenset({"td", "th"}), frozenset({"table"})),
    "th": (frozenset({"td", "th"}), frozenset({"table"})),
    "tr": (frozenset({"tr"}), frozenset({"table"})),
    "tbody": (frozenset({"tbody", "tfoot", "thead"}), frozenset({"table"})),
    "tfoot": (frozenset({"tbody", "tfoot", "thead"}), frozenset({"table"})),
    "thead": (frozenset({"tbody", "tfoot", "thead"}), frozenset({"table"})),
    "rp": (frozenset({"rp", "rt"}), BLOCKS),
    "rt": (frozenset({"rp", "rt"}), BLOCKS),
}
_PARAGRAPH = frozenset({"p"})


class OpenElements:
    """The stack of open elements."""

    def __init__(self) -> None:
        """Begin with none open."""
        self.names: list[str] = []

    def start(self, name: str) -> None:
        """Open an element, after what its start tag ends."""
        if name in _ENDED_BY_START:
            self._close(*_ENDED_BY_START[name])
        if name in BLOCKS:
            self._close(_PARAGRAPH, _CELL_EDGES)
        if name not in VOID:
            self.names.append(name)

    def end(self, name: str) -> bool:
        """Close an element and all within it; returns whether the end tag reached one."""
        if name in _TABLE_PARTS:
            edges = frozenset({"table"})
        elif name in BLOCKS:
            edges = _CELL_EDGES
        else:
            edges = BLOCKS
        return self._close(frozenset({name}), edges)

    def blocks_within(self, name: str) -> list[str]:
        """Return what is open within the innermost element of this name, but for formatting."""
        found: list[str] = []
        for open_name in reversed(self.names):
            if open_name == name:
                break
            if open_name not in FORMATTING:
                found.append(open_name)
        return found

    def _close(self, names: frozenset[str], edges: frozenset[str]) -> bool:
        for index in range(len(self.names) - 1, -1, -1):
            if self.names[index] in names:
                del self.names[index:]
                return True
            if self.names[index] in edges:
                return False
        return False
