"""Versions of a release are rendered and judged when they are added, so its moment waits for none.

No text is rendered while a transaction is open: a batch is read, rendered, and then noted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, exists, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import Text

from webapp.adapters.rendering import Rendered
from webapp.models import ContentVersion, Release, ReleaseEntry, Rendering
from webapp.models.arrays import IdArray, is_one_of
from webapp.services.accounts.actors import Actor
from webapp.services.content.completeness import require_ready
from webapp.services.content.renderings import keep_renderings, render_version
from webapp.services.content.version_texts import SavedVersion, read_stored, stored
from webapp.services.errors import (
    CheckedError,
    DamagedVersionError,
    IncompleteError,
    UnrenderableError,
)

VERSIONS_A_BATCH = 25


@dataclass
class Batch:
    """Some versions of a release: those to judge, and why others cannot go out, by their ids.

    `unrendered` are those that have no rendering yet; `is_last` says that no others wait.
    """

    release_id: int
    is_last: bool
    versions: dict[int, SavedVersion] = field(default_factory=dict)
    unrendered: set[int] = field(default_factory=set)
    refused: dict[int, str] = field(default_factory=dict)


_NOTE = text(
    """
    UPDATE release_entries SET prepared_at = clock_timestamp(),
        failure = nullif(judged.failure, '')
    FROM unnest(:version_ids, :failures) AS judged (version_id, failure)
    WHERE release_id = :release_id AND release_entries.version_id = judged.version_id
    """
).bindparams(
    bindparam("version_ids", type_=IdArray()),
    bindparam("failures", type_=ARRAY(Text)),
)
# One that was rendered, and has lost it, is prepared once more.
_UNPREPARE = text(
    """
    UPDATE release_entries SET prepared_at = NULL
    WHERE release_id = :release_id AND prepared_at IS NOT NULL AND action = 'publish'
      AND failure IS NULL
      AND NOT EXISTS (
          SELECT FROM renderings WHERE renderings.version_id = release_entries.version_id)
    """
)


def read_batch(session: Session, release_id: int) -> Batch:
    """Return the next versions of a release that are not prepared, with their texts."""
    waiting = (
        select(ReleaseEntry.version_id)
        .where(ReleaseEntry.release_id == release_id, ReleaseEntry.prepared_at.is_(None))
        .order_by(ReleaseEntry.content_id)
        .limit(VERSIONS_A_BATCH)
    )
    version_ids = [found for found in session.scalars(waiting) if found is not None]
    batch = Batch(release_id, is_last=len(version_ids) < VERSIONS_A_BATCH)
    for found in read_stored(session, stored(is_one_of(ContentVersion.id, version_ids))):
        try:
            batch.versions[found.row.id] = found.read()
        except DamagedVersionError as error:
            batch.refused[found.row.id] = str(error)
    rendered = select(Rendering.version_id).where(is_one_of(Rendering.version_id, version_ids))
    batch.unrendered = batch.versions.keys() - set(session.scalars(rendered))
    return batch


def render(batch: Batch) -> dict[int, Rendered]:
    """Render what of a batch has to be; asks no database. Raises UnavailableError."""
    rendered: dict[int, Rendered] = {}
    for version_id in sorted(batch.unrendered):
        try:
            rendered[version_id] = render_version(batch.versions[version_id])
        except UnrenderableError as error:
            batch.refused[version_id] = str(error)
    return rendered


def note(session: Session, actor: Actor, batch: Batch, rendered: Mapping[int, Rendered]) -> None:
    """Keep the renderings of a batch, and note of each version whether it may go out.

    What it has to have is asked of the settings, which the actor brings.
    """
    made = [batch.versions[version_id] for version_id in rendered]
    if made:
        keep_renderings(session, made, rendered)
    failures = dict(batch.refused)
    for version_id, version in batch.versions.items():
        if version_id not in failures:
            failures[version_id] = _why_not(session, actor, version)
    if failures:
        parameters: dict[str, Any] = {
            "release_id": batch.release_id,
            "version_ids": list(failures),
            "failures": list(failures.values()),
        }
        session.execute(_NOTE, parameters)


def forget_lost(session: Session, release_id: int) -> None:
    """Let versions of a release be prepared once more whose rendering is gone."""
    session.execute(_UNPREPARE, {"release_id": release_id})


def is_due(session: Session, release_id: int, revision: int) -> bool:
    """Say whether a release still has the moment that it was given with a revision."""
    found = select(exists().where(
        Release.id == release_id, Release.revision == revision, Release.state == "scheduled",
    ))  # fmt: skip
    return bool(session.scalar(found))


def _why_not(session: Session, actor: Actor, version: SavedVersion) -> str:
    try:
        require_ready(session, actor, version)
    except (IncompleteError, CheckedError, UnrenderableError) as error:
        return str(error)
    return ""
