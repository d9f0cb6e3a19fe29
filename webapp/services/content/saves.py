"""What a save writes, by one statement: text, tags, version, job, lines of the log, and usage.

The statements are built once and run past the ORM. Their parts see the database as it was when
they began, so what has to be asked under the lock of an item wants the lock from one before.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Boolean,
    LargeBinary,
    Text,
    TextClause,
    bindparam,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Session
from sqlalchemy.orm.util import identity_key

from webapp.adapters import built_statements
from webapp.jobs.messages import SealVersion
from webapp.jobs.payloads import version_mark
from webapp.kit.json_values import as_kept, is_same_json
from webapp.models import Content
from webapp.models.arrays import IdArray
from webapp.services import activity
from webapp.services.accounts import quotas
from webapp.services.accounts.actors import Actor
from webapp.services.content.item_reads import (
    ASKED,
    ITEM,
    NAMED,
    NAMES,
    NEWEST,
    SURROUNDINGS,
    SURROUNDINGS_OF_NEW,
    WholeItem,
    whole_item,
)
from webapp.services.content.tagging import ItemTag
from webapp.services.content.version_texts import Text as SavedText
from webapp.services.content.version_texts import complete
from webapp.services.errors import InvalidInputError


class Categorised(SavedText, Protocol):
    """What a save keeps of an item, but for its tags."""

    @property
    def category_id(self) -> int | None: ...
    @property
    def origin(self) -> str | None: ...
    @property
    def tool(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Fields:
    """What a save keeps of an item, but for its tags, as it is now or shall be."""

    title: str
    slug: str
    body: str
    body_format: str
    excerpt: str
    category_id: int | None
    details: dict[str, Any]
    origin: str | None
    tool: str | None

    @classmethod
    def of(cls, item: Categorised) -> Self:
        """Return those of an item."""
        return cls(
            item.title, item.slug, item.body or "", item.body_format, item.excerpt,
            item.category_id, item.details, item.origin, item.tool,
        )  # fmt: skip

    def changed(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Return those of some changes that change anything, by the names of the fields."""
        given = {_FIELD_OF.get(name, name): value for name, value in changes.items()}
        if "details" in given:
            given["details"] = as_kept(given["details"])
        return {
            name: given[name]
            for name in self.__slots__
            if name in given and not is_same_json(getattr(self, name), given[name])
        }


@dataclass(frozen=True)
class Save:
    """One save: who makes it and why, and what the item holds with it.

    `restored_from` is the number of a version that is brought back.
    """

    actor: Actor
    reason: str
    fields: Fields
    tags: Sequence[ItemTag]
    restored_from: int | None = None


