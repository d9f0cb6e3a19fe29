"""What keeps a version from being pruned, whatever its age: one line for each reason.

A foreign key to `content_versions` that is not among them is told of by a test.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Pin:
    """A reason, and the statement that finds the numbers of the versions that it keeps.

    It selects `content_id` and `number`, of the items that are in `item`, of which an index on its
    own table finds the rows.
    """

    reason: str
    statement: str


def _named_in(table: str, condition: str = "true") -> str:
    """Return the statement for the versions that rows of a table name in `version_id`."""
    return (
        f"SELECT version.content_id, version.number FROM item"  # noqa: S608 - both stand below
        f" JOIN {table} AS pin ON pin.content_id = item.id"
        f" JOIN content_versions AS version ON version.id = pin.version_id WHERE {condition}"
    )


# What was published, planned or submitted stays as a proof of it, whatever became of it.
PINS = (
    Pin("is public", _named_in("publications")),
    Pin("was scheduled", _named_in("schedules")),
    Pin("is in a release", _named_in("release_entries")),
    Pin(
        "was public before a release",
        "SELECT version.content_id, version.number FROM item"
        " JOIN release_entries AS pin ON pin.content_id = item.id"
        " JOIN content_versions AS version ON version.id = pin.former_version_id",
    ),
    Pin("was submitted to a review", _named_in("reviews")),
    Pin("has a label", _named_in("version_labels")),
    Pin(
        "is open to a preview link",
        _named_in("preview_links", "pin.revoked_at IS NULL AND pin.expires_at > now()"),
    ),
    Pin(
        "was public",
        "SELECT event.content_id, event.version FROM item"
        " JOIN events AS event ON event.content_id = item.id WHERE event.version IS NOT NULL",
    ),
    # Of a publication by an older release two things are known: the line of the log, as long as
    # there is one, and which version was the newest at that moment, as most that go public are.
    Pin(
        "was public, by the log",
        "SELECT line.subject_id, CAST(line.details ->> 'version' AS bigint) FROM item"
        " JOIN activity_logs AS line ON line.subject_kind = 'content' AND line.subject_id = item.id"
        " WHERE line.action = 'content.publish' AND line.details ? 'version'",
    ),
    Pin(
        "was the newest at a publication",
        "SELECT event.content_id, (SELECT number FROM content_versions AS version"
        " WHERE version.content_id = event.content_id AND version.created_at <= event.occurred_at"
        " ORDER BY number DESC LIMIT 1) FROM item"
        " JOIN events AS event ON event.content_id = item.id WHERE event.version IS NULL",
    ),
    Pin(
        "was restored",
        "SELECT later.content_id, later.restored_from FROM item"
        " JOIN content_versions AS later ON later.content_id = item.id"
        " WHERE later.restored_from IS NOT NULL",
    ),
    # A restore by an older release says the same as what it brought back.
    Pin(
        "says what was restored",
        "SELECT former.content_id, former.number FROM item"
        " JOIN content_versions AS later ON later.content_id = item.id"
        " JOIN content_versions AS former ON former.content_id = item.id"
        " AND former.digest = later.digest AND former.number < later.number"
        " WHERE later.reason = 'restore' AND later.restored_from IS NULL",
    ),
    Pin(
        "is what unsaved changes began from",
        "SELECT pin.content_id, pin.base_version FROM item"
        " JOIN autosaves AS pin ON pin.content_id = item.id",
    ),
    # The next import of the same source is compared with it.
    Pin(
        "is the last that was imported",
        "SELECT version.content_id, max(version.number) FROM item"
        " JOIN content_versions AS version ON version.content_id = item.id"
        " WHERE version.reason = 'import' GROUP BY version.content_id",
    ),
)
