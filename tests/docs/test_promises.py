"""Each promise names a test that is there."""

import ast
import re

from tests.docs.test_readme import ROOT

NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def test_each_promise_names_a_test_that_is_there() -> None:
    rows = [
        line
        for line in (ROOT / "docs" / "promises.md").read_text().splitlines()
        if line.startswith("|") and not line.startswith(("| promise", "|---"))
    ]
    assert rows
    for row in rows:
        found = NAMED.findall(row)
        assert found, row
        for path, name in found:
            assert name in functions_of(path), (path, name)


def functions_of(path: str) -> set[str]:
    """Return the names of the functions of a file."""
    tree = ast.parse((ROOT / path).read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
