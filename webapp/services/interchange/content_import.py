"""Import of articles from elsewhere: repeatable, and never over what was edited here."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from webapp.kit.imports.article import ImportedArticle
from webapp.kit.roles import RoleName
from webapp.kit.slugs import slugify
from webapp.kit.tokens import new_token
from webapp.kit.visible_lines import make_line
from webapp.models import Content, ContentVersion, User
from webapp.services.accounts import accounts
from webapp.services.accounts.actors import Actor
from webapp.services.content import content, slugs, taxonomy
from webapp.services.content.content import Draft
from webapp.services.publishing import publishing, schedules
from webapp.services.publishing.schedules import SchedulePlan

IMPORT_REASON = "import"


class Result(Enum):
    """What became of one article."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    EDITED_HERE = "edited here since the last import"


@dataclass(frozen=True)
class ImportOptions:
    """How to import.

    `collection` makes source keys of different collections differ. `author_id` gives all items to
    one account; None keeps their own authors. `publish` makes public what was public there.
    """

    collection: str
    author_id: int | None
    publish: bool


def import_article(
    session: Session, actor: Actor, article: ImportedArticle, options: ImportOptions
) -> Result:
    """Create or update one item from an article; followers are not told of what is long known.

    An article is known again by its source. When it has not changed there since the last import,
    nothing is done here; when it has, and the item was edited here as well, the item is left alone.
    """
    source = f"{options.collection}:{article.source}"
    draft = _draft(session, article, source)
    known = session.scalar(select(Content).where(Content.import_source == source).with_for_update())
    if known is None:
        _create(session, actor, article, draft, options)
        return Result.CREATED
    return _update(session, actor, article, draft, known, options)


def ensure_author(session: Session, name: str) -> int:
    """Return the account that stands for an author of imported articles, made if it is new.

    It is off: nobody can log in with it and no mail goes to it, until a person takes it over.
    """
    login = slugify(name)[:50]
    found = accounts.find_by_login(session, login)
    if found is not None:
        return found.id
    account = accounts.register(
        session,
        login=login,
        email=f"{login}@import.invalid",
        password=new_token(),
        display_name=make_line(name, 200) or login,
        role=RoleName.AUTHOR,
    )
    session.execute(
        update(User).where(User.id == account.id).values(disabled_at=func.clock_timestamp())
    )
    return account.id


def _draft(session: Session, article: ImportedArticle, source: str) -> Draft:
    metadata: dict[str, Any] = dict(article.metadata)
    if article.authors:
        metadata["authors"] = list(article.authors)
    if len(article.categories) > 1:
        metadata["categories"] = list(article.categories)
    return Draft(
        title=article.title,
        body=article.body,
        body_format=article.body_format,
        slug=article.slug,
        excerpt=article.excerpt or "",
        category_id=_category(session, article),
        tags=tuple(article.tags),
        metadata=metadata,
        import_source=source,
    )


def _category(session: Session, article: ImportedArticle) -> int | None:
    if not article.categories:
        return None
    nicenames = article.metadata.get("category_nicenames")
    slug = nicenames[0] if isinstance(nicenames, list) and nicenames else None
    return taxonomy.ensure_category(
        session, article.categories[0], slug=slugify(slug) if isinstance(slug, str) else None
    )


def _create(
    session: Session,
    actor: Actor,
    article: ImportedArticle,
    draft: Draft,
    options: ImportOptions,
) -> None:
    slug = slugs.free_slug(session, draft.slug or slugify(draft.title))
    names = article.authors or ((article.author_login,) if article.author_login else ())
    author_id = options.author_id
    if author_id is None and names:
        author_id = ensure_author(session, names[0])
    content_id = content.create(session, actor, replace(draft, slug=slug), author_id=author_id)
    if article.published_at is not None and article.status == "published":
        content.backdate(session, content_id, article.published_at)
    if article.status == "published" and options.publish:
        _publish(session, actor, content_id, article.published_at)
    elif article.status == "scheduled" and article.published_at is not None:
        plan = SchedulePlan("publish", article.published_at)
        schedules.create(session, actor, content_id, None, plan)


def _update(
    session: Session,
    actor: Actor,
    article: ImportedArticle,
    draft: Draft,
    known: Content,
    options: ImportOptions,
) -> Result:
    last = session.scalars(
        select(ContentVersion)
        .where(ContentVersion.content_id == known.id, ContentVersion.reason == IMPORT_REASON)
        .order_by(ContentVersion.number.desc())
        .limit(1)
    ).one()
    wanted_tags = sorted({slugify(tag) for tag in draft.tags})
    is_same = _text_of(last) == _text_of_draft(draft) and sorted(last.tags) == wanted_tags
    is_to_publish = (
        options.publish and article.status == "published" and known.status == "draft"
        and known.publish_sequence == 0
    )  # fmt: skip
    if not is_same and known.version != last.number:
        return Result.EDITED_HERE
    if not is_same:
        changes = {
            "title": draft.title,
            "body": draft.body,
            "body_format": draft.body_format,
            "excerpt": draft.excerpt,
            "category_id": draft.category_id,
            "metadata": draft.metadata,
            "tags": list(draft.tags),
        }
        content.save(session, actor, known, changes, reason=IMPORT_REASON)
    if is_to_publish or (not is_same and known.status == "published" and options.publish):
        _publish(session, actor, known.id, article.published_at)
        return Result.UPDATED
    return Result.UNCHANGED if is_same else Result.UPDATED


def _publish(session: Session, actor: Actor, content_id: int, moment: datetime | None) -> None:
    publishing.publish(session, actor, content_id, None, published_at=moment, notify=False)


def _text_of(version: ContentVersion) -> tuple[Any, ...]:
    return (
        version.title, version.body, version.body_format, version.excerpt, version.category_id,
        version.details,
    )  # fmt: skip


def _text_of_draft(draft: Draft) -> tuple[Any, ...]:
    return (
        draft.title, draft.body, draft.body_format, draft.excerpt, draft.category_id,
        draft.metadata,
    )  # fmt: skip
