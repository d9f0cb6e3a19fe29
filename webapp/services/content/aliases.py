"""Former slugs of categories, under which they are still found.

A trigger keeps them apart from the slugs that categories have. Where a former slug is asked for,
the one who has it as its own is found first.
"""

from sqlalchemy import delete, exists, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from webapp.models import Category, CategoryAlias
from webapp.services.errors import ConflictError


def require_free(session: Session, slug: str, category_id: int | None = None) -> None:
    """Raise ConflictError where another category has a slug, or is still found under it."""
    has_it = exists().where(Category.slug == slug, Category.id.is_distinct_from(category_id))
    if session.scalar(select(has_it)):
        raise ConflictError("Another category has this slug.")
    had_it = exists().where(
        CategoryAlias.slug == slug, CategoryAlias.category_id.is_distinct_from(category_id)
    )
    if session.scalar(select(had_it)):
        raise ConflictError("Another category had this slug, and is still found under it.")


def take_back(session: Session, category_id: int, slug: str) -> None:
    """Let a category have one of its former slugs again."""
    session.execute(
        delete(CategoryAlias).where(
            CategoryAlias.slug == slug, CategoryAlias.category_id == category_id
        )
    )


def keep(session: Session, category_id: int, slug: str) -> None:
    """Let a category be found under a slug that nobody has any more."""
    session.execute(insert(CategoryAlias).values(slug=slug, category_id=category_id))


def hand_over(session: Session, category_id: int, into_id: int) -> None:
    """Let another category be found under the former slugs of one."""
    session.execute(
        update(CategoryAlias)
        .where(CategoryAlias.category_id == category_id)
        .values(category_id=into_id)
        .execution_options(synchronize_session=False)
    )
