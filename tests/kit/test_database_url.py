"""Promises about DATABASE_URL: one reading of it, or a sentence that holds nothing of it."""

from urllib.parse import quote, unquote

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as some
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import make_url

from webapp.kit.database_url import PARAMETERS, parse_database_url
from webapp.kit.server_options import read_options, write_options

TEXT = some.text(some.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
HOST = some.from_regex(r"[a-z][a-z0-9.-]{0,8}[a-z0-9]", fullmatch=True)
PORT = some.integers(1, 65_535)


@given(TEXT, TEXT, TEXT, some.lists(some.tuples(HOST, PORT), min_size=1, max_size=3))
def test_every_reader_is_told_the_same_of_a_url_that_is_encoded(
    user: str, password: str, name: str, hosts: list[tuple[str, int]]
) -> None:
    places = ",".join(f"{host}:{port}" for host, port in hosts)
    rest = f"{quote(user, safe='')}:{quote(password, safe='')}@{places}/{quote(name, safe='')}"
    read = parse_database_url(f"postgresql://{rest}?connect_timeout=3")
    assert read.parameters["user"] == user
    assert read.parameters["password"] == password
    assert read.parameters == conninfo_to_dict(f"postgresql://{rest}?connect_timeout=3")
    assert read.parameters == conninfo_to_dict(read.text)
    assert read == parse_database_url(read.text)
    assert make_url(read.text).password == password


@given(TEXT, HOST)
def test_a_password_is_read_as_it_is_written_or_not_at_all(password: str, host: str) -> None:
    try:
        read = parse_database_url(f"postgresql://imprint:{password}@{host}:5432/imprint")
    except ValueError:
        assert set(password) & set("%@/?")
        return
    assert read.parameters["host"] == host
    assert read.parameters["password"] in {password, unquote(password)}


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ("u:100%sure@h/d", {"user": "u", "password": "100%sure", "host": "h", "dbname": "d"}),
        ("u:a%20b@h/d", {"user": "u", "password": "a b", "host": "h", "dbname": "d"}),
        ("u:p@ss/w#r?d@h/d", {"user": "u", "password": "p@ss/w#r?d", "host": "h", "dbname": "d"}),
        ("u@%2Frun%2Fpg/d", {"user": "u", "host": "/run/pg", "dbname": "d"}),
        ("u@%2Frun:5433/d", {"user": "u", "host": "/run", "port": "5433", "dbname": "d"}),
        ("/d?host=/run/pg", {"host": "/run/pg", "dbname": "d"}),
        ("h1:1,h2:2/d", {"host": "h1,h2", "port": "1,2", "dbname": "d"}),
        ("/d?host=h1:1&host=h2:2", {"host": "h1,h2", "port": "1,2", "dbname": "d"}),
        ("/d?host=h1,h2&port=1,2", {"host": "h1,h2", "port": "1,2", "dbname": "d"}),
        ("[::1]:5/d", {"host": "::1", "port": "5", "dbname": "d"}),
        ("h/d?ssl=true", {"host": "h", "dbname": "d", "sslmode": "require"}),
        ("?service=imprint", {"service": "imprint"}),
        ("h/d?options=-csearch_path%3Dapp", {"host": "h", "dbname": "d",
                                             "options": "-csearch_path=app"}),
    ],
)  # fmt: skip
def test_each_spelling_has_one_meaning(rest: str, expected: dict[str, str]) -> None:
    for scheme in ("postgres", "postgresql", "postgresql+psycopg"):
        assert parse_database_url(f"{scheme}://{rest}").parameters == expected
    assert parse_database_url(f" postgresql://{rest}\n").parameters == expected


@pytest.mark.parametrize(
    ("rest", "reason"),
    [
        ("u:hidden%zz%41@h/d", "write each % as %25"),
        ("u:hidden%ff@h/d", "not UTF-8"),
        ("u:hidden%00@h/d", "control character"),
        ("u:hidden@h:99999/d", "port"),
        ("u:hidden@h:0/d", "port"),
        ("u:hidden@h:hidden/d", "PostgreSQL URL"),
        ("u:hidden/x/d", "PostgreSQL URL"),
        ("u:123?host=hidden@h/d", "more than one way"),
        ("h/d?sslmode=hidden", "verify-full"),
        ("h/d?hidden=1", "does not know"),
        ("h/d?connect_timeout=hidden", "whole number"),
        ("h/d?user=a&user=hidden", "twice"),
        ("a:1,b:2/d?port=1,2,3", "3 ports for 2 hosts"),
        ("/d?host=a:1&port=2", "ports both"),
        ("a,,b/d", "host that is empty"),
    ],
)
def test_what_has_no_one_meaning_is_refused_without_its_value(rest: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as refused:
        parse_database_url(f"postgresql://{rest}")
    assert "hidden" not in str(refused.value)


def test_the_representation_holds_no_password() -> None:
    assert "hidden" not in repr(parse_database_url("postgresql://u:hidden@h/d"))


def test_the_parameters_are_those_of_libpq() -> None:
    known = {option.keyword.decode() for option in pq.Conninfo.get_defaults()}
    assert PARAMETERS - known == set() or psycopg.pq.version() < 180000
    assert known - PARAMETERS <= {"replication"} or psycopg.pq.version() >= 190000


@given(some.dictionaries(some.from_regex(r"[a-z_]{1,8}", fullmatch=True), TEXT, max_size=4))
def test_options_are_read_as_they_are_written(settings: dict[str, str]) -> None:
    assert read_options(write_options(settings)) == settings


def test_the_spellings_of_options() -> None:
    line = r"-c a=1 -cb=2\ 3 --work-mem=4 -c a=5"
    assert read_options(line) == {"a": "5", "b": "2 3", "work_mem": "4"}
    with pytest.raises(ValueError, match="more than -c"):
        read_options("-B 5")
