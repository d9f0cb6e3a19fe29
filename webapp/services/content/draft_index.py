"""The search index of the items' newest versions, which follows the saves a moment later.

The versions worker writes it in the transaction that seals a version, fifty at once, so a save
costs nothing more. A version that is older than what is indexed changes nothing, whichever of two
workers comes last.
"""

import time
from collections.abc import Sequence

from sqlalchemy import bindparam, exists, select, text
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Session

from webapp.models import Content, ContentVersion, SearchDocument
from webapp.models.arrays import IdArray, is_one_of
from webapp.services.content.search_words import found_by
from webapp.services.content.version_texts import SavedVersion, read_intact

# The items are locked against their deletion alone, in the order of their ids.
_KEEP = text(
    """
    INSERT INTO search_documents AS kept (content_id, number, language, words)
    SELECT given.content_id, given.number, given.language, given.words::tsvector
    FROM unnest(:content_ids, :numbers, :languages, :words)
             AS given (content_id, number, language, words)
    JOIN content ON content.id = given.content_id
    ORDER BY given.content_id
    FOR KEY SHARE OF content
    ON CONFLICT (content_id) DO UPDATE SET
        number = excluded.number, language = excluded.language, words = excluded.words,
        indexed_at = clock_timestamp()
    WHERE kept.number <= excluded.number
    """
).bindparams(
    bindparam("content_ids", type_=IdArray()),
    bindparam("numbers", type_=IdArray()),
    bindparam("languages", type_=ARRAY(TEXT)),
    bindparam("words", type_=ARRAY(TEXT)),
)
# A version may have 2 MB, and its words are read for seconds then.
_READ_AT_ONCE = 10
_is_newest = exists().where(
    Content.id == ContentVersion.content_id, Content.version == ContentVersion.number
)


def index_versions(session: Session, version_ids: Sequence[int], *, seconds: float) -> set[int]:
    """Have items found by these versions, where they are the newest; others are left out.

    None is begun after so many seconds. Nobody is waited for: the caller may hold versions for
    which somebody waits who has locked their items. Returns the versions that are to be tried
    again, because somebody holds their items or because there was no time.
    """
    newest = select(ContentVersion.id).where(is_one_of(ContentVersion.id, version_ids), _is_newest)
    ids = session.scalars(newest.order_by(ContentVersion.content_id)).all()
    stop_at, left = time.monotonic() + seconds, set[int]()
    for start in range(0, len(ids), _READ_AT_ONCE):
        some = ids[start : start + _READ_AT_ONCE]
        left |= set(some) if time.monotonic() > stop_at else _index(session, some)
    return left


def _index(session: Session, version_ids: Sequence[int]) -> set[int]:
    """Have items found by newest versions; returns those whose items somebody holds."""
    versions = read_intact(session, is_one_of(ContentVersion.id, version_ids) & _is_newest)
    items = select(Content.id).where(
        is_one_of(Content.id, {version.content_id for version in versions})
    )
    free = set(
        session.scalars(
            items.order_by(Content.id).with_for_update(read=True, key_share=True, skip_locked=True)
        )
    )
    keep(session, [version for version in versions if version.content_id in free])
    return {version.id for version in versions if version.content_id not in free}


def index_range(session: Session, after: int, until: int) -> None:
    """Have the items with these ids found that are not, or by an older version: the backfill."""
    is_indexed = exists().where(
        SearchDocument.content_id == Content.id, SearchDocument.number >= Content.version
    )
    unindexed = select(Content.id).where(Content.id > after, Content.id <= until, ~is_indexed)
    keep(session, read_intact(session, ContentVersion.content_id.in_(unindexed) & _is_newest))


def keep(session: Session, versions: Sequence[SavedVersion]) -> None:
    """Have items found by these versions, unless they are by newer ones."""
    if not versions:
        return
    found = found_by(session, versions)
    parameters = {
        "content_ids": [version.content_id for version in versions],
        "numbers": [version.number for version in versions],
        "languages": [each.language for each in found],
        "words": [each.words for each in found],
    }
    session.execute(_KEEP, parameters)
