"""What `flask db preflight` prints: for people, and for machines."""

import textwrap
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from webapp.kit.migration_sql.effects import Work
from webapp.services.operations.migrations.preflight import JudgedStep
from webapp.services.operations.migrations.step_work import Share
from webapp.services.operations.migrations.waits import ReadStatement

NOTHING = "Nothing is pending."
# What is refused and allowed by this name, beside the steps by their revisions.
BACKUP = "backup"


@dataclass(frozen=True)
class BackupLine:
    """Whether there is a recent backup (None: nobody knows), its age, and a line about it."""

    is_recent: bool | None
    age_hours: float | None
    words: str


def as_text(
    steps: Sequence[JudgedStep],
    backup: BackupLine,
    findings: Mapping[str, Sequence[str]],
    refused: Sequence[str],
    allowed: Collection[str],
) -> str:
    """Return the report for people."""
    if not steps:
        return NOTHING
    lines = [f"{len(steps)} pending. Backup: {backup.words}."]
    if BACKUP in {*refused, *allowed}:
        lines.append(f"  {_word(BACKUP, allowed)}: no recent backup")
    for step in steps:
        lines += ["", f"{step.revision}  {step.message}  ({step.phase})"]
        for statement in step.statements:
            lines += _statement_lines(statement)
        lines += [f"  condition: {condition}" for condition in step.conditions]
        lines += [f"  {_word(step.revision, allowed)}: {found}" for found in step.refusals]
        lines += [f"  squawk: {finding}" for finding in findings.get(step.revision, ())]
    if refused:
        lines += ["", f"Refused: {', '.join(refused)}. `--allow REVISION --reason …` overrides."]
    return "\n".join(lines)


def _word(name: str, allowed: Collection[str]) -> str:
    return "allowed, though" if name in allowed else "REFUSED"


def as_json(
    steps: Sequence[JudgedStep],
    backup: BackupLine,
    findings: Mapping[str, Sequence[str]],
    refused: Sequence[str],
) -> dict[str, Any]:
    """Return the report for machines. Sizes are in bytes, times in seconds."""
    return {
        "refused": list(refused),
        "backup": {
            "is_recent": backup.is_recent,
            "age_hours": backup.age_hours,
            "words": backup.words,
        },
        "pending": [
            {
                "revision": step.revision,
                "message": step.message,
                "phase": step.phase,
                "refusals": step.refusals,
                "conditions": step.conditions,
                "squawk": list(findings.get(step.revision, ())),
                "statements": [
                    {"sql": statement.sql, "effects": [_share(share) for share in statement.shares]}
                    for statement in step.statements
                ],
            }
            for step in steps
        ],
    }


def _share(share: Share) -> dict[str, Any]:
    return {
        "table": share.table,
        "lock": share.effect.lock.label,
        "work": share.effect.work,
        "phase": share.effect.phase,
        "is_known": share.effect.is_known,
        "bytes": share.total_bytes,
        "rows": share.rows,
        "seconds": round(share.seconds, 3),
    }


def _statement_lines(statement: ReadStatement) -> list[str]:
    lines = textwrap.indent(statement.sql.strip() + ";", "    ").splitlines()
    if not statement.shares:
        lines.append("      touches no table that is in use")
    return lines + [f"      {_share_line(share)}" for share in statement.shares]


def _share_line(share: Share) -> str:
    if not share.effect.is_known:
        return "unknown: counts as ACCESS EXCLUSIVE on every table"
    if share.table is None and not share.effect.lock:
        return "touches no table"
    table = share.table or "no table that is known"
    rows = "rows not counted yet" if share.rows is None else f"about {share.rows:,} rows"
    lock = share.effect.lock.label if share.effect.lock else "no lock that counts"
    line = f"{lock} on {table} ({_bytes(share.total_bytes)}, {rows})"
    if share.effect.work is Work.NONE:
        return f"{line}, no row is touched"
    return f"{line}, {share.effect.work}: about {share.seconds:.1f} s"


def _bytes(size: float) -> str:
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
