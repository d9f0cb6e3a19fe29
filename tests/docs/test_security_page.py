"""What the page on security says of permissions is what webapp/kit/permissions.py says."""

import re
from pathlib import Path

from webapp.kit.permissions import PERMISSIONS_OF_ROLE, PERMISSIONS_OF_SCOPE, Permission, Scope
from webapp.kit.roles import RoleName

PAGE = Path(__file__).resolve().parents[2] / "docs" / "security.md"
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
