"""Import of articles from elsewhere: repeatable, and never over what was edited here."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import partial
from typing import Any

from sqlalchemy import func, update
from sqlalchemy.orm import Session

from webapp.kit.content_limits import check_body, check_metadata, check_tags
from webapp.kit.imports.article import ImportedArticle
from webapp.kit.imports.text import without_addresses
from webapp.kit.slugs import slugify
from webapp.models import Content, ImportRecord
from webapp.services.accounts.actors import Actor
from webapp.services.content import content, slugs, tagging
from webapp.services.content.content import Draft
from webapp.services.content.version_texts import SavedVersion
from webapp.services.errors import InvalidInputError
from webapp.services.interchange import sources
from webapp.services.interchange.authors import ensure_author
from webapp.services.interchange.categories import PlacedCategory, category_of
from webapp.services.interchange.publicity import EDITED_HERE, Case, Changes, bring_about, state_of
from webapp.services.interchange.sources import IMPORT_REASON, Said

LATEST_YEAR = 9000
"""The latest year of a moment, as the API has it; PostgreSQL and clients know later ones not."""


class Result(Enum):
    """What became of one article."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class ImportOptions:
    """How to import.

    `collection` makes source keys of different collections differ; `former_collection` is the name
    that earlier releases gave it, None where the operator has named it. `author_id` gives all items
    to one account; None keeps their own authors, of whom `accounts` names some by their accounts.
    `publish` makes public what was public there.
    """

    collection: str
    author_id: int | None
    publish: bool
    former_collection: str | None = None
    accounts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Imported:
    """What an import did with one article.

    `acts` are what happened in public, in the summary's words; `not_applied` what the source says
    and the item here does not follow, with the reason. `state` is what the item is now, and
    `new_authors` are the names for which accounts were made. `notices` are such as an article has.
    """

    content_id: int
    result: Result
    state: str
    acts: tuple[str, ...]
    not_applied: tuple[str, ...]
    new_authors: tuple[str, ...]
    notices: tuple[str, ...] = ()


def import_article(
    session: Session, actor: Actor, article: ImportedArticle, options: ImportOptions
) -> Imported:
    """Create or update one item from an article; followers are not told of what is long known.

    An article is known again by its source, and what the source says is compared with what it said
    at the last import: text, state, moments, address and author. What changed there is done here,
    unless an editor did something else here in between; then it is told. Raises ConflictError where
    the source may be another article's, and InvalidInputError for what the API would refuse too.
    """
    article = _keep_addresses(article)
    category = _category(session, article)
    draft = _draft(article, f"{options.collection}:{article.source}", category.id)
    _check(draft, article)
    known = sources.find(session, article, options.collection, options.former_collection)
    if known is None:
        imported = _create(session, actor, article, draft, options)
    else:
        imported = _update(session, actor, article, draft, known, options)
    return replace(imported, notices=() if category.notice is None else (category.notice,))


def take_back(
    session: Session, actor: Actor, source: str, options: ImportOptions
) -> Imported | None:
    """Hide what an import made public, or scheduled, of a source that was thrown away there.

    As with a source that has become a draft, what an editor did is let be and told. Returns None
    where no import has brought the source here.
    """
    known = sources.find_known(session, options.collection, source)
    record = session.get(ImportRecord, known.id) if known is not None else None
    if known is None or record is None or known.status == "trashed":
        return None
    changes, last = Changes(), sources.last_import(session, known.id)
    before = Said.from_json(record.said)
    case = Case(
        actor, known, record, last, before=before, said=replace(before, status="draft"),
        is_edited=known.version != last.number, may_publish=False,
    )  # fmt: skip
    record.said = bring_about(session, case, changes).as_json()
    session.flush()
    result = Result.UPDATED if changes.acts else Result.UNCHANGED
    return _imported(session, case, changes, result)


