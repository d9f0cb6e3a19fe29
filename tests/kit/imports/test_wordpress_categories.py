"""Where a category stands is the same for every item, however odd the tree in the file is."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.kit.imports.article import CategoryName, ImportedArticle, JsonValue
from webapp.kit.imports.wordpress_categories import MOST_ABOVE, CategoryTree, ExportCategory

CIRCLE = "whose parents stand in a circle"
ARTICLE = ImportedArticle(
    source="1", title="A", slug="a", body="", body_format="html", status="draft", published_at=None
)


def place(parents: dict[str, str | None], nicename: str) -> ImportedArticle:
    """Return an article of a category after it was placed in a tree of nicenames."""
    tree = CategoryTree({n: ExportCategory(n, n.title(), p) for n, p in parents.items()})
    metadata: dict[str, JsonValue] = {"category_nicenames": [nicename]}
    return tree.place(replace(ARTICLE, categories=(nicename.title(),), metadata=metadata))


def above(article: ImportedArticle) -> list[str]:
    return [each.nicename for each in article.categories_above]


@pytest.mark.parametrize(
    ("parents", "nicename", "expected", "notice"),
    [
        ({"a": None}, "a", [], ""),
        ({"a": "b", "b": "c", "c": None}, "a", ["b", "c"], ""),
        ({"c": None, "b": "c", "a": "b"}, "a", ["b", "c"], ""),
        ({"a": "gone"}, "a", [], "category 'A' below one that is not in the file"),
        ({"a": "b", "b": "gone"}, "a", ["b"], "category 'A' below one that is not in the file"),
        ({"a": "a"}, "a", [], f"category 'A' {CIRCLE}"),
        ({"a": "b", "b": "a"}, "a", [], f"category 'A' {CIRCLE}"),
        ({"a": "b", "b": "a"}, "b", [], f"category 'B' {CIRCLE}"),
        ({"x": "a", "a": "b", "b": "a"}, "x", ["a"], f"category 'X' {CIRCLE}"),
        ({"a": None}, "not-in-the-head", [], ""),
    ],
)  # fmt: skip
def test_a_category_stands_below_its_parents_and_what_is_wrong_is_told(
    parents: dict[str, str | None], nicename: str, expected: list[str], notice: str
) -> None:
    article = place(parents, nicename)
    assert above(article) == expected
    assert article.notices == ((notice,) if notice else ())


def test_a_category_in_the_depths_is_put_below_the_last_that_may_be() -> None:
    chain: dict[str, str | None] = {f"c{n}": f"c{n - 1}" if n else None for n in range(60)}
    topmost = [f"c{n}" for n in range(MOST_ABOVE)]
    assert above(place(chain, f"c{MOST_ABOVE}")) == topmost[::-1]
    assert place(chain, f"c{MOST_ABOVE}").notices == ()
    deep = place(chain, "c59")
    assert above(deep) == topmost[::-1]
    assert deep.notices == (f"category 'C59' below more than {MOST_ABOVE} others",)


def test_names_and_nicenames_are_read_as_those_of_items_are() -> None:
    tree = CategoryTree(
        {
            "%d0%bd": ExportCategory("%d0%bd", "Н", "r-d"),
            "r-d": ExportCategory("r-d", "R &amp; D", None),
        }
    )
    placed = tree.place(replace(ARTICLE, categories=("Н",), metadata={"category_nicenames": ["н"]}))
    assert placed.categories_above == (CategoryName("R & D", "r-d"),)


NAMES = st.sampled_from([f"n{number}" for number in range(8)])


@given(st.dictionaries(NAMES, st.none() | NAMES))
def test_all_items_agree_on_where_each_category_stands(parents: dict[str, str | None]) -> None:
    found: dict[str, str | None] = {}
    for nicename in parents:
        line = [nicename, *above(place(parents, nicename))]
        assert len(set(line)) == len(line)
        for child, parent in zip(line, [*line[1:], None], strict=True):
            assert found.setdefault(child, parent) == parent
