"""Periodic work: which slot is due, and what has outlived its use."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import CursorResult, Text, bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from webapp.jobs.messages import PruneTable, PruneVersions
from webapp.jobs.outbox import enqueue, enqueue_many
from webapp.jobs.pauses import is_kind_paused
from webapp.services.accounts.sign_in_throttles import FAMILIAR_DAYS
from webapp.services.content import renderings
from webapp.services.operations import activity_chain
from webapp.settings import Settings

ROWS_A_BATCH = 5_000
HEARTBEAT = "dispatcher.heartbeat"
HEARTBEAT_SECONDS = 5


@dataclass(frozen=True)
class Outlived:
    """What has outlived its use in a table, by a condition that an index serves.

    `:days` in it are what `days` reads from the settings, where 0 keeps everything for ever.
    """

    table: str
    condition: str
    days: Callable[[Settings], int]


# A mail is deleted by the age of its event, because events are few: an index by age of the mails
# themselves would make telling slower by a fifth. The mails of a publication that was cut short, or
# is still being told, stay: they say who hears of the item when it is public again.
_OLD_MAILS = """
    event_id <= (SELECT coalesce((
        SELECT id FROM events WHERE occurred_at < now() - make_interval(days => :days)
        ORDER BY occurred_at DESC LIMIT 1), 0))
    AND state <> 'queued' AND NOT EXISTS (
        SELECT FROM events WHERE events.id = event_id
        AND (fanned_out_at IS NULL OR stopped_at IS NOT NULL))
"""


# Registered, never proven, and nothing came of it: it follows nothing, wrote nothing and was not
# here lately, and nobody gave it more than a registration can, or switched it off.
_IDLE_UNVERIFIED = """
    email_proven_at IS NULL AND disabled_at IS NULL AND frozen_at IS NULL
    AND created_at < now() - make_interval(days => :days)
    AND role_id IN (SELECT id FROM roles WHERE name IN ('reader', 'author'))
    AND NOT EXISTS (SELECT FROM follows WHERE follows.user_id = users.id)
    AND NOT EXISTS (SELECT FROM content WHERE content.author_id = users.id)
    AND NOT EXISTS (SELECT FROM content_versions WHERE content_versions.author_id = users.id)
    AND NOT EXISTS (
        SELECT FROM access_tokens AS token WHERE token.user_id = users.id
        AND coalesce(token.last_used_at, token.created_at) > now() - make_interval(days => :days))
"""


# Made again where it is wanted again. An index finds the old ones, most of them public, and each is
# looked up in the others: some milliseconds for a thousand public items.
_UNNEEDED_RENDERINGS = """
    rendered_at < now() - make_interval(days => :days)
    AND NOT EXISTS (
        SELECT FROM publications WHERE publications.version_id = renderings.version_id)
    AND NOT EXISTS (
        SELECT FROM schedules WHERE schedules.version_id = renderings.version_id
        AND state IN ('pending', 'handed', 'waiting'))
    AND NOT EXISTS (
        SELECT FROM release_entries JOIN releases ON releases.id = release_entries.release_id
        WHERE release_entries.version_id = renderings.version_id
        AND releases.state IN ('open', 'scheduled', 'failed', 'cancelled'))
    AND NOT EXISTS (
        SELECT FROM release_entries JOIN releases ON releases.id = release_entries.release_id
        WHERE release_entries.former_version_id = renderings.version_id
        AND releases.state = 'live'
        AND releases.went_live_at > now() - make_interval(days => 30))
    AND NOT EXISTS (
        SELECT FROM preview_links WHERE preview_links.version_id = renderings.version_id
        AND revoked_at IS NULL AND expires_at > now())
    AND NOT EXISTS (
        SELECT FROM reviews JOIN content ON content.id = reviews.content_id
        WHERE reviews.version_id = renderings.version_id
        AND reviews.state IN ('open', 'approved') AND reviews.number = content.version)
"""


NOTICE_DAYS = 90
"""How long accounts of the newsroom are shown what they were told, in days."""

BULK_DAYS = 30
"""How long a bulk action that has ended is shown, and can be undone, in days."""

# Their items go first, batch by batch, and none of an action that is put back just now.
_OLD_BULK_ITEMS = """
    bulk_action_id IN (
        SELECT id FROM bulk_actions WHERE ended_at < now() - make_interval(days => :days)
        AND NOT EXISTS (
            SELECT FROM bulk_actions AS undo WHERE undo.undoes_id = bulk_actions.id
            AND (undo.ended_at IS NULL OR undo.ended_at > now() - make_interval(days => :days))))
"""
_OLD_BULK_ACTIONS = """
    ended_at < now() - make_interval(days => :days)
    AND NOT EXISTS (SELECT FROM bulk_items WHERE bulk_action_id = bulk_actions.id)
    AND NOT EXISTS (SELECT FROM bulk_actions AS undo WHERE undo.undoes_id = bulk_actions.id
        AND (undo.ended_at IS NULL OR undo.ended_at > now() - make_interval(days => :days)))
