"""Rehearsals: what would keep a planned action from being what was meant, while there is time.

An action is rehearsed when it is planned or changed, and once more before it is due. Nothing is
carried out and nothing refused: an error is what would make it fail or end, a warning what an
editor should look at.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Self

import orjson
from sqlalchemy import BigInteger, Text, bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Session

from webapp.kit.content_checks.pages import Finding, Level, Page
from webapp.kit.lifecycle import Standing
from webapp.kit.requirements import Requirement, lacking, read_requirements
from webapp.kit.review_policy import ReviewPolicy
from webapp.models import ContentVersion, Rendering
from webapp.models.arrays import IdArray, is_one_of
from webapp.services.content.checks import broken_links, of_rules, site_links
from webapp.services.content.renderings import keep_renderings, render_version
from webapp.services.content.version_texts import SavedVersion, read_stored, stored
from webapp.services.errors import DamagedVersionError, UnavailableError, UnrenderableError
from webapp.services.publishing.planned_actions import (
    PlannedAction,
    find_public_by,
    read_planned,
)
from webapp.settings import Settings

MOST_FINDINGS = 50
"""How many findings of one rehearsal are kept, errors first."""


@dataclass(frozen=True)
class Stage:
    """What rehearsals go by that the settings say; `content_url` has `{slug}` in it."""

    required_fields: frozenset[Requirement]
    review_policy: ReviewPolicy
    content_url: str

    @classmethod
    def under(cls, settings: Settings) -> Self:
        """Return it as the settings say."""
        required = read_requirements(settings.required_fields)
        return cls(required, settings.review_policy, settings.link_to_content("{slug}"))


@dataclass(frozen=True)
class Rehearsed:
    """What the rehearsal of an action found, errors first, and what is `new` since the last one."""

    action: PlannedAction
    findings: list[Finding]
    new: list[Finding]

    @property
    def errors(self) -> list[Finding]:
        """What would make the action fail or end."""
        return [finding for finding in self.findings if finding.level is Level.ERROR]

    @property
    def new_errors(self) -> list[Finding]:
        """What of that the rehearsal before did not find."""
        return [finding for finding in self.new if finding.level is Level.ERROR]


@dataclass(frozen=True)
class _Script:
    """A pinned version as it would go out, or why it cannot."""

    version: SavedVersion | None = None
    page: Page | None = None
    problem: Finding | None = None


def rehearse(session: Session, stage: Stage, schedule_ids: Sequence[int]) -> list[Rehearsed]:
    """Rehearse those of some schedules that are open, and keep what was found beside them."""
    planned = read_planned(session, schedule_ids, stage.review_policy)
    scripts = _read_scripts(session, {action.version_id for action in planned} - {None})
    pages = {
        action.id: script.page
        for action in planned
        if (script := scripts.get(action.version_id)) is not None and script.page is not None
    }
    links = {place: site_links(page, stage.content_url) for place, page in pages.items()}
    moments = {action.id: action.due_at for action in planned}
    public = find_public_by(
        session, {place: (moments[place], set(each.values())) for place, each in links.items()}
    )
    found = {}
    for action in planned:
        findings = [*_of_plan(action), *_of_script(scripts.get(action.version_id), stage)]
        if action.id in links:
            findings += broken_links(links[action.id], public[action.id])
        findings.sort(key=lambda finding: finding.level is not Level.ERROR)
        found[action.id] = findings[:MOST_FINDINGS]
    return _keep(session, planned, found)


def _read_scripts(
    session: Session, version_ids: Collection[int | None]
) -> dict[int | None, _Script]:
    """Read pinned versions and what they were rendered to; what is not rendered is so now."""
    pinned = [version_id for version_id in version_ids if version_id is not None]
    if not pinned:
        return {}
    rendered = select(Rendering.version_id, Rendering.html)
    rendered = rendered.where(is_one_of(Rendering.version_id, pinned))
    html = {row.version_id: row.html for row in session.execute(rendered)}
    scripts: dict[int | None, _Script] = {}
    for found in read_stored(session, stored(is_one_of(ContentVersion.id, pinned))):
        try:
            version = found.read()
            if version.id not in html:
                made = render_version(version)
                keep_renderings(session, [version], {version.id: made})
                html[version.id] = made.html
            page = Page(version.title, version.slug, version.excerpt, html[version.id])
            scripts[version.id] = _Script(version, page)
        except (DamagedVersionError, UnrenderableError) as error:
            problem = Finding("version.unreadable", Level.ERROR, str(error))
            scripts[found.row.id] = _Script(problem=problem)
        except UnavailableError:
            busy = Finding("checks.unavailable", Level.WARNING, "The renderer is busy.")
            scripts[found.row.id] = _Script(problem=busy)
    return scripts


def _of_plan(action: PlannedAction) -> Iterator[Finding]:
    """Yield what stands against an action whatever its text says."""
    if action.standing in (Standing.ARCHIVED, Standing.TRASHED):
        where = "archived" if action.standing is Standing.ARCHIVED else "in the trash"
        yield Finding("item.put_aside", Level.ERROR, f"The item is {where}.")
    if action.is_superseded:
        yield Finding(
            "schedule.superseded", Level.ERROR,
            "A newer version was published since this one was chosen, so this one ends unless it"
            " is chosen again.",
        )  # fmt: skip
    if action.is_slug_taken:
        yield Finding("slug.taken", Level.ERROR, "Another item has the slug of this version.")
    if action.action == "archive" and action.follows == "publish":
        yield Finding(
            "item.still_public", Level.ERROR,
            "The item will be public then, and what is public is not archived.",
        )  # fmt: skip
    if action.action == "unpublish" and action.follows != "publish":
        yield Finding("item.not_public", Level.WARNING, "The item will not be public then.")
    if action.planner is None:
        yield Finding(
            "planner.gone", Level.WARNING,
            "The account that planned this works no more. It is carried out all the same.",
        )  # fmt: skip
    elif not action.may_be_planned:
        yield Finding(
            "planner.may_not", Level.WARNING,
            "Who planned this may publish no more. It is carried out all the same.",
        )  # fmt: skip
    elif action.lacks_approval:
        yield Finding(
            "version.not_approved", Level.WARNING,
            "Who planned this publishes what is approved, and the version has no approval. It is"
            " carried out all the same.",
        )  # fmt: skip


def _of_script(script: _Script | None, stage: Stage) -> Iterator[Finding]:
    """Yield what a version lacks, and what the rules find on its page."""
    if script is None:
        return
    if script.problem is not None:
        yield script.problem
    if script.version is not None:
        for field, reason in lacking(script.version, stage.required_fields):
            yield Finding("field.missing", Level.ERROR, f"{field}: {reason}.", field)
    if script.page is not None:
        yield from of_rules(script.page)


# What was changed while it was rehearsed is another plan, of which nothing was found, and whoever
# changed it has rehearsed it. What somebody has locked is being changed or carried out: neither
# waits for the other, so the two cannot deadlock.
_KEEP = (
    text(
        """
    WITH same AS MATERIALIZED (
        SELECT schedules.id, schedules.rehearsal, found.findings
        FROM unnest(:ids, :revisions, :findings) AS found (id, revision, findings)
        JOIN schedules ON schedules.id = found.id AND schedules.revision = found.revision
        WHERE schedules.state IN ('pending', 'handed')
        ORDER BY schedules.id FOR UPDATE OF schedules SKIP LOCKED
    )
    UPDATE schedules SET rehearsed_at = clock_timestamp(), rehearsal = same.findings::jsonb
    FROM same WHERE schedules.id = same.id
    RETURNING schedules.id, same.rehearsal
    """
    )
    .bindparams(
        bindparam("ids", type_=IdArray()),
        bindparam("revisions", type_=IdArray()),
        bindparam("findings", type_=ARRAY(Text)),
    )
    .columns(id=BigInteger, rehearsal=JSONB)
)


def _keep(
    session: Session, planned: Sequence[PlannedAction], found: Mapping[int, list[Finding]]
) -> list[Rehearsed]:
    if not planned:
        return []
    findings = [
        orjson.dumps([asdict(each) for each in found[action.id]]).decode() for action in planned
    ]
    parameters = {
        "ids": [each.id for each in planned],
        "revisions": [each.revision for each in planned],
        "findings": findings,
    }
    before = {row.id: row.rehearsal or [] for row in session.execute(_KEEP, parameters)}
    return [
        Rehearsed(
            action,
            found[action.id],
            [each for each in found[action.id] if asdict(each) not in before[action.id]],
        )
        for action in planned
        if action.id in before
    ]
