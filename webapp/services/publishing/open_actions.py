"""What is planned for items, whatever plans it, as rows of one kind; and what follows for an item.

`OPEN` is the name of a relation with a row for each open action: `content_id`, `due_at`, `place`,
`action` and `version_id`. Actions of an item happen in the order of `(due_at, place)`, and no two
of them have the same place. A statement that names it begins with `WITH` and `GIVEN`. Whatever
looks ahead reads what is planned through this alone.
"""

# What is written out can use the partial indexes of what is open; a parameter could not.
_SCHEDULED = """
    SELECT content_id, due_at, id AS place, action, version_id FROM schedules
    WHERE state IN ('pending', 'handed')
"""
_IN_RELEASES = """
    SELECT release_entries.content_id, releases.due_at, -releases.id AS place,
        release_entries.action, release_entries.version_id
    FROM releases JOIN release_entries ON release_entries.release_id = releases.id
    WHERE releases.state = 'scheduled'
"""
# A schedule archives nothing that is public by then, as it is after a publication by hand: it fails
# and changes nothing. A release withdraws what it archives.
_COUNTS = """action <> 'archive' OR place < 0 OR NOT coalesce((
    SELECT action = 'publish' FROM all_actions AS former
    WHERE former.content_id = one.content_id AND (action <> 'archive' OR place < 0)
        AND (due_at, place) < (one.due_at, one.place)
    ORDER BY due_at DESC, place DESC LIMIT 1
), (SELECT true FROM publications AS public WHERE public.content_id = one.content_id), false)"""
# Without the blanks of its layout, so that the statements which begin with it stay short.
GIVEN = " ".join(
    f"""all_actions AS NOT MATERIALIZED ({_SCHEDULED} UNION ALL {_IN_RELEASES}),
    open_actions AS NOT MATERIALIZED (SELECT * FROM all_actions AS one WHERE {_COUNTS})
    """.split()  # noqa: S608 - the parts are constants of the code
)
OPEN = "open_actions"

# A publication counts where no withdrawal comes behind it. The first that counts opens the time for
# which the item will be public, unless it is public now and stays so; the last says what is shown.
# What was archived on the way stays away: a publication that falls due there fails.
_OUTCOME = {
    "actions": "count(*)",
    "is_interrupted": "bool_or(action <> 'publish')",
    "is_archived": "bool_or(action = 'archive')",
    "is_brought_out": "bool_or(action = 'publish')",
    "changed_at": "max(due_at) FILTER (WHERE ends_behind = 0)",
    "opened_at": "min(due_at) FILTER (WHERE ends_behind = 0)",
    "opened_by": "(array_agg(place ORDER BY due_at, place) FILTER (WHERE ends_behind = 0))[1]",
    "version_id": "(array_agg(version_id ORDER BY due_at DESC, place DESC)"
    " FILTER (WHERE ends_behind = 0))[1]",
}
_COUNTED = """
    SELECT content_id, action, due_at, place, version_id,
        count(*) FILTER (WHERE action <> 'publish')
            OVER ({part}ORDER BY due_at DESC, place DESC) AS ends_behind
    FROM {open} AS of_item WHERE {which}due_at <= :at
"""


def _said(*names: str) -> str:
    wanted = names or tuple(_OUTCOME)
    return ", ".join(f"{_OUTCOME[name]} AS {name}" for name in wanted)


OUTCOMES = f"""
    SELECT content_id, {_said()}
    FROM ({_COUNTED.format(open=OPEN, which="", part="PARTITION BY content_id ")}) AS counted
    GROUP BY content_id
"""  # noqa: S608 - the parts are constants of the code
"""The SELECT of a row for each item for which something is planned up to `:at`."""


def outcome_of(content_id: str, *names: str) -> str:
    """Return the SELECT of one row: what the actions up to `:at` make of one item.

    `content_id` is an expression, `names` are the columns that are wanted, of all that there are.
    Without any action, `actions` is 0; where the last of them withdraws the item, `changed_at` is
    null.
    """
    counted = _COUNTED.format(open=OPEN, which=f"of_item.content_id = {content_id} AND ", part="")
    return f"SELECT {_said(*names)} FROM ({counted}) AS counted"  # noqa: S608 - parts of the code