def _draft(article: ImportedArticle, source: str, category_id: int | None) -> Draft:
    metadata: dict[str, Any] = dict(article.metadata)
    authors = [name for name in map(without_addresses, article.authors) if name]
    if authors:
        metadata["authors"] = authors
    if len(article.categories) > 1:
        metadata["categories"] = list(article.categories)
    return Draft(
        title=article.title,
        body=article.body,
        body_format=article.body_format,
        slug=article.slug,
        excerpt=article.excerpt or "",
        category_id=category_id,
        tags=tuple(article.tags),
        metadata=metadata,
        import_source=source,
    )


def _keep_addresses(article: ImportedArticle) -> ImportedArticle:
    """Keep the authors as they are written where a mail address among them is not shown."""
    if all(name == without_addresses(name) for name in article.authors):
        return article
    return replace(article, private={**article.private, "authors": list(article.authors)})


def _category(session: Session, article: ImportedArticle) -> PlacedCategory:
    if not article.categories:
        return PlacedCategory(None)
    nicenames = article.metadata.get("category_nicenames")
    first = nicenames[0] if isinstance(nicenames, list) and nicenames else None
    slug = slugify(first) if isinstance(first, str) and first else None
    return category_of(session, article.categories[0], slug, article.categories_above)


def _check(draft: Draft, article: ImportedArticle) -> None:
    """Refuse what could not be written through the API: such an item could not be saved again."""
    checks = (
        ("body", partial(check_body, draft.body)),
        ("tags", partial(check_tags, draft.tags)),
        ("metadata", partial(check_metadata, draft.metadata)),
        ("private metadata", partial(check_metadata, article.private)),
    )
    for name, check in checks:
        try:
            check()
        except ValueError as error:
            raise InvalidInputError(name, str(error)) from error
    for name, moment in (("date", article.published_at), ("expiry", article.expires_at)):
        if moment is not None and moment.year > LATEST_YEAR:
            raise InvalidInputError(name, f"lies behind the year {LATEST_YEAR}")


def _create(
    session: Session,
    actor: Actor,
    article: ImportedArticle,
    draft: Draft,
    options: ImportOptions,
) -> Imported:
    said = Said.of(article)
    slug = slugs.free_slug(session, draft.slug or slugify(draft.title))
    changes = Changes()
    author_id = _author_id(session, said.author, options, changes)
    content_id = content.create(session, actor, replace(draft, slug=slug), author_id=author_id)
    if article.published_at is not None and article.status == "published":
        content.backdate(session, content_id, article.published_at)
    item = session.get_one(Content, content_id)
    record = ImportRecord(
        content_id=content_id, collection=options.collection, said=said.as_json(),
        private=article.private, slug=slug, author_id=item.author_id, act="none",
        publish_sequence=0,
    )  # fmt: skip
    session.add(record)
    case = Case(
        actor, item, record, sources.last_import(session, content_id), before=None, said=said,
        is_edited=False, may_publish=options.publish,
    )  # fmt: skip
    bring_about(session, case, changes)
    session.flush()
    return _imported(session, case, changes, Result.CREATED)


def _author_id(
    session: Session, name: str | None, options: ImportOptions, changes: Changes
) -> int | None:
    if options.author_id is not None or name is None:
        return options.author_id
    if name in options.accounts:
        return options.accounts[name]
    account = ensure_author(session, name)
    if account.is_new:
        changes.new_authors.append(name)
    return account.user_id


def _update(
    session: Session,
    actor: Actor,
    article: ImportedArticle,
    draft: Draft,
    known: Content,
    options: ImportOptions,
) -> Imported:
    last = sources.last_import(session, known.id)
    said = Said.of(article)
    record = sources.record_of(session, known, last, said, options.collection)
    before = Said.from_json(record.said)
    sources.refuse_another_article(before, said)
    changes = Changes()
    case = Case(
        actor, known, record, last, before=before, said=said,
        is_edited=known.version != last.number, may_publish=options.publish,
    )  # fmt: skip
    if known.status == "trashed":
        changes.not_applied.append("in the trash here")
        return _imported(session, case, changes, Result.SKIPPED)
    address, author = _address(session, case, changes), _author(session, case, options, changes)
    is_saved = _save_text(session, case, draft, address, changes)
    if is_saved:
        case = replace(case, version=sources.last_import(session, known.id))
    taken = bring_about(session, case, changes)
    slug = said.slug if address is not None else before.slug
    _keep_record(record, replace(taken, slug=slug, author=author), article)
    session.flush()
    if is_saved or changes.acts:
        return _imported(session, case, changes, Result.UPDATED)
    result = Result.SKIPPED if changes.not_applied else Result.UNCHANGED
    return _imported(session, case, changes, result)


