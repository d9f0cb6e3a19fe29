"""Every column of every table is classed, and the page on personal data says what the code does."""

from collections import Counter

import pytest
from sqlalchemy import Table

from dev import personal_data_page
from webapp.models import Base
from webapp.models.held import Treatment
from webapp.models.personal_data import HELD

TABLES = Base.metadata.tables
# Columns with the number of an account, of which no foreign key says so.
NAMES_AN_ACCOUNT = {"user_id", "actor_id"}


def test_every_table_is_classed_and_nothing_else() -> None:
    assert list(HELD) == sorted(TABLES), "webapp/models/personal_data.py: one Held for each table"


@pytest.mark.parametrize("name", sorted(TABLES))
def test_every_column_is_classed_once(name: str) -> None:
    classed = Counter(column for column, _, _ in HELD[name].erasures())
    twice = [column for column, times in classed.items() if times > 1]
    assert twice == []
    assert set(classed) == set(TABLES[name].columns.keys()), (
        f"webapp/models/personal_data.py: class the columns of {name}"
    )


@pytest.mark.parametrize("name", sorted(TABLES))
def test_every_column_that_names_an_account_is_among_the_people(name: str) -> None:
    """What names somebody would otherwise be overlooked by both the export and the erasure."""
    assert set(HELD[name].people) == people_of(TABLES[name])


def people_of(table: Table) -> set[str]:
    """Return the columns of a table that name an account."""
    linked = {key.parent.name for key in table.foreign_keys if key.column.table.name == "users"}
    return linked | (NAMES_AN_ACCOUNT & set(table.columns.keys()))


def test_what_is_deleted_with_a_person_is_deleted_as_a_row() -> None:
    """A column that goes with its row goes because somebody's row goes: nothing else deletes it."""
    for name, held in HELD.items():
        if Treatment.DELETED in held.people.values():
            assert held.erasure is Treatment.DELETED, name
        if Treatment.UNLINKED in held.people.values():
            links = [link for link, at in held.people.items() if at is Treatment.UNLINKED]
            assert all(TABLES[name].columns[link].nullable for link in links), name


def test_the_page_on_personal_data_says_what_the_code_does() -> None:
    text = personal_data_page.PAGE.read_text(encoding="utf-8")
    told = text.partition(personal_data_page.BEGIN)[2].partition(personal_data_page.END)[0]
    assert told == personal_data_page.rendered(), "run `python -m dev.personal_data_page`"
