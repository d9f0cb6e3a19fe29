"""What keeps a release from going live, told of each of its items; and the names that it needs.

A name belongs to an item from its moment on, as with a schedule. Within one release a name may pass
from an item to another, as long as the former one gives it up by the same release.
"""

from typing import Any

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import Text

from webapp.models import Release
from webapp.models.publishing.schedules import OPEN_STATES
from webapp.services.errors import HinderedError

MOST_TOLD = 100
"""How many items one answer tells of."""

_WANTED = """
    wanted AS MATERIALIZED (
        SELECT version.slug, min(entry.content_id) AS content_id
        FROM release_entries AS entry
        JOIN content_versions AS version ON version.id = entry.version_id
        WHERE entry.release_id = :release_id AND version.slug <> ''
        GROUP BY version.slug
    )
"""
# Whoever plans for an item locks it and then its name; a new name holds its item as well.
_HOLD_ITEMS = text(
    """
    SELECT FROM content
    WHERE id IN (SELECT content_id FROM release_entries WHERE release_id = :release_id)
    ORDER BY id FOR KEY SHARE OF content
    """
)
_MAKE_NAMES = text(
    f"""
    WITH {_WANTED}
    INSERT INTO slugs (slug, content_id)
    SELECT slug, content_id FROM wanted
    WHERE NOT EXISTS (SELECT FROM slugs AS known WHERE known.slug = wanted.slug)
    ORDER BY slug ON CONFLICT (slug) DO NOTHING
    """  # noqa: S608 - constants of the code
)
# What is then said of the owners of these names stays true; it is looked at by the next statement,
# which sees what another transaction has committed while this one waited.
_LOCK_NAMES = text(
    f"""
    WITH {_WANTED}
    SELECT slug FROM slugs JOIN wanted USING (slug) WHERE slugs.content_id <> wanted.content_id
    ORDER BY slug FOR UPDATE OF slugs
    """  # noqa: S608 - constants of the code
)
_GIVES_IT_UP = """
    EXISTS (
        SELECT FROM release_entries AS former
        LEFT JOIN content_versions AS version ON version.id = former.version_id
        WHERE former.release_id = :release_id AND former.content_id = slugs.content_id
          AND version.slug IS DISTINCT FROM slugs.slug)
"""
_OPEN = ", ".join(f"'{state}'" for state in OPEN_STATES)
_IS_FREE = f"""
    NOT slugs.was_public
    AND NOT EXISTS (
        SELECT FROM schedules JOIN content_versions AS version ON version.id = version_id
        WHERE schedules.content_id = slugs.content_id AND state IN ({_OPEN})
          AND version.slug = slugs.slug)
    AND NOT EXISTS (
        SELECT FROM release_entries AS entry
        JOIN releases ON releases.id = entry.release_id AND releases.state = 'scheduled'
        JOIN content_versions AS version ON version.id = entry.version_id
        WHERE entry.content_id = slugs.content_id AND version.slug = slugs.slug)
"""  # noqa: S608 - constants of the code
_TAKE_NAMES = text(
    f"""
    WITH {_WANTED}
    UPDATE slugs SET content_id = wanted.content_id FROM wanted
    WHERE slugs.slug = wanted.slug AND slugs.content_id <> wanted.content_id
      AND slugs.slug = ANY (:names) AND (:moves AND {_GIVES_IT_UP} OR {_IS_FREE})
    RETURNING slugs.slug
    """  # noqa: S608 - constants of the code
).bindparams(bindparam("names", type_=ARRAY(Text)))
# What the timeline of an item itself brings before the release was planned with it, and is nobody's
# decision against it.
_CAME_BY_PLAN = """
    EXISTS (
        SELECT FROM schedules AS came
        WHERE came.content_id = entry.content_id AND came.version_id = public.version_id
          AND came.state = 'fired' AND came.fired_at >= public.updated_at)
"""
_WENT_BY_PLAN = """
    EXISTS (
        SELECT FROM schedules AS went
        WHERE went.content_id = entry.content_id AND went.action = 'unpublish'
          AND went.state = 'fired' AND went.fired_at > entry.added_at
          AND NOT EXISTS (
              SELECT FROM events WHERE events.content_id = entry.content_id
              AND events.occurred_at > went.fired_at))
"""
# The offsets hold the look-ups to one of a key for each entry. Of a release that was just put
# together the planner knows nothing, and takes ten thousand entries for one.
_FIND = f"""
    SELECT entry.content_id, CASE
        WHEN content.status = 'trashed' AND (content.trashed_at IS NOT NULL
            OR content.archived_at IS NULL) THEN 'The item is in the trash.'
        WHEN entry.failure IS NOT NULL THEN entry.failure
        WHEN entry.action <> 'publish' THEN NULL
        WHEN content.status = 'trashed' THEN 'The item is archived.'
        WHEN slugs.content_id <> entry.content_id AND NOT {_GIVES_IT_UP}
            OR version.slug IN (SELECT slug FROM twice)
                AND entry.content_id <> (
                    SELECT content_id FROM twice WHERE twice.slug = version.slug)
            THEN 'Another item has the slug ' || version.slug || '; give this one another.'
        WHEN shown.number > version.number AND public.updated_at > entry.added_at
            AND NOT {_CAME_BY_PLAN}
            THEN 'Version ' || shown.number || ' was published after this one was added.'
        WHEN content.status <> 'published'
            AND (entry.seen_public OR content.publish_sequence <> entry.seen_sequence)
            AND NOT {_WENT_BY_PLAN}
            THEN 'The item was unpublished after it was added; add it once more if you mean it.'
        END AS reason
    FROM release_entries AS entry
    CROSS JOIN LATERAL (SELECT * FROM content WHERE id = entry.content_id OFFSET 0) AS content
    LEFT JOIN LATERAL (
        SELECT * FROM content_versions WHERE id = entry.version_id OFFSET 0) AS version ON true
    LEFT JOIN LATERAL (SELECT * FROM slugs WHERE slug = version.slug OFFSET 0) AS slugs ON true
    LEFT JOIN LATERAL (
        SELECT * FROM publications WHERE content_id = entry.content_id OFFSET 0) AS public ON true
    LEFT JOIN LATERAL (
        SELECT * FROM content_versions WHERE id = public.version_id OFFSET 0) AS shown ON true
    WHERE entry.release_id = :release_id
    """  # noqa: S608 - constants of the code
