"""What must be true when the system has come to rest, whatever was done to it."""

from collections import Counter
from email import message_from_binary_file
from email.policy import compat32
from typing import LiteralString

from tests.chaos.newsroom import Acknowledged
from tests.chaos.rig import Rig
from webapp.models import ContentVersion
from webapp.services.content.version_texts import digest_of

# Each query finds what must not be there.
VIOLATIONS: dict[str, LiteralString] = {
    "a job is not done": """
        SELECT id, kind, state, starts, last_error FROM jobs WHERE state <> 'done'""",
    "a schedule did not fire": """
        SELECT id, state, failure FROM schedules WHERE state <> 'fired' OR fired_at IS NULL""",
    "a schedule was handed over more or less than once": """
        SELECT schedules.id, count(handed.id) FROM schedules LEFT JOIN (
            SELECT jsonb_array_elements_text(payload -> 'schedule_ids')::bigint AS id FROM jobs
            WHERE kind = 'schedules.fire') AS handed ON handed.id = schedules.id
        GROUP BY schedules.id HAVING count(handed.id) <> 1""",
    "an item has not exactly one event for each time that it was published": """
        SELECT content.id, content.publish_sequence, array_agg(events.sequence)
        FROM content LEFT JOIN events ON events.content_id = content.id GROUP BY content.id
        HAVING array_agg(events.sequence ORDER BY events.sequence)
                   FILTER (WHERE events.id IS NOT NULL)
               IS DISTINCT FROM (SELECT array_agg(n)
                                 FROM generate_series(1, content.publish_sequence) AS n)""",
    "what is public and what should be are not the same": """
        SELECT content.id, content.status, publications.version_id
        FROM content FULL JOIN publications ON publications.content_id = content.id
        WHERE (content.status = 'published') IS DISTINCT FROM (publications.version_id IS NOT NULL)
        """,
    "an item shows another version than the one that was scheduled": """
        SELECT publications.content_id, publications.version_id, pinned.version_id
        FROM publications JOIN (
            SELECT DISTINCT ON (content_id) content_id, version_id FROM schedules
            WHERE action = 'publish' ORDER BY content_id, id DESC
        ) AS pinned USING (content_id) WHERE pinned.version_id <> publications.version_id""",
    "a follower was told of an event not at all, or somebody else was": """
        SELECT audience.event_id, audience.user_id, told.event_id, told.user_id
        FROM (SELECT events.id AS event_id, follows.user_id FROM events
              JOIN follows ON follows.author_id = events.author_id
              WHERE events.kind = 'content.published' AND events.stopped_at IS NULL) AS audience
        FULL JOIN (SELECT notifications.* FROM notifications
                   JOIN events ON events.id = event_id AND stopped_at IS NULL) AS told
            USING (event_id, user_id)
        WHERE audience.user_id IS NULL OR told.user_id IS NULL""",
    "an event counts other recipients than it has": """
        SELECT events.id, events.recipients, count(told.user_id) FROM events
        LEFT JOIN notifications AS told ON told.event_id = events.id
        GROUP BY events.id HAVING events.recipients <> count(told.user_id)""",
    "a mail was not sent": """
        SELECT event_id, user_id, state, answer FROM mail_deliveries
        JOIN events ON events.id = event_id
        WHERE state <> 'sent' AND (state <> 'suppressed' OR stopped_at IS NULL)""",
    "a version is not sealed": """
        SELECT id, content_id, number FROM content_versions WHERE sealed_at IS NULL""",
    "an item lacks a version": """
        SELECT content.id, content.version, count(*) FROM content
        JOIN content_versions AS version ON version.content_id = content.id GROUP BY content.id
        HAVING count(*) <> content.version OR max(version.number) <> content.version""",
}

_QUIET = """
    SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM jobs WHERE state IN ('ready', 'running'))
      AND NOT EXISTS (SELECT 1 FROM schedules WHERE state IN ('pending', 'handed'))
"""

