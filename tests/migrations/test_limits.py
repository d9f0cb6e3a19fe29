"""What preflight makes of the limits of a step: the timeouts, and what a transaction forbids."""

import ast
import math

import pytest

from tests.migrations.commands import ROOT
from tests.migrations.judging import judge_sql, refusals
from webapp.services.operations.migrations.limits import DEFAULTS, Limits, read_limits

ADD_COLUMN = "ALTER TABLE roles ADD COLUMN a text"
MAKE_INDEX = "CREATE INDEX CONCURRENTLY ix ON roles (a)"
NO_END = "wait for its lock without end"
NO_TRANSACTION = "does not run in a transaction"


def test_the_limits_are_those_of_the_migrations() -> None:
    source = (ROOT / "alembic" / "env.py").read_text(encoding="utf-8")
    values = {
        node.targets[0].id: node.value
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    limits = ast.literal_eval(values["DEFAULT_LIMITS"])
    settings = [f"SET {name} = '{limits[name]}'" for name in DEFAULTS]
    assert list(read_limits(["RESET ALL", *settings]))[-1] == Limits(**DEFAULTS)


@pytest.mark.parametrize(
    ("statements", "lock_timeout"),
    [
        (["SELECT 1"], 1),
        (["SET lock_timeout = 0"], math.inf),
        (["set session lock_timeout to '0ms'"], math.inf),
        (["SET lock_timeout=2500"], 2.5),
        (["SET lock_timeout TO '2 min'"], 120),
        (["SET lock_timeout = DEFAULT"], math.inf),
        (["RESET lock_timeout"], math.inf),
        (["RESET lock_timeout", "SET lock_timeout = '3s'"], 3),
        (["RESET statement_timeout", "SET search_path = public"], 1),
        (["SET LOCAL lock_timeout = 0"], 1),
        (["BEGIN", "SET LOCAL lock_timeout = 0"], math.inf),
        (["BEGIN", "SET LOCAL lock_timeout = 0", "COMMIT"], 1),
        (["BEGIN", "SET lock_timeout = 0", "COMMIT"], math.inf),
    ],
)
def test_a_limit_holds_for_as_long_as_it_is_set(statements: list[str], lock_timeout: float) -> None:
    assert list(read_limits(statements))[-1].lock_timeout == lock_timeout


@pytest.mark.parametrize("none", ["SET lock_timeout = 0", "RESET lock_timeout"])
def test_no_lock_that_others_wait_behind_is_waited_for_without_end(none: str) -> None:
    again = "SET lock_timeout = '1s'"
    assert NO_END in refusals(f"{none}; {ADD_COLUMN}; {again}")
    assert refusals(f"{none}; {MAKE_INDEX}; {again}; {ADD_COLUMN}") == ""
    assert "It leaves the steps after it without" in refusals(f"{none}; {MAKE_INDEX}")


def test_concurrently_wants_no_lock_timeout() -> None:
    (condition,) = judge_sql(MAKE_INDEX).conditions
    assert "gives up after the lock_timeout of 1 s" in condition
    (condition,) = judge_sql("DROP INDEX CONCURRENTLY IF EXISTS ix").conditions
    assert "`SET lock_timeout = 0` belongs before it" in condition
    without = f"SET lock_timeout = 0; {MAKE_INDEX}; SET lock_timeout = '1s'"
    assert judge_sql(without).conditions == []


def test_the_statement_timeout_counts_as_it_is_set() -> None:
    index = "CREATE INDEX CONCURRENTLY ix ON content (a)"
    assert "the statement_timeout of 15 s" in refusals(index)
    assert "the statement_timeout of 60 s" in refusals(f"SET statement_timeout = '1min'; {index}")
    assert refusals(f"SET statement_timeout = '1h'; {index}") == ""
    local = f"BEGIN; SET LOCAL statement_timeout = 0; COMMIT; {index}"
    assert "the statement_timeout of 15 s" in refusals(local)


def test_an_index_that_may_be_a_leftover_is_not_kept() -> None:
    assert "IF NOT EXISTS would keep the invalid index" in refusals(
        "CREATE INDEX CONCURRENTLY IF NOT EXISTS ix ON roles (a)"
    )
    assert refusals("CREATE INDEX IF NOT EXISTS ix ON roles (a)") == ""


WRITE = "UPDATE content SET a = 1;"
UNLIMITED = "SET statement_timeout = 0;"


@pytest.mark.parametrize(
    ("body", "is_in_batches"),
    [
        (f"LOOP {WRITE} EXIT WHEN NOT FOUND; COMMIT; END LOOP;", True),
        (f"FOR n IN 1..9 LOOP FOR m IN 1..9 LOOP {WRITE} END LOOP; COMMIT; END LOOP;", True),
        (f"{WRITE} COMMIT;", False),
        (f"LOOP {WRITE} END LOOP; COMMIT;", False),
        (f"{WRITE} LOOP COMMIT; EXIT; END LOOP;", False),
        (f"LOOP {WRITE} EXIT; END LOOP; LOOP COMMIT; EXIT; END LOOP;", False),
        (f"LOOP {WRITE} RAISE NOTICE 'COMMIT;'; END LOOP;", False),
    ],
)
def test_a_commit_parts_the_writes_where_it_is_in_their_loop(
    body: str, is_in_batches: bool
) -> None:
    found = refusals(f"{UNLIMITED} DO $$ BEGIN {body} END $$")
    assert ("writes of the same rows" in found) is not is_in_batches


def test_what_commits_does_not_run_in_a_transaction() -> None:
    commits = "DO $$ BEGIN LOOP UPDATE roles SET a = 1; COMMIT; EXIT; END LOOP; END $$"
    assert f"A DO block that commits {NO_TRANSACTION}" in refusals(f"BEGIN; {commits}; COMMIT")
    assert refusals(commits) == ""
    assert refusals("BEGIN; DO $$ BEGIN UPDATE roles SET a = 1; END $$; COMMIT") == ""
    assert f"CONCURRENTLY {NO_TRANSACTION}" in refusals(f"BEGIN; {MAKE_INDEX}; COMMIT")
    new = f"BEGIN; CREATE TABLE more (a text); {MAKE_INDEX.replace('roles', 'more')}; COMMIT"
    assert f"CONCURRENTLY {NO_TRANSACTION}" in refusals(new)
