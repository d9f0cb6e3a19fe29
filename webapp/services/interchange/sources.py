"""Which item a source stands for, and what it said the last time."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from webapp.kit.imports.article import ImportedArticle, Status
from webapp.kit.imports.text import make_label, without_addresses
from webapp.kit.slugs import numbered
from webapp.models import Content, ContentVersion, ImportRecord, Schedule
from webapp.models.publishing.schedules import IS_OPEN
from webapp.services.accounts.actors import Actor
from webapp.services.content import content, versions
from webapp.services.content.version_texts import SavedVersion
from webapp.services.errors import ConflictError, NotFoundError

IMPORT_REASON = "import"
_IDS_AT_ONCE = 1_000
_NUMBERS_OF_SLUGS = 20


@dataclass(frozen=True)
class Said:
    """What a source says of its article beside the text; `author` is the first of its authors."""

    title: str
    slug: str
    status: Status
    published_at: datetime | None
    expires_at: datetime | None
    author: str | None

    @classmethod
    def of(cls, article: ImportedArticle) -> "Said":
        """Take it from an article."""
        names = article.authors or ((article.author_login,) if article.author_login else ())
        return cls(
            title=article.title,
            slug=article.slug,
            status=article.status,
            published_at=article.published_at,
            expires_at=article.expires_at,
            author=(without_addresses(names[0]) or None) if names else None,
        )

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> "Said":
        """Take it from a record."""
        moments = {
            name: datetime.fromisoformat(kept[name]) if kept[name] else None
            for name in ("published_at", "expires_at")
        }
        return cls(**{**kept, **moments})

    def as_json(self) -> dict[str, Any]:
        """Give the form in which a record keeps it."""
        kept = asdict(self)
        for name in ("published_at", "expires_at"):
            kept[name] = kept[name].isoformat() if kept[name] else None
        return kept


def get(session: Session, actor: Actor, content_id: int) -> tuple[str, ImportRecord]:
    """Return the source and the record of an item. Raises NotFoundError where the item has none."""
    item = content.get(session, actor, content_id).content
    record = session.get(ImportRecord, content_id)
    if record is None:
        raise NotFoundError("The item was not imported.")
    return str(item.import_source), record


def find(
    session: Session, article: ImportedArticle, collection: str, former_collection: str | None
) -> Content | None:
    """Return the item that an earlier import made of this source, locked; None where none did.

    `former_collection` is what earlier releases called the source: a bare name that other sources
    may share. Raises ConflictError where the item may be, or plainly is, another article.
    """
    key = f"{collection}:{article.source}"
    known = _lock(session, key)
    if known is not None or former_collection in (None, collection):
        return known
    former = _lock(session, f"{former_collection}:{article.source}")
    if former is None or session.get(ImportRecord, former.id) is not None:
        # One that has a record was imported under that very name since.
        return None
    if not _is_taken_over(former, article, str(former_collection)):
        return None
    former.import_source = key
    session.flush()
    return former


def find_known(session: Session, collection: str, source: str) -> Content | None:
    """Return the item that an import made of a source under its present name, locked."""
    return _lock(session, f"{collection}:{source}")


def refuse_another_article(before: Said, said: Said) -> None:
    """Raise ConflictError where nothing is left of what the source said at the last import."""
    is_other = (
        before.title != said.title
        and before.slug != said.slug
        and before.published_at != said.published_at
    )
    if is_other:
        raise ConflictError(
            "its title, date and address are all others than at the last import, so it looks like "
            "another article; import it under another --collection, or change them one by one"
        )


def last_import(session: Session, content_id: int) -> SavedVersion:
    """Return the newest version of an item that an import has saved."""
    number = session.scalars(
        select(ContentVersion.number)
        .where(ContentVersion.content_id == content_id, ContentVersion.reason == IMPORT_REASON)
        .order_by(ContentVersion.number.desc())
        .limit(1)
    ).one()
    return versions.get_version(session, content_id, number)


def record_of(
    session: Session, item: Content, last: SavedVersion, said: Said, collection: str
) -> ImportRecord:
    """Return the record of an item; one that was imported before there were any gets its own.

    Then a schedule and a publication count as the import's where only an import makes such: without
    a request, and at the moment to which the item was dated back.
    """
    record = session.get(ImportRecord, item.id, populate_existing=True)
    if record is not None:
        return record
    authors = last.details.get("authors")
    before = Said(
        title=last.title,
        slug=said.slug if _is_slug_of(last.slug, said.slug) else last.slug,
        status=said.status,
        published_at=said.published_at,
        expires_at=said.expires_at,
        author=(
            without_addresses(make_label(str(authors[0]))) or None
            if isinstance(authors, list) and authors
            else said.author
        ),
    )
    record = ImportRecord(
        content_id=item.id, collection=collection, said=before.as_json(), private={},
        slug=last.slug, author_id=item.author_id, act="none", publish_sequence=0,
    )  # fmt: skip
    session.add(record)
    _credit(session, record, item, before)
    session.flush()
    return record


def sources_of(session: Session, collection: str) -> Iterator[str]:
    """Yield the source of every item of a collection, page by page."""
    after = 0
    while True:
        rows = session.execute(
            select(ImportRecord.content_id, Content.import_source)
            .join(Content, Content.id == ImportRecord.content_id)
            .where(ImportRecord.collection == collection, ImportRecord.content_id > after)
            .order_by(ImportRecord.content_id)
            .limit(_IDS_AT_ONCE)
        ).all()
        if not rows:
            return
        for _, source in rows:
            yield str(source).removeprefix(f"{collection}:")
        after = rows[-1].content_id


def _lock(session: Session, key: str) -> Content | None:
    return session.scalar(
        select(Content)
        .where(Content.import_source == key)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def _is_taken_over(former: Content, article: ImportedArticle, name: str) -> bool:
    """Say whether an item known by a bare name is this article; ConflictError where none can."""
    is_titled = former.title == article.title
    is_named = _is_slug_of(former.slug, article.slug)
    moments = {former.created_at, former.published_at}
    is_dated = article.published_at is not None and article.published_at in moments
    if (former.body == article.body or is_dated) and (is_titled or is_named):
        return True
    if not (is_titled or is_named or is_dated):
        return False
    raise ConflictError(
        f"it may be the article that an earlier release imported as {name}:{article.source}; "
        f"--collection {name} goes on with that one, any other name keeps the two apart"
    )


def _is_slug_of(given: str, wanted: str) -> bool:
    """Say whether a slug is the wanted one, or one of its first numbered variants."""
    return given == wanted or given in {numbered(wanted, n) for n in range(2, _NUMBERS_OF_SLUGS)}


def _credit(session: Session, record: ImportRecord, item: Content, before: Said) -> None:
    """Give the record of an earlier release's item what that import did in public."""
    of_import = (
        Schedule.content_id == item.id, Schedule.action == "publish",
        Schedule.request_id.is_(None),
        exists().where(
            ContentVersion.id == Schedule.version_id, ContentVersion.reason == IMPORT_REASON
        ),
    )  # fmt: skip
    open_one = session.scalar(
        select(Schedule).where(*of_import, IS_OPEN).order_by(Schedule.due_at).limit(1)
    )
    if open_one is not None:
        kept = {**before.as_json(), "status": "scheduled"}
        record.said = {**kept, "published_at": open_one.due_at.isoformat()}
        record.act, record.publish_schedule_id = "scheduled", open_one.id
        record.publish_sequence = item.publish_sequence + 1
        return
    if item.status != "published" or item.published_at is None:
        return
    fired = exists().where(*of_import, Schedule.due_at == item.published_at)
    if item.created_at == item.published_at or session.scalar(select(fired)):
        record.said = {
            **before.as_json(),
            "status": "published",
            "published_at": item.published_at.isoformat(),
        }
        record.act, record.publish_sequence = "published", item.publish_sequence
