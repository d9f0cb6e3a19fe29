"""The report of what is public: who wrote it, and who has reviewed that very version."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from webapp.kit.text_origins import TextOrigin


@dataclass(frozen=True)
class OriginLine:
    """A public item, and an approval of what is public; without one the last three are None."""

    content_id: int
    slug: str
    version: int
    origin: str | None
    tool: str | None
    published_at: datetime
    step: str | None
    reviewer: str | None
    reviewed_at: datetime | None


# An account that has been erased has no login that says anything, and its number stays.
_LINES = text(
    """
    WITH public AS MATERIALIZED (
        SELECT content_id, version_id, slug, origin, published_at FROM publications
        WHERE content_id > :after AND (CAST(:origin AS text) IS NULL OR origin = :origin)
        ORDER BY content_id LIMIT :limit
    )
    SELECT public.content_id, public.slug, version.number AS version, public.origin, version.tool,
        public.published_at, decision.step, person.login AS reviewer,
        decision.decided_at AS reviewed_at
    FROM public
    JOIN content_versions AS version ON version.id = public.version_id
    LEFT JOIN reviews AS review
        ON review.version_id = public.version_id AND review.state = 'approved'
    LEFT JOIN review_decisions AS decision
        ON decision.review_id = review.id AND decision.decision = 'approve'
    LEFT JOIN users AS person ON person.id = decision.decided_by_id
    ORDER BY public.content_id, decision.id
    """
)


def list_origins(
    session: Session, *, after: int, limit: int, origin: TextOrigin | None = None
) -> list[OriginLine]:
    """Return so many public items behind an id, in the order of their ids, a line an approval."""
    parameters = {
        "after": after, "limit": limit, "origin": None if origin is None else origin.value
    }  # fmt: skip
    return [OriginLine(**row._asdict()) for row in session.execute(_LINES, parameters)]
