"""The versions of an item, and going back to one."""

from datetime import datetime
from typing import Any

from flask import Response
from pydantic import BaseModel, ConfigDict, Field

from webapp.api.answers import answer, page_of
from webapp.api.auth import current_actor, requires
from webapp.api.blueprint import ACCOUNT_PROBLEMS, BEARER, PRUNED, Blueprint
from webapp.api.content.content import CHANGE_PROBLEMS, ContentAnswer, answer_with
from webapp.api.edge import open_session
from webapp.api.fields import ContentPath, IfMatch, PageQuery, VersionPath
from webapp.kit.cursors import decode_cursor
from webapp.kit.permissions import Permission
from webapp.kit.text_origins import TextOrigin
from webapp.services.content import content, item_reads, labels, text_origins, versions
from webapp.services.content.text_origins import Reviewer
from webapp.services.content.versions import VersionLine

blueprint = Blueprint("versions", title="Versions")


class ReviewerAnswer(BaseModel):
    """Who approved of a version, and when."""

    model_config = ConfigDict(from_attributes=True)

    step: str
    user_id: int | None = Field(description="Null where the account has been erased.")
    decided_at: datetime


class VersionSummary(BaseModel):
    """A version in a list: all but its text. The word counts come when it is sealed."""

    model_config = ConfigDict(from_attributes=True)

    number: int
    title: str
    reason: str = Field(description="What made it: create, save, autosave, restore or import.")
    origin: TextOrigin | None = Field(description="Who wrote it; null where nobody has said it.")
    tool: str | None
    author_id: int | None
    created_at: datetime
    words: int | None
    words_added: int | None
    words_removed: int | None
    labels: list[str] = Field(
        default_factory=list, description="The names under which it is found and kept."
    )
    reviewed_by: list[ReviewerAnswer] = Field(
        default_factory=list, description="Who approved of this very version."
    )


class ListedVersion(VersionSummary):
    """A version in a list, and how many were pruned between it and the one before it."""

    pruned_before: int = Field(
        description="How many versions between this one and the one before have been pruned."
    )


class VersionAnswer(VersionSummary):
    """A version whole; it never changes."""

    slug: str
    body: str
    body_format: str
    excerpt: str
    category_id: int | None
    tags: list[str]
    metadata: dict[str, Any]


class VersionPage(BaseModel):
    """A page of versions."""

    items: list[ListedVersion]
    next: str | None


@blueprint.get(
    "/content/<int:content_id>/versions",
    responses={200: VersionPage, **ACCOUNT_PROBLEMS},
    security=BEARER,
)
@requires(Permission.CONTENT_READ_OWN)
def list_versions(path: ContentPath, query: PageQuery) -> Response:
    """List the versions of an item, newest first. Numbers have gaps where some were pruned."""
    session = open_session()
    item_reads.require_item(session, current_actor(), path.content_id)
    below: Any = None
    if query.cursor is not None:
        (below,) = decode_cursor(query.cursor, int)
    rows = versions.list_versions(session, path.content_id, below=below, limit=query.limit + 1)
    numbers = [row.number for row in rows]
    named = labels.names_of(session, path.content_id, numbers)
    reviewed = text_origins.reviewers_of(session, path.content_id, numbers)

    def shape(line: VersionLine) -> ListedVersion:
        summary = ListedVersion.model_validate(line)
        summary.labels = named.get(line.number, [])
        summary.reviewed_by = _reviewers(reviewed.get(line.number, []))
        return summary

    page = page_of(rows, query.limit, shape, lambda row: (row.number,))
    return answer(VersionPage(**page))


@blueprint.get(
    "/content/<int:content_id>/versions/<int:number>",
    responses={200: VersionAnswer, **ACCOUNT_PROBLEMS, **PRUNED},
    security=BEARER,
)
@requires(Permission.CONTENT_READ_OWN)
def read_version(path: VersionPath) -> Response:
    """Read one version whole."""
    session = open_session()
    item_reads.require_item(session, current_actor(), path.content_id)
    version = versions.get_version(session, path.content_id, path.number)
    summary = VersionSummary.model_validate(version)
    named = labels.names_of(session, path.content_id, [version.number])
    summary.labels = named.get(version.number, [])
    reviewed = text_origins.reviewers_of(session, path.content_id, [version.number])
    summary.reviewed_by = _reviewers(reviewed.get(version.number, []))
    whole = VersionAnswer(
        **summary.model_dump(),
        slug=version.slug,
        body=version.body,
        body_format=version.body_format,
        excerpt=version.excerpt,
        category_id=version.category_id,
        tags=version.tags,
        metadata=version.details,
    )
    return answer(whole)


@blueprint.post(
    "/content/<int:content_id>/versions/<int:number>/restore",
    responses={200: ContentAnswer, **CHANGE_PROBLEMS, **PRUNED},
    security=BEARER,
)
@requires(Permission.CONTENT_EDIT_OWN)
def restore(path: VersionPath, header: IfMatch) -> Response:
    """Make an old version the newest draft; what is public does not change.

    It counts as a save of the day.
    """
    content.restore(
        open_session(), current_actor(), path.content_id, header.revisions(), path.number
    )
    return answer_with(path.content_id)


def _reviewers(found: list[Reviewer]) -> list[ReviewerAnswer]:
    return [ReviewerAnswer.model_validate(reviewer) for reviewer in found]