def _address(session: Session, case: Case, changes: Changes) -> str | None:
    """Return the slug that the item shall have by its source, None where it keeps its own."""
    if case.before is None or case.said.slug == case.before.slug:
        return None
    if case.is_edited or case.item.slug != case.record.slug:
        changes.not_applied.append(f"its address changed there; {EDITED_HERE}")
        return None
    case.record.slug = slugs.free_slug(session, case.said.slug)
    return case.record.slug


def _author(session: Session, case: Case, options: ImportOptions, changes: Changes) -> str | None:
    """Give the item to the author whom the source names now; returns the one that it has then."""
    before = case.before.author if case.before else None
    name = case.said.author
    if options.author_id is not None or (name == before and name not in options.accounts):
        return name
    if case.item.author_id != case.record.author_id:
        if name != before:
            changes.not_applied.append("its author changed there; an editor gave it another here")
        return before
    author_id = _author_id(session, name, options, changes)
    if author_id is None:
        changes.not_applied.append("names no author there any more")
        return before
    if author_id != case.item.author_id:
        values = {"author_id": author_id, "revision": Content.revision + 1}
        session.execute(update(Content).where(Content.id == case.item.id).values(**values))
        session.refresh(case.item)
        case.record.author_id = author_id
        changes.acts.append("author changed")
    return name


def _save_text(
    session: Session, case: Case, draft: Draft, address: str | None, changes: Changes
) -> bool:
    """Save a changed text as a version, never over an editor's; returns whether one was made."""
    # A tag is known by its name: its slug may be a numbered one.
    wanted_tags = sorted(tag.slug for tag in tagging.ensure_tags(session, list(draft.tags)))
    last = case.version
    is_same = _text_of(last) == _text_of_draft(draft) and sorted(last.tags) == wanted_tags
    if is_same and address is None:
        return False
    if case.is_edited:
        changes.not_applied.append(EDITED_HERE)
        return False
    fields = {
        "title": draft.title,
        "body": draft.body,
        "body_format": draft.body_format,
        "excerpt": draft.excerpt,
        "category_id": draft.category_id,
        "metadata": draft.metadata,
        "tags": list(draft.tags),
    }
    if address is not None:
        fields["slug"] = address
    saved = content.save(session, case.actor, case.item, fields, reason=IMPORT_REASON)
    return saved is not None


def _keep_record(record: ImportRecord, taken: Said, article: ImportedArticle) -> None:
    said = taken.as_json()
    if (record.said, record.private) != (said, article.private):
        record.said, record.private = said, article.private
        record.updated_at = func.clock_timestamp()


def _imported(session: Session, case: Case, changes: Changes, result: Result) -> Imported:
    return Imported(
        content_id=case.item.id,
        result=result,
        state=state_of(session, case),
        acts=tuple(changes.acts),
        not_applied=tuple(dict.fromkeys(changes.not_applied)),
        new_authors=tuple(changes.new_authors),
    )


def _text_of(version: SavedVersion) -> tuple[Any, ...]:
    return (
        version.title, version.body, version.body_format, version.excerpt, version.category_id,
        version.details,
    )  # fmt: skip


def _text_of_draft(draft: Draft) -> tuple[Any, ...]:
    return (
        draft.title, draft.body, draft.body_format, draft.excerpt, draft.category_id,
        draft.metadata,
    )  # fmt: skip