"""


def _older(column: str) -> str:
    return f"{column} < now() - make_interval(days => :days)"


# By the name that a job carries. A table with two conditions, each with an index of its own, has
# two. Inboxes are their readers'; publications, schedules and events are kept, and versions
# have a rule of their own.
_OUTLIVED = {
    "jobs": Outlived("jobs", f"state = 'done' AND {_older('finished_at')}", lambda _: 7),
    "discarded_jobs": Outlived(
        "jobs", f"state = 'discarded' AND {_older('finished_at')}", lambda _: 7
    ),
    "clock_readings": Outlived("clock_readings", _older("read_at"), lambda _: 1),
    "ticks": Outlived("ticks", _older("slot"), lambda _: 1),
    "idempotency_keys": Outlived("idempotency_keys", _older("created_at"), lambda _: 1),
    "access_tokens": Outlived(
        "access_tokens", _older("expires_at"), lambda settings: settings.keep_ended_session_days
    ),
    "revoked_access_tokens": Outlived(
        "access_tokens", _older("revoked_at"), lambda settings: settings.keep_ended_session_days
    ),
    "api_keys": Outlived(
        "api_keys", _older("expires_at"), lambda settings: settings.keep_ended_session_days
    ),
    "revoked_api_keys": Outlived(
        "api_keys", _older("revoked_at"), lambda settings: settings.keep_ended_session_days
    ),
    "password_reset_tokens": Outlived("password_reset_tokens", _older("expires_at"), lambda _: 7),
    "passkey_challenges": Outlived("passkey_challenges", _older("expires_at"), lambda _: 1),
    "pending_sign_ins": Outlived("pending_sign_ins", _older("expires_at"), lambda _: 1),
    "freeze_tokens": Outlived("freeze_tokens", _older("expires_at"), lambda _: 7),
    "sign_in_throttles": Outlived("sign_in_throttles", _older("failed_at"), lambda _: 1),
    "issuer_sign_ins": Outlived("issuer_sign_ins", _older("expires_at"), lambda _: 1),
    "familiar_networks": Outlived("familiar_networks", _older("seen_at"), lambda _: FAMILIAR_DAYS),
    "email_verifications": Outlived("email_verifications", _older("created_at"), lambda _: 30),
    "preview_links": Outlived("preview_links", _older("expires_at"), lambda _: 1),
    "review_claims": Outlived("review_claims", _older("expires_at"), lambda _: 1),
    "review_links": Outlived(
        "review_links", f"decided_at IS NULL AND {_older('expires_at')}", lambda _: 1
    ),
    "notices": Outlived("notices", _older("created_at"), lambda _: NOTICE_DAYS),
    "account_exports": Outlived("account_exports", "expires_at < now()", lambda _: 1),
    "bulk_items": Outlived("bulk_items", _OLD_BULK_ITEMS, lambda _: BULK_DAYS),
    "bulk_actions": Outlived("bulk_actions", _OLD_BULK_ACTIONS, lambda _: BULK_DAYS),
    "unverified_accounts": Outlived(
        "users", _IDLE_UNVERIFIED, lambda settings: settings.keep_unverified_account_days
    ),
    "renderings": Outlived("renderings", _UNNEEDED_RENDERINGS, lambda _: renderings.KEPT_DAYS),
    "mail_deliveries": Outlived(
        "mail_deliveries", _OLD_MAILS, lambda settings: settings.keep_mail_delivery_days
    ),
}

ACTIVITY = "activity_logs"  # It goes block by block, so that the chain over it stays whole.
PRUNED_TABLES = (*_OUTLIVED, ACTIVITY)
PRUNE_EVERY_SECONDS = 3600
PRUNE_VERSIONS_EVERY_SECONDS = 86_400

_TICK = text(
    """
    INSERT INTO ticks (task, slot)
    SELECT unnest(:tasks),
        to_timestamp(floor(extract(epoch FROM statement_timestamp()) / :seconds) * :seconds)
    ON CONFLICT DO NOTHING RETURNING task
    """
).bindparams(bindparam("tasks", type_=ARRAY(Text)))


def write_heartbeat(session: Session) -> None:
    """Note that a dispatcher is alive, once for each slot of `HEARTBEAT_SECONDS`."""
    _win_slots(session, [HEARTBEAT], HEARTBEAT_SECONDS)


def _win_slots(session: Session, tasks: Sequence[str], seconds: int) -> set[str]:
    """Write the present slot of some tasks; returns those of which nobody had written it."""
    return set(session.scalars(_TICK, {"tasks": tasks, "seconds": seconds}))


def write_due_prunes(session: Session) -> int:
    """Write the pruning jobs whose hour has begun; the key lets one dispatcher win each slot.

    While pruning is paused none is written, so that an end of the pause finds one for each table.
    """
    if session.scalar(select(is_kind_paused(PruneTable))):
        return 0
    won = _win_slots(
        session, [f"table.prune:{table}" for table in PRUNED_TABLES], PRUNE_EVERY_SECONDS
    )
    due = [table for table in PRUNED_TABLES if f"table.prune:{table}" in won]
    return enqueue_many(session, [PruneTable(table=table) for table in due])


def write_due_version_prune(session: Session) -> bool:
    """Write the job that prunes versions once its day has begun; says whether it did."""
    if session.scalar(select(is_kind_paused(PruneVersions))):
        return False
    is_due = bool(_win_slots(session, [PruneVersions.kind], PRUNE_VERSIONS_EVERY_SECONDS))
    if is_due:
        enqueue(session, PruneVersions())
    return is_due


def prune(session: Session, name: str, settings: Settings) -> bool:
    """Delete one batch of what has outlived its use and say whether there is more to do.

    Raises KeyError for a name that is not in `PRUNED_TABLES`.
    """
    if name == ACTIVITY:
        return activity_chain.prune_blocks(session, settings.keep_activity_days)
    outlived = _OUTLIVED[name]
    days = outlived.days(settings)
    if not days:
        return False
    statement = text(
        f"DELETE FROM {outlived.table} WHERE ctid = ANY (ARRAY("  # noqa: S608 - both stand above
        f"SELECT ctid FROM {outlived.table} WHERE {outlived.condition} LIMIT {ROWS_A_BATCH}))"
    )
    deleted = cast(CursorResult[Any], session.execute(statement, {"days": days})).rowcount
    return deleted == ROWS_A_BATCH
