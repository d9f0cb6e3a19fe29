"""The page on security says of permissions what the code does, and names tests that are there."""

import re
from pathlib import Path

from tests.docs.test_promises import NAMED, functions_of
from webapp.kit.permissions import PERMISSIONS_OF_ROLE, PERMISSIONS_OF_SCOPE, Permission, Scope
from webapp.kit.roles import RoleName

PAGE = Path(__file__).resolve().parents[2] / "docs" / "security.md"
REQUIREMENT = re.compile(r"^\| \d+\.\d+\.\d+ ")
ROW = re.compile(r"^\| `([a-z]+\.[a-z_]+)` \|(.*)\|$", re.M)


def test_the_table_of_permissions_is_that_of_the_code() -> None:
    page = PAGE.read_text(encoding="utf-8")
    header = ["permission", *RoleName, *(f"key: {scope.value}" for scope in Scope)]
    assert f"| {' | '.join(header)} |" in page
    granted = [PERMISSIONS_OF_ROLE[role] for role in RoleName]
    granted += [PERMISSIONS_OF_SCOPE[scope] for scope in Scope]
    rows = {name: [cell.strip() == "yes" for cell in cells.split("|")] for name, cells in
            ROW.findall(page)}  # fmt: skip
    assert rows == {p.value: [p in allowed for allowed in granted] for p in Permission}


def test_each_row_names_a_test_that_is_there() -> None:
    text = PAGE.read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if REQUIREMENT.match(line)]
    assert rows
    for row in rows:
        found = NAMED.findall(row)
        assert found, row
        for path, name in found:
            assert name in functions_of(path), (path, name)
