"""The kinds of notices, each with its words: the one table of what the newsroom is told.

A line is a sentence with places for `{title}`, `{by}` and the details of the notice; the subject is
that of a mail. Details hold ids, numbers, moments and words from the code, and in `words` a text
that stands below the line, where the subject of the notice has none of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from webapp.kit.visible_lines import make_line

NAME_LIMIT, TITLE_LIMIT, SUBJECT_LIMIT = 80, 120, 200


@dataclass(frozen=True)
class NoticeKind:
    """The words of one kind."""

    subject: str
    line: str


NOTICE_KINDS: dict[str, NoticeKind] = {
    "comment.added": NoticeKind("Comments on {title}", "{by} commented on {title}."),
    "comment.mentioned": NoticeKind("You are asked about {title}", "{by} named you on {title}."),
    "comment.resolved": NoticeKind("A thread is settled", "{by} settled your thread on {title}."),
    "review.approved": NoticeKind(
        "{title} was approved", "{by} approved version {version} of {title}."
    ),
    "review.changes_wanted": NoticeKind(
        "{title} wants changes", "{by} wants changes in version {version} of {title}."
    ),
    "review.rejected": NoticeKind(
        "{title} was rejected", "{by} rejected version {version} of {title}."
    ),
    "review.answered": NoticeKind(
        "A guest has answered your review",
        "A guest said of version {version} of {title}: {decision}.",
    ),
    "schedule.failed": NoticeKind(
        "A schedule failed: {title}", "The schedule to {action} {title} at {due_at} failed."
    ),
    "schedule.ended": NoticeKind(
        "A schedule was cancelled: {title}",
        "The schedule to {action} {title} at {due_at} was cancelled.",
    ),
    "schedule.left": NoticeKind(
        "A schedule has lost its maker: {title}",
        "The schedule to {action} {title} at {due_at} stands, though who made it may not any more.",
    ),
    "schedule.waiting": NoticeKind(
        "A schedule waits for your decision: {title}",
        "The schedule to {action} {title} at {due_at} waits for a decision: run, skip or move it.",
    ),
    "schedule.endangered": NoticeKind(
        "A schedule is in danger: {title}", "The schedule to {action} {title} at {due_at} may fail."
    ),
    "release.failed": NoticeKind(
        "A release failed: {name}", "The release {name} failed at {due_at}."
    ),
    "release.missed": NoticeKind(
        "A release missed its moment: {name}",
        "The release {name} was due at {due_at} and did not go live.",
    ),
}


def subject_of(kind: str, **values: Any) -> str:  # noqa: ANN401
    """Return the subject of a mail. Raises KeyError for a kind or a value that is not there."""
    return make_line(_filled(NOTICE_KINDS[kind].subject, values), SUBJECT_LIMIT)


def line_of(kind: str, **values: Any) -> str:  # noqa: ANN401
    """Return the sentence of a notice. Raises KeyError for a kind or value that is not there."""
    return make_line(_filled(NOTICE_KINDS[kind].line, values))


def require_details(kind: str, details: Mapping[str, Any]) -> None:
    """Raise KeyError unless the words of a kind can be made of these details."""
    subject_of(kind, **{**details, "title": None, "by": None})
    line_of(kind, **{**details, "title": None, "by": None})


def _filled(words: str, values: Mapping[str, Any]) -> str:
    title = make_line(values.get("title") or "", TITLE_LIMIT)
    by = make_line(values.get("by") or "", NAME_LIMIT)
    named = {"title": f"“{title}”" if title else "a text", "by": by or "Somebody"}
    return words.format(**{**values, **named})
