"""Every migration keeps the checklist, and squawk finds nothing that is not accounted for."""

from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from tests.migrations.checklist import RULES, check, read_facts
from tests.migrations.commands import ROOT, Step, read_steps
from webapp.cli.pending_steps import Chain, find_squawk, read_chain, run_squawk

INI = ROOT / "alembic.ini"
STEPS = read_steps()
# The steps that come after the model of the first fifteen: those that meet tables in use.
NEWER = STEPS[15:]
# What squawk may find, and why it stays.
ACCOUNTED_FOR = {
    **{
        (revision, "prefer-robust-stmts"): (
            "an interrupted run's index is dropped before: IF NOT EXISTS would keep an invalid one"
        )
        for revision in (
            "91510fbf9bf6", "7b1e0f3a9c21", "1a6f3e8d5c70", "6d9c1f5e7b82", "a58e0c47b1f3",
            "c93b6e10d7a5", "e7f40a92c6b8", "0b6d8e51f9c2", "2f8c1b70e4d9", "6c2f8da5e319",
            "e5a90d7c3b18", "f6037ad4e985",
            "d94f3a61ac43",
            "2f71ac05be98", "c61f0a3be7d5", "e93b75d2c0f1",
            "7c20a1f5d8e3", "8d31b206e9f4", "9e42c317fa05", "9b3c6e7d10f5",
            "a7e1c4f09d26",
            "71c4be8a06d5", "9b4f60c2e17d", "b62de5a0f8c9", "c71e06b8d5a3", "c73ef6b1a9d0",
            "d81a37f5b0c6", "4c71e09fb2d6",
            "85a4b1c6e9f5", "a7c6d3e8a1b7",
        )
    },
    ("b61e0d94c7a3", "prefer-timestamp-tz"): "a wall time is of the zone that is named beside it",
    **dict.fromkeys(
        [("5b90e2d7f314", "prefer-timestamp-tz"), ("6d21f8c40b97", "prefer-timestamp-tz")],
        "a rule says wall times; the instants stand beside them",
    ),
    ("654f547b43aa", "ban-drop-constraint"): "NOT NULL says the same as the check",
    ("3b7d9e1f5a24", "ban-drop-constraint"): "drafts may share one, and slugs keeps names apart",
    ("c9e07b3a5d41", "ban-drop-constraint"): "the check that takes its place allows more",
    ("a4b83e7260cf", "ban-drop-constraint"): "the check that takes its place allows more",
    ("41c0d7e2a5b1", "prefer-timestamp-tz"): "a wall time is no instant before it has a zone",
    ("52d1e8f3b6c2", "ban-drop-constraint"): "the checks that take their place allow more",
    ("b72d1e4f8a21", "ban-drop-constraint"): "what it did to a line would be a change of it",
    ("8d2c4e91f6ab", "ban-drop-constraint"): "an index keeps proven addresses apart",
    ("17d3b9a05e6c", "ban-drop-not-null"): "the release before reads no version without a body",
    ("f5eec48854b2", "prefer-bigint-over-smallint"): "it holds the status of an HTTP answer",
}  # fmt: skip


@pytest.fixture(scope="module")
def chain() -> Chain:
    """Every step with its SQL."""
    return read_chain(INI, [])


def path_of(step: Step) -> Path:
    """Return the file of a step."""
    script = ScriptDirectory.from_config(Config(str(INI)))
    return Path(script.get_revision(step.revision).path)


def test_every_step_keeps_the_checklist(chain: Chain) -> None:
    facts = read_facts(
        [
            (step.message, path_of(step).read_text(), pending.sql or "", pending.contract)
            for step, pending in zip(STEPS, chain.pending, strict=True)
        ]
    )
    problems = {step.revision: check(found) for step, found in zip(STEPS, facts, strict=True)}
    assert {revision: found for revision, found in problems.items() if found} == {}
    assert sum(len(found.foreign_keys) for found in facts) > 20


def test_squawk_finds_nothing_but_what_is_accounted_for(chain: Chain) -> None:
    program = find_squawk()
    assert program is not None
    newer = {step.revision for step in NEWER}
    findings = {
        (step.revision, finding.partition(":")[0])
        for step in chain.pending
        if step.revision in newer
        for finding in run_squawk(program, step.sql or "")
    }
    assert findings == set(ACCOUNTED_FOR)


def problems_of(
    sql: str,
    *,
    message: str = "add a thing to parents",
    source: str = "",
    contract: object = None,
) -> list[str]:
    """Return what is wrong with one step upon two tables."""
    below = (
        "CREATE TABLE parents (id bigint, CONSTRAINT pk PRIMARY KEY (id));"
        "CREATE TABLE children (id bigint PRIMARY KEY, parent_id bigint)"
    )
    steps = [("make two tables", "", below, None), (message, source, sql, contract)]
    return check(read_facts(steps)[1])


KEY = "ALTER TABLE children ADD CONSTRAINT fk FOREIGN KEY (parent_id) REFERENCES parents (id)"
INDEX = "CREATE INDEX ix ON children (parent_id)"
SAFE = f"{INDEX}; {KEY} ON DELETE CASCADE"