_FIELD_OF = {"metadata": "details"}
_FIELDS = "title, slug, body, body_format, excerpt, category_id, metadata, origin, tool"
_VALUES = ":title, :slug, :body, :body_format, :excerpt, :category_id, :metadata, :origin, :tool"
_FOLLOWS = f"""
    saved AS (
        INSERT INTO content_versions
            (content_id, number, author_id, {_FIELDS}, tags, reason, restored_from, digest)
        SELECT id, :version, :actor_id, {_VALUES}, :tags, :reason, :restored_from, :digest
        FROM item
        RETURNING id
    ), sealed AS (
        INSERT INTO jobs (queue, kind, dedupe_key, payload, max_starts, request_id)
        SELECT '{SealVersion.queue.value}', '{SealVersion.kind}', id::text,
            jsonb_build_object('version_id', id)
            || CAST('{json.dumps(version_mark(SealVersion))}' AS jsonb),
            {SealVersion.max_starts}, :request_id
        FROM saved ON CONFLICT (kind, dedupe_key) DO NOTHING
    ), used AS (
        {quotas.use_from("item WHERE :is_charged")}
    )
"""  # noqa: S608 - the parts are constants of the code
# The tags of a new item are all new, and those of an edited one may be there.
_TAGGED = """
    tagged AS (
        INSERT INTO content_tags (content_id, tag_id, spelling)
        SELECT item.id, tag_id, spelling
        FROM item, unnest(:tag_ids, :spellings) AS wanted (tag_id, spelling)
        WHERE :sets_tags
        ON CONFLICT (content_id, tag_id) DO UPDATE SET spelling = excluded.spelling
    )
"""
_SHELF = """
    shelf AS (SELECT id FROM categories WHERE id = :category_id AND :sets_category FOR KEY SHARE)
"""
_HAS_SHELF = "NOT :sets_category OR :category_id IS NULL OR EXISTS (SELECT FROM shelf)"
# The answer to a save shows the item as it has become: it is the outcome, and not read once more.
_OUTCOME = f"""
    SELECT {ITEM}, {NAMES}, %s, (
        SELECT json_agg(json_build_array(tags.id, tags.slug, spelling) ORDER BY tags.slug)
        FROM unnest(:tag_ids, :spellings) AS wanted (tag_id, spelling)
        JOIN tags ON tags.id = wanted.tag_id
    ) AS tags, found.has_shelf, found.has_name, used.saves, used.saved_bytes, used.seconds
    FROM found LEFT JOIN item AS content ON true {NAMED} LEFT JOIN used ON true
"""  # noqa: S608 - the parts are constants of the code
_PARAMETERS: tuple[BindParameter[Any], ...] = (
    *(
        bindparam(name, type_=Text())
        for name in (
            "title",
            "slug",
            "body",
            "body_format",
            "excerpt",
            "reason",
            "action",
            "origin",
            "tool",
        )
    ),
    *(
        bindparam(name, type_=BigInteger())
        for name in ("category_id", "actor_id", "version", "restored_from")
    ),
    *(bindparam(name, type_=Boolean()) for name in ("sets_category", "sets_tags", "is_charged")),
    bindparam("metadata", type_=JSONB()),
    bindparam("details", type_=JSONB()),
    bindparam("digest", type_=LargeBinary()),
    bindparam("tags", type_=ARRAY(Text())),
    bindparam("tag_ids", type_=IdArray()),
    bindparam("spellings", type_=ARRAY(Text())),
    *quotas.USE_PARAMETERS,
    *activity.ORIGIN_PARAMETERS,
)


def _statement(sql: str, *parameters: BindParameter[Any]) -> TextClause:
    """Build a statement in one line, as the server's log shows it."""
    return text(" ".join(sql.split())).bindparams(*_PARAMETERS, *parameters)


_CREATE = _statement(
    f"""
    WITH {_SHELF}, found AS (
        SELECT {_HAS_SHELF} AS has_shelf,
            NOT EXISTS (SELECT FROM slugs WHERE slug = :slug AND was_public) AS has_name
    ), item AS (
        INSERT INTO content (author_id, {_FIELDS}, version, import_source)
        SELECT :author_id, {_VALUES}, :version, :import_source
        FROM found WHERE has_shelf AND has_name
        RETURNING {ITEM}
    ), {_TAGGED}, {_FOLLOWS}, told AS (
        INSERT INTO activity_logs
            (actor_id, action, subject_kind, subject_id, details, {activity.ORIGIN})
        SELECT :actor_id, :action, 'content', id, :details, {activity.ORIGIN_VALUES} FROM item
    )
    {_OUTCOME % SURROUNDINGS_OF_NEW}
    """,  # noqa: S608 - the parts are constants of the code
    bindparam("author_id", type_=BigInteger()),
    bindparam("import_source", type_=Text()),
)
# What stays as it is keeps its place outside of the row, where it is long.
_EDIT = _statement(
    f"""
    WITH {_SHELF}, found AS (
        SELECT {_HAS_SHELF} AS has_shelf, NOT :sets_slug OR NOT EXISTS (
            SELECT FROM slugs
            WHERE slug = :slug AND was_public AND content_id <> :content_id
        ) AS has_name
    ), item AS (
        UPDATE content SET
            title = :title, slug = :slug, body_format = :body_format, excerpt = :excerpt,
            category_id = :category_id, origin = :origin, tool = :tool,
            body = CASE WHEN :sets_body THEN :body ELSE body END,
            metadata = CASE WHEN :sets_metadata THEN :metadata ELSE metadata END,
            version = :version, revision = revision + 1, updated_at = clock_timestamp()
        FROM found WHERE id = :content_id AND has_shelf AND has_name
        RETURNING {ITEM}
    ), untagged AS (
        DELETE FROM content_tags USING item
        WHERE content_id = item.id AND :sets_tags AND NOT tag_id = ANY (:tag_ids)
    ), {_TAGGED}, {_FOLLOWS}, voided AS (
        UPDATE reviews SET state = 'voided', ended_at = clock_timestamp()
        FROM item WHERE content_id = item.id AND state = 'open'
        RETURNING reviews.id
    ), told AS (
        INSERT INTO activity_logs
            (actor_id, action, subject_kind, subject_id, details, changes, {activity.ORIGIN})
        SELECT :actor_id, line.action, 'content', item.id, line.details, line.changes,
            {activity.ORIGIN_VALUES}
        FROM item CROSS JOIN (
            SELECT 1 AS place, 'review.void' AS action,
                :causes || jsonb_build_object('review_id', id) AS details, '{{}}'::jsonb AS changes
            FROM voided
            UNION ALL SELECT 2, :action, :details, :changes
        ) AS line ORDER BY place
    )
    {_OUTCOME % SURROUNDINGS}
    """,  # noqa: S608 - the parts are constants of the code
    bindparam("content_id", type_=BigInteger()),
    bindparam("sets_slug", type_=Boolean()),
    bindparam("sets_body", type_=Boolean()),
    bindparam("sets_metadata", type_=Boolean()),
    bindparam("causes", type_=JSONB()),
    bindparam("changes", type_=JSONB()),
    *ASKED,
)