_FIND_FIRST = text(
    f"""
    WITH twice AS MATERIALIZED (
        SELECT version.slug, min(entry.content_id) AS content_id
        FROM release_entries AS entry
        JOIN content_versions AS version ON version.id = entry.version_id
        WHERE entry.release_id = :release_id AND version.slug <> ''
        GROUP BY version.slug HAVING count(*) > 1
    )
    SELECT content_id, reason FROM ({_FIND}) AS judged
    WHERE reason IS NOT NULL ORDER BY content_id LIMIT :most
    """  # noqa: S608 - constants of the code
)


def claim_names(session: Session, release_id: int, *, moves: bool) -> list[str]:
    """Make the names that a release needs its items' own, as far as they are free.

    With `moves` those pass on as well that one of its items gives up for another: when it goes
    live, and not before. The release is locked by the caller. Returns the names that had another
    owner: something public may still have one of them.
    """
    session.flush()
    parameters: dict[str, Any] = {"release_id": release_id}
    session.execute(_MAKE_NAMES, parameters)
    names = session.scalars(_LOCK_NAMES, parameters).all()
    if not names:
        return []
    taken = session.scalars(_TAKE_NAMES, {**parameters, "moves": moves, "names": names})
    return list(taken)


def hold_items(session: Session, release_id: int) -> None:
    """Wait for who plans for an item of a locked release, and let nobody begin to.

    Who was before did not know of the moment that the release gets now; who comes then does.
    """
    session.flush()
    session.execute(_HOLD_ITEMS, {"release_id": release_id})


def find_hindrances(session: Session, release_id: int) -> list[tuple[int, str]]:
    """Return the first items that keep a release from going live, each with the reason.

    `claim_names` comes before. A version that is not prepared yet is not told of.
    """
    session.flush()
    found = session.execute(_FIND_FIRST, {"release_id": release_id, "most": MOST_TOLD})
    return [(row.content_id, row.reason) for row in found]


def require_no_hindrance(session: Session, release: Release) -> None:
    """Raise HinderedError where something keeps a scheduled release from going live, as of now."""
    claim_names(session, release.id, moves=False)
    hindered = find_hindrances(session, release.id)
    if hindered:
        raise HinderedError("Some items keep the release from going live.", hindered)