@pytest.mark.parametrize(
    "sql",
    [
        SAFE,
        SAFE.replace("INDEX", "INDEX IF NOT EXISTS").replace("TABLE", "TABLE IF EXISTS"),
        "CREATE TABLE c (id bigint, p bigint REFERENCES parents (id) ON DELETE CASCADE,"
        " CONSTRAINT pk_c PRIMARY KEY (p, id))",
        "CREATE TABLE c (p bigint, FOREIGN KEY (p) REFERENCES parents (id) ON DELETE NO ACTION);"
        " CREATE INDEX ix ON c (p) WHERE p IS NOT NULL",
        "ALTER TABLE parents ADD COLUMN name text DEFAULT '' NOT NULL",
        "ALTER TABLE parents ADD CONSTRAINT c CHECK (id IS NOT NULL) NOT VALID;"
        " ALTER TABLE parents VALIDATE CONSTRAINT c; ALTER TABLE parents ALTER id SET NOT NULL",
        "INSERT INTO parents VALUES (1)",
    ],
)
def test_what_keeps_the_checklist_passes(sql: str) -> None:
    assert problems_of(sql) == []


@pytest.mark.parametrize(
    ("rule", "sql"),
    [
        ("on-delete", f"{INDEX}; {KEY}"),
        ("on-delete", f"{INDEX}; {KEY}".replace("TABLE", "TABLE IF EXISTS")),
        ("on-delete", "CREATE TABLE c (p bigint PRIMARY KEY REFERENCES parents (id))"),
        ("foreign-key-index", f"{KEY} ON DELETE CASCADE"),
        ("foreign-key-index", f"{KEY} ON DELETE CASCADE; {INDEX} WHERE id > 7"),
        ("foreign-key-index", "ALTER TABLE children ADD COLUMN other_id bigint"
         " REFERENCES parents (id) ON DELETE CASCADE"),
        ("not-null-default", "ALTER TABLE parents ADD COLUMN name text NOT NULL"),
        ("not-null-default", "ALTER TABLE parents ALTER id SET NOT NULL"),
        ("one-change", "ALTER TABLE parents ADD a text; ALTER TABLE children ADD a text"),
        ("one-change", "CREATE TABLE a (id bigint); CREATE TABLE b (id bigint)"),
        ("one-change", "ALTER TABLE parents ADD a text; UPDATE parents SET a = ''"),
        ("one-change", "ALTER TABLE parents ADD a text;"
         " CREATE INDEX IF NOT EXISTS ix ON children (id)"),
        ("contract-mark", "ALTER TABLE parents DROP COLUMN id"),
        ("contract-mark", "DELETE FROM parents WHERE id = 1"),
        ("contract-mark", "SELECT anything()"),
    ],
)  # fmt: skip
def test_what_breaks_a_rule_is_named_by_it(rule: str, sql: str) -> None:
    problems = problems_of(sql)
    assert [problem.partition(":")[0] for problem in problems] == [rule], problems


@pytest.mark.parametrize("message", ["update", "changes", "add column", "update things again", ""])
def test_a_message_says_what_is_done(message: str) -> None:
    assert [problem.partition(":")[0] for problem in problems_of(SAFE, message=message)] == [
        "message"
    ]


@pytest.mark.parametrize(
    "source",
    [
        "op.execute(\"ALTER ROLE app PASSWORD = 'hunter22'\")",
        'API_KEY = "abcd-efgh-1234"',
        'URL = "postgresql://app:hunter2@db/imprint"',
        'KEY = """-----BEGIN RSA PRIVATE KEY-----"""',
        '"AKIAIOSFODNN7EXAMPLE"',
        "'9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'",
    ],
)
def test_a_secret_is_found(source: str) -> None:
    problems = problems_of(SAFE, source=source)
    assert problems
    assert all(problem.startswith("secrets: ") for problem in problems)


def test_an_opt_out_wants_a_reason_a_rule_and_a_need() -> None:
    broken = f"{INDEX}; {KEY}"
    reasoned = "# checklist: on-delete - parents are never deleted, a trigger sees to it\n"
    assert problems_of(broken, source=reasoned) == []
    for bare in ("# checklist: on-delete\n", "# checklist: on-delete - \n",
                 "# checklist: on-delete - no reason\n"):  # fmt: skip
        problems = problems_of(broken, source=bare)
        assert "opt-out: on-delete is opted out of without a reason" in problems
        assert any(problem.startswith("on-delete: ") for problem in problems)
    unknown = problems_of(SAFE, source="# checklist: nonsense - there is a reason for it\n")
    assert unknown == ["opt-out: there is no rule 'nonsense'"]
    needless = problems_of(SAFE, source=reasoned)
    assert needless == ["opt-out: on-delete is opted out of, and kept"]


def test_every_rule_is_broken_by_some_example() -> None:
    marks = list(test_what_breaks_a_rule_is_named_by_it.pytestmark)  # type: ignore[attr-defined]
    examples = {example[0] for mark in marks for example in mark.args[1]}
    assert examples | {"message", "secrets"} == set(RULES)
