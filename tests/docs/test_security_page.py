"""The page on security says of permissions what the code does, and names tests that are there."""

import re
from pathlib import Path

from tests.docs.test_promises import NAMED, functions_of
from webapp.api.auth import MARK
from webapp.api.blueprint import API_PREFIX
from webapp.app import create_app
from webapp.kit.permissions import PERMISSIONS_OF_ROLE, PERMISSIONS_OF_SCOPE, Permission, Scope
from webapp.kit.roles import RoleName
from webapp.settings import Settings

PAGE = Path(__file__).resolve().parents[2] / "docs" / "security.md"
REQUIREMENT = re.compile(r"^\| (\d+\.\d+\.\d+) ")
# What there is nothing of here, and so nothing to test.
ABSENT = re.compile(r"\| –? ?\|$")
# How many requirements of levels 1 and 2 each section of ASVS 5.0 has; they are numbered first.
SECTIONS = {
    "2.1": 3, "2.2": 3, "2.3": 4, "2.4": 1,
    "6.1": 3, "6.2": 11, "6.3": 3, "6.4": 4, "6.5": 5, "6.6": 3, "6.8": 4,
    "7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5, "7.5": 2, "7.6": 2,
    "8.1": 2, "8.2": 3, "8.3": 1, "8.4": 1,
    "14.1": 2, "14.2": 4, "14.3": 3,
    "16.1": 1, "16.2": 5, "16.3": 4, "16.4": 3, "16.5": 3,
}  # fmt: skip
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
        if ABSENT.search(row):
            continue
        found = NAMED.findall(row)
        assert found, row
        for path, name in found:
            assert name in functions_of(path), (path, name)


def test_no_requirement_is_left_out() -> None:
    rows = map(REQUIREMENT.match, PAGE.read_text(encoding="utf-8").splitlines())
    assert {row[1] for row in rows if row} == {
        f"{section}.{number}" for section, last in SECTIONS.items() for number in range(1, last + 1)
    }


def test_every_way_in_stands_in_the_table() -> None:
    (table,) = re.findall(r"^## Ways in\n(.*?)^## ", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    app = create_app(Settings(_env_file=None, environment="development"))
    open_to_all = {
        f"{method} {re.sub(r'<[a-z]+:', '<', rule.rule.removeprefix(API_PREFIX))}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) & {"GET", "POST"}
        if rule.rule.startswith(f"{API_PREFIX}/auth/")
        and getattr(app.view_functions[rule.endpoint], MARK).permission is None
    }
    assert set(re.findall(r"`((?:GET|POST) /auth/[^`]+)`", table)) == open_to_all
