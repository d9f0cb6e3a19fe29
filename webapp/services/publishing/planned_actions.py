"""What there is to know of planned actions before their moment, by one statement for many."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Text,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal,
    literal_column,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session, load_only

from webapp.kit.lifecycle import Standing
from webapp.kit.permissions import Permission
from webapp.kit.review_policy import ReviewPolicy
from webapp.kit.roles import RoleName
from webapp.models import Content, ContentVersion, Review, Role, Schedule, Slug, User
from webapp.models.arrays import MomentArray, is_one_of
from webapp.models.publishing.schedules import COMING_STATES
from webapp.services.accounts.actors import Actor
from webapp.services.accounts.holders import is_on
from webapp.services.content import review_states, slugs
from webapp.services.content.lifecycle import standing_of
from webapp.services.publishing import supersession
from webapp.services.publishing.open_actions import GIVEN, OPEN


@dataclass(frozen=True)
class PlannedAction:
    """An open schedule, and what decides whether it can be carried out.

    `follows` is the action of its item that comes before it, or where there is none, what the item
    is now, in the words of an action. `planner` is who planned it, where that account works.
    """

    id: int
    content_id: int
    version_id: int | None
    action: str
    due_at: datetime
    revision: int
    standing: Standing
    follows: str
    planner_id: int | None
    planner: Actor | None
    is_approved: bool
    is_slug_taken: bool
    is_superseded: bool

    @property
    def may_be_planned(self) -> bool:
        """Whether who planned it might do so today."""
        permission = Permission.CONTENT_PUBLISH_APPROVED
        return self.planner is not None and self.planner.may(permission)

    @property
    def lacks_approval(self) -> bool:
        """Whether who planned it publishes nothing without an approval, and there is none."""
        if self.action != "publish" or self.planner is None:
            return False
        return review_states.needs_approval(self.planner) and not self.is_approved


# Of an item with its text of up to megabytes no more than says where it stands.
_STANDING = load_only(
    Content.status, Content.trashed_at, Content.archived_at, Content.publish_sequence,
    Content.retracted_sequence,
)  # fmt: skip
_PLANNED_BEFORE = literal_column(
    f"""(WITH {GIVEN}
    SELECT planned.action FROM {OPEN} AS planned
    WHERE planned.content_id = schedules.content_id
        AND (planned.due_at, planned.place) < (schedules.due_at, schedules.id)
    ORDER BY planned.due_at DESC, planned.place DESC LIMIT 1)""",  # noqa: S608 - constants
    Text,
)
_FOLLOWS = func.coalesce(
    _PLANNED_BEFORE, case((Content.status == "published", "publish"), else_="unpublish")
)
# What was published by hand is not what is shown then, where something planned comes before.
_IS_SUPERSEDED = and_(supersession.is_superseded(), _PLANNED_BEFORE.is_(None))
_IS_APPROVED = exists(
    select(Review.id)
    .where(Review.version_id == Schedule.version_id, Review.state == "approved")
    .correlate(Schedule)
)
_IS_SLUG_TAKEN = exists(
    select(literal(1))
    .select_from(Slug)
    .where(
        Slug.slug == ContentVersion.slug,
        Slug.content_id != Schedule.content_id,
        slugs.is_kept(),
    )
    .correlate(Schedule, ContentVersion)
)


def read_planned(
    session: Session, schedule_ids: Sequence[int], policy: ReviewPolicy
) -> list[PlannedAction]:
    """Return those of some schedules that are still open, in the order of their moments."""
    rows = session.execute(
        select(
            Schedule.id, Schedule.content_id, Schedule.version_id, Schedule.action, Schedule.due_at,
            Schedule.revision, Schedule.created_by_id, Content, User.login,
            Role.name.label("role"), _FOLLOWS.label("follows"),
            _IS_APPROVED.label("is_approved"), _IS_SLUG_TAKEN.label("is_slug_taken"),
            _IS_SUPERSEDED.label("is_superseded"),
        )
        .options(_STANDING)
        .join(Content, Content.id == Schedule.content_id)
        .outerjoin(ContentVersion, ContentVersion.id == Schedule.version_id)
        .outerjoin(User, and_(User.id == Schedule.created_by_id, is_on()))
        .outerjoin(Role, Role.id == User.role_id)
        .where(is_one_of(Schedule.id, schedule_ids), Schedule.state.in_(COMING_STATES))
        .order_by(Schedule.due_at, Schedule.id)
        .execution_options(populate_existing=True)
    )  # fmt: skip
    planned = []
    for row in rows:
        planner = None
        if row.role is not None and row.created_by_id is not None:
            role = RoleName(row.role)
            planner = Actor(row.created_by_id, row.login, role, review_policy=policy)
        planned.append(
            PlannedAction(
                id=row.id, content_id=row.content_id, version_id=row.version_id,
                action=row.action, due_at=row.due_at, revision=row.revision,
                standing=standing_of(row.Content), follows=row.follows,
                planner_id=row.created_by_id, planner=planner,
                is_approved=row.is_approved, is_slug_taken=row.is_slug_taken,
                is_superseded=row.is_superseded,
            )
        )  # fmt: skip
    return planned


# A name leads somewhere if its item is public by then: by its last action until that moment, or
# where it has none, because it is public now.
_PUBLIC_BY = text(
    f"""
    WITH {GIVEN}
    SELECT wanted.place, wanted.slug
    FROM unnest(:places, :names, :moments) AS wanted (place, slug, moment)
    JOIN slugs ON slugs.slug = wanted.slug
    LEFT JOIN LATERAL (
        SELECT open_action.action, content_versions.slug
        FROM {OPEN} AS open_action
        LEFT JOIN content_versions ON content_versions.id = open_action.version_id
        WHERE open_action.content_id = slugs.content_id AND open_action.due_at <= wanted.moment
        ORDER BY open_action.due_at DESC, open_action.place DESC LIMIT 1
    ) AS planned ON true
    WHERE CASE WHEN planned.action IS NULL
        THEN slugs.was_public
            AND EXISTS (SELECT FROM publications WHERE content_id = slugs.content_id)
        ELSE planned.action = 'publish' AND (slugs.was_public OR planned.slug = slugs.slug) END
    """  # noqa: S608 - the parts are constants of the code
).bindparams(
    bindparam("places", type_=ARRAY(BigInteger)),
    bindparam("names", type_=ARRAY(Text)),
    bindparam("moments", type_=MomentArray()),
)


def find_public_by(
    session: Session, wanted: Mapping[int, tuple[datetime, set[str]]]
) -> dict[int, set[str]]:
    """Return, for each schedule, which of some slugs lead to something public at its moment."""
    pairs = [(place, name, moment) for place, (moment, names) in wanted.items() for name in names]
    public: dict[int, set[str]] = {place: set() for place in wanted}
    if pairs:
        places, names, moments = zip(*pairs, strict=True)
        parameters = {"places": list(places), "names": list(names), "moments": list(moments)}
        for place, slug in session.execute(_PUBLIC_BY, parameters):
            public[place].add(slug)
    return public
