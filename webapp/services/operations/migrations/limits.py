"""The limits under which each statement of a step runs: lock_timeout and statement_timeout."""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from webapp.kit.migration_sql.statements import normalise

# What alembic/env.py sets for each command.
DEFAULTS = {"lock_timeout": 1.0, "statement_timeout": 15.0}

_SET = re.compile(r"SET (SESSION |LOCAL )?(\w+) ?(?:=|TO\b) ?(.+)", re.IGNORECASE)
_RESET = re.compile(r"RESET (\w+)", re.IGNORECASE)
_TIME = re.compile(r"'?([\d.]+) ?(us|ms|s|min|h|d|)'?")
_SECONDS = {"us": 1e-6, "": 1e-3, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True)
class Limits:
    """The limits in seconds; infinity is none."""

    lock_timeout: float
    statement_timeout: float


def read_limits(statements: Iterable[str]) -> Iterator[Limits]:
    """Yield the limits under which each statement runs, or that it sets.

    SET LOCAL holds until the end of its transaction, and does nothing outside of one.
    """
    session, local, is_inside = dict(DEFAULTS), dict[str, float](), False
    for statement in map(normalise, statements):
        if statement.upper() in {"BEGIN", "COMMIT"}:
            local, is_inside = {}, statement.upper() == "BEGIN"
        is_local, changes = _read_changes(statement)
        if not is_local:
            session |= changes
        if is_inside:
            local |= changes
        yield Limits(**(session | local))


def _read_changes(statement: str) -> tuple[bool, dict[str, float]]:
    """Return which limits a statement changes, and whether for its transaction alone."""
    setting, reset = _SET.fullmatch(statement), _RESET.fullmatch(statement)
    if setting is not None and setting.group(2).lower() in DEFAULTS:
        is_local = (setting.group(1) or "").upper() == "LOCAL "
        return is_local, {setting.group(2).lower(): _read_seconds(setting.group(3))}
    if reset is not None:
        # The server's own default is no limit.
        names = [name for name in DEFAULTS if reset.group(1).lower() in {name, "all"}]
        return False, dict.fromkeys(names, math.inf)
    return False, {}


def _read_seconds(value: str) -> float:
    """Return a time as PostgreSQL reads it; 0 and DEFAULT are no limit."""
    found = _TIME.fullmatch(value)
    seconds = float(found.group(1)) * _SECONDS[found.group(2)] if found else 0.0
    return seconds or math.inf
