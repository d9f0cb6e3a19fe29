"""What changed between two versions of an item, word by word, as text and as it is read."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.kit.comparison.alignment import Alignment, Change, align
from webapp.kit.comparison.marked_html import mark_changes
from webapp.kit.comparison.words import split_words
from webapp.kit.json_values import is_same_json
from webapp.models import Rendering
from webapp.services.content import versions
from webapp.services.content.renderings import ensure_renderings
from webapp.services.content.version_texts import SavedVersion
from webapp.services.errors import NotFoundError, UnrenderableError

LARGEST_PAGES = 1_000_000
"""Pages of so many characters of HTML together are marked; twice as many take a gigabyte."""

COMPARED_FIELDS = (
    "title", "slug", "excerpt", "body_format", "category_id", "tags", "details", "origin", "tool",
)  # fmt: skip


@dataclass(frozen=True)
class Run:
    """Words in a row that both texts have, or that one of them has alone."""

    operation: Literal["equal", "removed", "added"]
    text: str


@dataclass(frozen=True)
class Comparison:
    """What makes one version the other.

    `fields` holds the two values of each field that differs, but for the body. The runs that are
    equal or removed make the former body, those that are equal or added the latter. Where
    `is_exact` is False a stretch was too long and too uniform to compare: it is shown as replaced.
    """

    former: SavedVersion
    latter: SavedVersion
    fields: dict[str, tuple[Any, Any]]
    body: list[Run]
    words_added: int
    words_removed: int
    is_exact: bool


def compare(session: Session, content_id: int, former: int | None, latter: int) -> Comparison:
    """Compare two versions of an item; without the former, the one before the latter.

    Raises NotFoundError where there is no such version.
    """
    new = versions.get_version(session, content_id, latter)
    if former is None:
        former = versions.number_before(session, content_id, latter)
        if not former:
            raise NotFoundError("There is no version before the first; name another as former.")
    old = versions.get_version(session, content_id, former)
    fields = {
        name: (getattr(old, name), getattr(new, name))
        for name in COMPARED_FIELDS
        if not is_same_json(getattr(old, name), getattr(new, name))
    }
    olds, news = split_words(old.body), split_words(new.body)
    alignment = align([word.rstrip() for word in olds], [word.rstrip() for word in news])
    return Comparison(
        former=old,
        latter=new,
        fields=fields,
        body=_runs(olds, news, alignment),
        words_added=sum(
            _is_word(news[place])
            for change in alignment.changes
            for place in range(change.new_start, change.new_end)
        ),
        words_removed=sum(
            _is_word(olds[place])
            for change in alignment.changes
            for place in range(change.old_start, change.old_end)
        ),
        is_exact=alignment.is_exact,
    )


def marked_page(session: Session, former: SavedVersion, latter: SavedVersion) -> str:
    """Return the latter as it is read, with what changed in its text marked.

    Renders what has no rendering yet, as publishing does, and raises what that raises; and
    UnrenderableError for pages that are too long to be marked in a second or two.
    """
    ids = {former.id, latter.id}
    ensure_renderings(session, ids)
    rendered = select(Rendering.version_id, Rendering.html).where(Rendering.version_id.in_(ids))
    pages = dict(session.execute(rendered).all())
    if sum(map(len, pages.values())) > LARGEST_PAGES:
        raise UnrenderableError(
            "The pages are too long to be shown with their changes marked; ask without html."
        )
    return mark_changes(pages[former.id], pages[latter.id])[0]


def _runs(olds: list[str], news: list[str], alignment: Alignment) -> list[Run]:
    runs: list[Run] = []
    old_at = new_at = 0
    for change in [*alignment.changes, _end(olds, news)]:
        runs += _equal_runs(olds[old_at : change.old_start], news[new_at : change.new_start])
        runs.append(Run("removed", "".join(olds[change.old_start : change.old_end])))
        runs.append(Run("added", "".join(news[change.new_start : change.new_end])))
        old_at, new_at = change.old_end, change.new_end
    grouped = groupby((run for run in runs if run.text), key=lambda run: run.operation)
    return [Run(operation, "".join(run.text for run in group)) for operation, group in grouped]


def _end(olds: list[str], news: list[str]) -> Change:
    return Change(len(olds), len(olds), len(news), len(news))


def _equal_runs(olds: list[str], news: list[str]) -> Iterator[Run]:
    """Yield words that are equal; where only the blanks behind one differ, those changed."""
    equal: list[str] = []
    for old, new in zip(olds, news, strict=True):
        if old == new:
            equal.append(new)
            continue
        word = new.rstrip()
        yield Run("equal", "".join([*equal, word]))
        yield Run("removed", old[len(word) :])
        yield Run("added", new[len(word) :])
        equal = []
    yield Run("equal", "".join(equal))


def _is_word(token: str) -> bool:
    return token[:1].isalnum()
