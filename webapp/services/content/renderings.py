"""Rendered HTML, one for each version that is or will be public."""

from collections.abc import Collection

from sqlalchemy import BigInteger, any_, exists, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from webapp.kit.rendering.excerpts import excerpt
from webapp.kit.rendering.markdown import render
from webapp.kit.rendering.sanitising import sanitise
from webapp.models import ContentVersion, Rendering

# PostgreSQL refuses a search document of more than a megabyte, so a very long text is searched by
# its beginning. A hyphenated word or an address is kept whole and in parts, lower case can be more
# bytes than upper case, and each word brings a few of its own: one byte of text may make five.
SEARCHED_BYTES = 200_000


def ensure_renderings(session: Session, version_ids: Collection[int]) -> None:
    """Render the versions that have no rendering yet.

    Scheduling does this ahead, so that at the due moment there is nothing left to render. Two that
    render one version at once make the same text, and the key keeps one of them.
    """
    missing = session.scalars(
        select(ContentVersion).where(
            ContentVersion.id == any_(literal(list(version_ids), ARRAY(BigInteger))),
            ~exists().where(Rendering.version_id == ContentVersion.id),
        )
    ).all()
    for version in missing:
        html = sanitise(version.body) if version.body_format == "html" else render(version.body)
        session.execute(
            insert(Rendering)
            .values(
                version_id=version.id,
                html=html,
                excerpt=version.excerpt or excerpt(html),
                search=func.to_tsvector("simple", _searched_text(version)),
            )
            .on_conflict_do_nothing(index_elements=["version_id"])
        )


def _searched_text(version: ContentVersion) -> str:
    words = " ".join([version.title, *version.tags, version.body])
    return words.encode()[:SEARCHED_BYTES].decode(errors="ignore")
