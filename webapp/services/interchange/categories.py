"""The categories that stand for those of sources."""

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from webapp.models import ImportedCategory
from webapp.services.content import taxonomy


def category_of(session: Session, name: str, slug: str | None) -> int | None:
    """Return the category that stands for a source's, made or found by its name the first time.

    From then on the source's name and slug say which it is: one that was renamed here is the same,
    and one that was deleted here, for which None stands, does not come back.
    """
    found = select(ImportedCategory.category_id).where(
        ImportedCategory.name == name, ImportedCategory.slug == (slug or "")
    )
    known = session.execute(found).one_or_none()
    if known is None:
        category_id = taxonomy.ensure_category(session, name, slug=slug)
        values = {"name": name, "slug": slug or "", "category_id": category_id}
        session.execute(insert(ImportedCategory).values(values).on_conflict_do_nothing())
        known = session.execute(found).one()
    category_id_now: int | None = known.category_id
    return category_id_now
