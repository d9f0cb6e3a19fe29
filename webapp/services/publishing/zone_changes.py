"""The rules of zones change: planned wall times that are another instant by now wait and ask.

An instant is never moved silently. The release of the rules that an instant was reckoned by is kept
beside it, and a process reckons anew only what is of older rules than its own, so that two releases
at work side by side do not undo each other's answers.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Text, and_, bindparam, select, text
from sqlalchemy.orm import Session

from webapp.kit.wall_times import UnclearWallTimeError, WallTime, reckon
from webapp.kit.zones import UnknownZoneError, rules_gone, rules_of
from webapp.models import Schedule
from webapp.models.publishing.schedules import IS_OPEN
from webapp.services.publishing import waiting_schedules

AT_ONCE = 500
"""So many schedules are reckoned anew in one transaction."""

_KEEP = text(
    """
    UPDATE schedules SET zone_rules = found.rules,
        state = CASE WHEN found.question IS NULL THEN state ELSE 'waiting' END,
        failure = coalesce(found.question, failure),
        fold = found.fold,
        revision = revision + CASE WHEN found.question IS NULL THEN 0 ELSE 1 END,
        updated_at = clock_timestamp()
    FROM jsonb_to_recordset(CAST(:found AS jsonb))
        AS found (id bigint, rules text, fold text, question text)
    WHERE schedules.id = found.id AND schedules.state = 'pending'
    """
).bindparams(bindparam("found", type_=Text()))


class _Stale(NamedTuple):
    zone: str
    rules: str | None


class Reckoned(NamedTuple):
    """How many schedules were looked at, and how many wait for a decision by it."""

    looked_at: int
    asked: int


def reckon_anew(session: Session) -> Reckoned:
    """Reckon anew what is of older rules than this process knows, and let wait what is unclear.

    At most `AT_ONCE` are looked at. Those that are being carried out are left to their firing.
    """
    asked: list[int] = []
    left = AT_ONCE
    for stale in _stale_zones(session):
        if left <= 0:
            break
        rows = _of_older_rules(session, stale, left)
        left -= len(rows)
        found = [_reckoned(row) for row in rows]
        if found:
            session.execute(_KEEP, {"found": json.dumps(found)})
            asked += [one["id"] for one in found if one["question"] is not None]
    if asked:
        waiting_schedules.tell_makers(session, asked)
    return Reckoned(AT_ONCE - left, len(asked))


def _stale_zones(session: Session) -> list[_Stale]:
    # What is open is in the index; what waits already is left to whoever decides.
    is_planned = and_(Schedule.zone.is_not(None), IS_OPEN, Schedule.state == "pending")
    known = select(Schedule.zone, Schedule.zone_rules).where(is_planned).distinct()
    stale = []
    for zone, rules in session.execute(known):
        now = _rules_now(zone or "")
        if now != rules and _release(now) >= _release(rules):
            stale.append(_Stale(zone or "", rules))
    return stale


def _rules_now(zone: str) -> str:
    try:
        return rules_of(zone)
    except UnknownZoneError:
        # A process that is older than the zone does not know it either, and has no say.
        return rules_gone()


def _release(rules: str | None) -> str:
    return (rules or "").partition(" ")[0]


def _of_older_rules(session: Session, stale: _Stale, at_most: int) -> Sequence[Any]:
    return session.execute(
        select(
            Schedule.id, Schedule.due_at, Schedule.local_time, Schedule.zone, Schedule.fold,
        )
        .where(
            Schedule.zone == stale.zone,
            Schedule.zone_rules.is_not_distinct_from(stale.rules),
            Schedule.state == "pending",
        )
        .order_by(Schedule.id)
        .limit(at_most)
        .with_for_update(skip_locked=True)
    ).all()  # fmt: skip


def _reckoned(row: Any) -> dict[str, Any]:  # noqa: ANN401
    meant = WallTime(row.local_time, row.zone, row.fold)
    kept = {"id": row.id, "rules": _rules_now(row.zone), "fold": row.fold, "question": None}
    planned = (
        f"It was planned for {meant.time.isoformat()} in {meant.zone}, then {_spell(row.due_at)}"
    )
    end = " Run it at the instant that it has, skip it, or move it."
    try:
        instant, wall = reckon(meant)
    except UnknownZoneError:
        return {**kept, "question": f"{planned}; there is no such zone any more.{end}"}
    except UnclearWallTimeError as error:
        return {**kept, "question": f"{planned}. By the zone's new rules that time {error}.{end}"}
    if instant == row.due_at:
        return {**kept, "fold": wall.fold}
    now = f"By the zone's new rules that is {_spell(instant)}."
    return {**kept, "question": f"{planned}. {now}{end}"}


def _spell(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
