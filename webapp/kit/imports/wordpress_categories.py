"""The categories of a WordPress export, and where each stands in their tree.

The tree comes from outside: a parent may follow its children or be missing, and parents may stand
in a circle. Wherever a category ends up, every item of the file finds it there.
"""

import html
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import unquote

from webapp.kit.imports.article import CategoryName, ImportedArticle
from webapp.kit.imports.text import labels, storable

MOST_ABOVE = 20
"""How many categories one may stand below; deeper ones are put below the last of these."""


@dataclass(frozen=True, slots=True)
class ExportCategory:
    """A category of the exporting site; `parent` is the nicename of the one above it."""

    nicename: str
    name: str
    parent: str | None


class CategoryTree:
    """The tree of an export's categories, by their nicenames in plain letters."""

    def __init__(self, categories: Mapping[str, ExportCategory]) -> None:
        """Find out which of them stand in a circle: these have nothing above them."""
        self._categories = {_plain(nicename): each for nicename, each in categories.items()}
        self._in_circles = _in_circles(
            {n: _plain(each.parent or "") for n, each in self._categories.items()}
        )

    def place(self, article: ImportedArticle) -> ImportedArticle:
        """Give an article what stands above its first category, and a notice of what does not.

        Raises ImportProblem for a name that cannot be stored.
        """
        nicenames = article.metadata.get("category_nicenames")
        first = nicenames[0] if isinstance(nicenames, list) and nicenames else None
        if not isinstance(first, str) or first not in self._categories:
            return article
        above, fault = self._above(first)
        placed = tuple(self._name(nicename, article.source) for nicename in above[-MOST_ABOVE:])
        if fault is None:
            return replace(article, categories_above=placed)
        notice = f"category {article.categories[0]!r} {fault}"
        return replace(article, categories_above=placed, notices=(*article.notices, notice))

    def _above(self, nicename: str) -> tuple[list[str], str | None]:
        """Return what stands above, the nearest first, and what is wrong with it."""
        above: list[str] = []
        current = nicename
        while current not in self._in_circles:
            parent = _plain(self._categories[current].parent or "")
            if not parent:
                is_deep = len(above) > MOST_ABOVE
                return above, f"below more than {MOST_ABOVE} others" if is_deep else None
            if parent not in self._categories:
                return above, "below one that is not in the file"
            above.append(parent)
            current = parent
        return above, "whose parents stand in a circle"

    def _name(self, nicename: str, source: str) -> CategoryName:
        written = storable(html.unescape(self._categories[nicename].name), source, "category")
        name = labels([written], source, "category")
        return CategoryName(name[0] if name else nicename, nicename)


def _plain(nicename: str) -> str:
    """Return a nicename in the letters that it stands for; WordPress encodes other scripts."""
    return unquote(nicename, errors="replace").strip()


def _in_circles(parents: Mapping[str, str]) -> frozenset[str]:
    """Return those that are among their own ancestors."""
    found: set[str] = set()
    known: set[str] = set()
    for start in parents:
        trail: dict[str, None] = {}
        current = start
        while current in parents and current not in known and current not in trail:
            trail[current] = None
            current = parents[current]
        if current in trail:
            names = list(trail)
            found.update(names[names.index(current) :])
        known.update(trail)
    return frozenset(found)