_UNFINISHED = """
    SELECT kind, state, count(*), min(run_at - clock_timestamp())::text, max(starts),
           max(dispatches), max(last_error)
    FROM jobs WHERE state <> 'done' GROUP BY kind, state
    UNION ALL SELECT 'schedule', state, count(*), NULL, NULL, NULL, NULL FROM schedules
    WHERE state IN ('pending', 'handed') GROUP BY state
"""

_MAILS_OWED = """
    SELECT events.id, follows.user_id, events.stopped_at IS NOT NULL FROM events
    JOIN follows ON follows.author_id = events.author_id
    LEFT JOIN notification_preferences AS preference ON preference.user_id = follows.user_id
    WHERE events.kind = 'content.published' AND coalesce(preference.by_mail, true)
"""


def await_quiet(rig: Rig, seconds: float) -> None:
    """Wait until there is nothing left to do; fails with what is left after `seconds`."""
    if not rig.wait_for(_QUIET, seconds):
        raise AssertionError(f"still unfinished after {seconds} s: {rig.rows(_UNFINISHED)}")


def check_database(rig: Rig) -> None:
    """Look for every row that must not be there; fails with all that are found."""
    found = {name: rig.rows(query)[:10] for name, query in VIOLATIONS.items()}
    assert not any(found.values()), {name: rows for name, rows in found.items() if rows}


def check_acknowledged(rig: Rig, acknowledged: Acknowledged) -> None:
    """Look for everything that was answered with success."""
    kept = {
        row[0]: row[1:] for row in rig.rows("SELECT id, content_id, action, state FROM schedules")
    }
    for schedule_id, plan in acknowledged.schedules.items():
        assert kept.get(schedule_id) == (*plan, "fired")
    times = acknowledged.publishes + Counter(
        content_id for content_id, action in acknowledged.schedules.values() if action == "publish"
    )
    published = rig.rows("SELECT id, publish_sequence FROM content WHERE publish_sequence > 0")
    assert dict(published) == dict(times)
    _check_versions(rig, acknowledged)


def _check_versions(rig: Rig, acknowledged: Acknowledged) -> None:
    versions = {}
    for row in rig.rows(
        """
        SELECT content_id, number, digest, title, slug, body, body_format, excerpt, tags, metadata
        FROM content_versions
        """
    ):
        names = ("title", "slug", "body", "body_format", "excerpt", "tags", "details")
        version = ContentVersion(**dict(zip(names, row[3:], strict=True)))
        assert digest_of(version, version.tags) == bytes(row[2]), f"version {row[:2]} has changed"
        versions[row[0], row[1]] = version.body
    lost = {key for key, text in acknowledged.saves.items() if versions.get(key) != text}
    assert not lost, f"acknowledged saves without their version: {sorted(lost)}"
    unacknowledged = len(versions) - len(acknowledged.saves)
    assert 0 <= unacknowledged <= acknowledged.unanswered_saves


def count_extra_mails(rig: Rig, interruptions: int) -> int:
    """Return how many mails came twice, by their Message-ID.

    Fails when one is missing, when one came that nobody was owed, and when there are more copies
    than interruptions of the sender, each of which may swallow one answer of the mail server.
    """
    copies: Counter[str] = Counter()
    for path in rig.mail_dir.glob("*.eml"):
        with path.open("rb") as file:
            copies[message_from_binary_file(file, policy=compat32)["Message-ID"]] += 1
    # What was withdrawn while its mails went out has reached some.
    owed: set[str] = set()
    allowed: set[str] = set()
    for event, user, was_stopped in rig.rows(_MAILS_OWED):
        message_id = rig.settings.message_id("event", str(event), str(user))
        (allowed if was_stopped else owed).add(message_id)
    assert owed - set(copies) == set(), "mails that nobody sent"
    assert set(copies) - owed - allowed == set(), "mails that nobody was owed"
    extra = copies.total() - len(copies)
    assert extra <= interruptions, f"{extra} second copies of mails, {interruptions} interruptions"
    return extra
