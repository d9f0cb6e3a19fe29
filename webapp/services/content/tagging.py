"""Tags: made by use, and named in public as something public spells them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import CompoundSelect, Text, bindparam, case, exists, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY, array
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from webapp.kit.slugs import slugify
from webapp.models import ContentTag, Publication, Tag, TagAlias
from webapp.models.arrays import IdArray
from webapp.models.content.taxonomy import key_of_name
from webapp.services.content.slugs import free_slug_of
from webapp.services.errors import ConflictError

ATTEMPTS = 5


@dataclass(frozen=True)
class ItemTag:
    """A tag as one item has it: `name` is the item's own spelling."""

    id: int
    slug: str
    name: str


def list_tags(session: Session, *, after_slug: str, limit: int) -> list[Tag]:
    """Return the tags of what is public, in the order of their slugs, from behind `after_slug`.

    A tag that only a draft has is as secret as the draft.
    """
    statement = (
        select(Tag)
        .where(Tag.slug > after_slug, Tag.was_public, is_public(Tag))
        .order_by(Tag.slug)
        .limit(limit)
    )
    return list(session.scalars(statement))


def is_public(tag: type[Tag]) -> ColumnElement[bool]:
    """Return the condition that some public item has this tag."""
    return exists().where(Publication.tags.contains(array([tag.slug])))


def ensure_tags(session: Session, names: list[str]) -> list[ItemTag]:
    """Return the tags with these names in the order of their slugs, making the new ones.

    A name is the same as another that differs in case or Unicode form alone; the first spelling
    counts. A name that a tag had is found as well, and spelt as the tag's present one; so is a tag
    that was merged into it. A new tag whose slug another has gets a numbered one. The order of
    insertion is that of the slugs, and every save makes its tags before it claims its slug, so two
    saves at once wait for each other. A transaction of many saves, as an import is, has no such
    order: PostgreSQL may have to end one of two such transactions as a deadlock. Raises
    ConflictError.
    """
    if not names:
        return []
    for attempt in range(ATTEMPTS + len(names)):
        rows = session.execute(_FIND_TAGS, {"names": names}).all()
        missing = {row.key: row.spelling for row in reversed(rows) if row.id is None}
        if not missing:
            found = {row.id: ItemTag(row.id, row.slug, row.spelling) for row in reversed(rows)}
            return sorted(found.values(), key=lambda tag: tag.slug)
        made = [
            # Those that are missing still have a name that looks like another in an address.
            {"slug": free_slug_of(session, Tag, slug) if attempt else slug, "name": name}
            for slug, name in sorted((slugify(name), name) for name in missing.values())
        ]
        session.execute(
            _MAKE_TAGS,
            {
                "slugs": [tag["slug"] for tag in made],
                "names": [tag["name"] for tag in made],
            },
        )
    raise ConflictError("Many items with these tags are being saved at once; try again.")


def find_ids(session: Session, names: Sequence[str]) -> dict[str, int | None]:
    """Return the tags with these names, by the names; None where there is none yet."""
    rows = session.execute(_FIND_TAGS, {"names": list(names)})
    return {row.spelling: row.id for row in rows}


def spell_tags(session: Session, content_id: int, slugs_of_tags: list[str]) -> list[str]:
    """Return the names of tags as an item spells them.

    How it spelt those that it has no more is not kept, and how another draft does is nobody's
    business: until something public has a tag, it is told without its capitals.
    """
    has_it = (ContentTag.tag_id == Tag.id) & (ContentTag.content_id == content_id)
    name = case(
        (ContentTag.content_id.is_not(None), func.coalesce(ContentTag.spelling, Tag.name)),
        (Tag.was_public, Tag.name),
        else_=key_of_name(Tag.name.expression),
    )
    found = select(name).outerjoin(ContentTag, has_it).where(Tag.id.in_(_ids_of(slugs_of_tags)))
    return list(session.scalars(found))


def _ids_of(slugs_of_tags: list[str]) -> CompoundSelect[int]:
    """Return the query of the tags that have, or had, these slugs."""
    has_it = select(Tag.id).where(Tag.slug.in_(slugs_of_tags))
    return has_it.union_all(select(TagAlias.tag_id).where(TagAlias.slug.in_(slugs_of_tags)))


def name_public_tags(session: Session, content_ids: list[int], version_ids: list[int]) -> None:
    """Give the tags that become public with these versions the spelling of their items.

    Until then a tag is named as the first draft that has it spells it, which is nobody's business.
    """
    session.execute(_NAME_PUBLIC_TAGS, {"content_ids": content_ids, "version_ids": version_ids})


# The position tells two spellings of one name apart, and the lowest id two tags of one.
_FIND_TAGS = text(
    """
    SELECT DISTINCT ON (wanted.position)
        CASE WHEN tags.id IS NOT NULL OR present.id IS NULL THEN wanted.name
            WHEN present.was_public THEN present.name
            ELSE lower(normalize(present.name, NFKC)) END AS spelling,
        lower(normalize(wanted.name, NFKC)) AS key,
        coalesce(tags.id, present.id) AS id, coalesce(tags.slug, present.slug) AS slug
    FROM unnest(:names) WITH ORDINALITY AS wanted (name, position)
    LEFT JOIN tags
        ON lower(normalize(tags.name, NFKC)) = lower(normalize(wanted.name, NFKC))
    LEFT JOIN tag_aliases AS alias
        ON lower(normalize(alias.name, NFKC)) = lower(normalize(wanted.name, NFKC))
    LEFT JOIN tags AS present ON present.id = alias.tag_id
    ORDER BY wanted.position, tags.id, alias.id
    """
).bindparams(bindparam("names", type_=ARRAY(Text)))

# Which slugs are former ones of other tags, a trigger asks once more behind the unique index.
_MAKE_TAGS = text(
    """
    INSERT INTO tags (slug, name)
    SELECT slug, name FROM unnest(:slugs, :names) AS made (slug, name)
    WHERE NOT EXISTS (SELECT FROM tag_aliases WHERE tag_aliases.slug = made.slug)
    ON CONFLICT (slug) DO NOTHING
    """
).bindparams(bindparam("slugs", type_=ARRAY(Text)), bindparam("names", type_=ARRAY(Text)))

# The rows are locked in the order of their ids, so that two publications cannot deadlock.
_NAME_PUBLIC_TAGS = text(
    """
    WITH made_public AS (
        SELECT tags.id FROM tags
        WHERE NOT was_public AND id IN (
            WITH spelt AS (
                SELECT unnest(tags) AS slug FROM content_versions WHERE id = ANY (:version_ids))
            SELECT id FROM tags JOIN spelt USING (slug)
            UNION ALL SELECT tag_id FROM tag_aliases JOIN spelt USING (slug))
        ORDER BY tags.id FOR UPDATE
    )
    UPDATE tags SET was_public = true, name = coalesce((
        SELECT min(spelling) FROM content_tags
        WHERE tag_id = tags.id AND content_id = ANY (:content_ids)), name)
    FROM made_public WHERE tags.id = made_public.id
    """
).bindparams(
    bindparam("content_ids", type_=IdArray()),
    bindparam("version_ids", type_=IdArray()),
)
