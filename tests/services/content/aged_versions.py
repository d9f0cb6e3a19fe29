"""Items whose versions are as old as a test wants, for tests of what is pruned."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from webapp.models import ContentVersion
from webapp.services.content import version_pruning
from webapp.services.content.retention import KeepRule, Place
from webapp.services.content.version_pruning import Pruning

RULE = KeepRule(all_days=30, daily_days=365)


def age(session: Session, content_id: int, ages: Sequence[timedelta]) -> None:
    """Give the versions of an item, oldest first, ages."""
    now = datetime.now(UTC)
    session.execute(
        text(
            "UPDATE content_versions SET created_at = aged.moment FROM unnest("
            " CAST(:moments AS timestamptz[])) WITH ORDINALITY AS aged (moment, number)"
            " WHERE content_id = :id AND content_versions.number = aged.number"
        ),
        {"id": content_id, "moments": [now - one for one in ages]},
    )


def hours_of_one_day(number: int, *, days_ago: int = 60) -> list[timedelta]:
    """Return the ages of so many versions that were saved on one day, and of one that came later.

    The last of them all is kept as the newest, the one before as the last of its day.
    """
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    begun = datetime.now(UTC) - midnight + timedelta(days=days_ago)
    step = timedelta(days=1) / (number + 1)
    return [begun - step * place for place in range(number - 1)] + [timedelta(hours=1)]


def prune_all(session: Session, rule: KeepRule = RULE) -> list[Pruning]:
    """Prune all items in the transaction of a test."""
    done, place = [], Place()
    while True:
        done.append(version_pruning.prune(session, rule, place))
        following = done[-1].following
        if following is None:
            return done
        place = following


def numbers_of(session: Session, content_id: int) -> list[int]:
    """Return the numbers of the versions that an item has."""
    numbers = select(ContentVersion.number).where(ContentVersion.content_id == content_id)
    return list(session.scalars(numbers.order_by(ContentVersion.number)))