def create(
    session: Session, save: Save, *, author_id: int, import_source: str | None
) -> WholeItem | None:
    """Write a new item with its first version, and return it.

    None where its name is or was public. Raises InvalidInputError for an unknown category, and
    DailyQuotaError. The account's usage is locked from here on where a quota is counted.
    """
    values = _values(save, 1) | {
        "author_id": author_id,
        "import_source": import_source,
        "action": "content.create",
        "details": activity.causes(),
        "sets_category": save.fields.category_id is not None,
        "sets_tags": bool(save.tags),
        "is_charged": save.actor.quotas.counts_saves or save.actor.quotas.drafts > 0,
    }
    return _write(session, _CREATE, save, values)


def edit(
    session: Session,
    save: Save,
    content_id: int,
    version: int,
    changed: Mapping[str, Any],
    *,
    changes: activity.Changes,
    sets_tags: bool,
) -> WholeItem | None:
    """Write what a locked item holds now, as the version of that number; an open review ends.

    `changed` are the fields that do not stay as they are, and `changes` is what the log tells of
    them. Returns the item as it is now, and None where another is or was public under its new name.
    Raises InvalidInputError for an unknown category, and DailyQuotaError.
    """
    values = _values(save, version) | {
        **NEWEST,
        "content_id": content_id,
        "action": f"content.{save.reason}",
        "details": {"version": version, **activity.causes()},
        "changes": changes,
        "causes": activity.causes(),
        "sets_slug": "slug" in changed,
        "sets_body": "body" in changed,
        "sets_metadata": "details" in changed,
        "sets_category": "category_id" in changed,
        "sets_tags": sets_tags,
        "is_charged": save.actor.quotas.counts_saves,
    }
    saved = _write(session, _EDIT, save, values)
    known = session.identity_map.get(identity_key(Content, content_id))
    if known is not None:
        session.expire(known)
    return saved


def _write(
    session: Session, statement: TextClause, save: Save, values: dict[str, Any]
) -> WholeItem | None:
    session.flush()
    row: Any = built_statements.first(session.connection(), statement, values)
    if not row.has_shelf:
        raise InvalidInputError("category_id", "there is no such category")
    if row.saves is not None:
        quotas.require_usage(save.actor, row, values["used_bytes"])
    return None if row.id is None else whole_item(row)


def _values(save: Save, version: int) -> dict[str, Any]:
    """Return the parameters that both statements have."""
    fields, slugs_of_tags = save.fields, [tag.slug for tag in save.tags]
    kept = complete(fields, slugs_of_tags)
    return {
        "title": fields.title,
        "slug": fields.slug,
        "body": fields.body,
        "body_format": fields.body_format,
        "excerpt": fields.excerpt,
        "category_id": fields.category_id,
        "metadata": fields.details,
        "origin": fields.origin,
        "tool": fields.tool,
        "version": version,
        "actor_id": save.actor.user_id,
        "reason": save.reason,
        "restored_from": save.restored_from,
        "digest": hashlib.sha256(kept).digest(),
        "tags": slugs_of_tags,
        "tag_ids": [tag.id for tag in save.tags],
        "spellings": [tag.name for tag in save.tags],
        **quotas.use_of(save.actor, len(kept)),
        **activity.origin(),
    }
