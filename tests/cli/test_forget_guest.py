"""Promise of `flask accounts forget-guest`: name and address go, and what was said stays."""

from datetime import timedelta

from flask.testing import FlaskCliRunner
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import make_actor, make_content
from webapp.kit.clock import utc_now
from webapp.kit.roles import RoleName
from webapp.models import ActivityLog, ReviewLink
from webapp.services.publishing import reviews


def test_a_guest_is_forgotten_and_the_link_is_dead(
    commands: FlaskCliRunner, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        author = make_actor(session, RoleName.AUTHOR)
        item = make_content(session, author)
        review_id = reviews.submit(session, author, item, None)
        link = ReviewLink(
            review_id=review_id,
            guest_name="Ada Lovelace",
            guest_address="ada@example.org",
            created_by_id=author.user_id,
            expires_at=utc_now() + timedelta(days=1),
        )
        session.add(link)
        session.flush()
        link_id = link.id

    done = commands.invoke(args=["accounts", "forget-guest", str(link_id)])
    again = commands.invoke(args=["accounts", "forget-guest", str(link_id)])
    unknown = commands.invoke(args=["accounts", "forget-guest", "999999999"])

    assert (done.exit_code, again.exit_code, unknown.exit_code) == (0, 1, 1)
    assert "Ada" not in done.output
    with sessions() as session:
        kept = session.scalars(select(ReviewLink)).one()
        assert (kept.guest_name, kept.guest_address) == ("", None)
        assert kept.revoked_at is not None
        lines = session.scalars(
            select(ActivityLog).where(ActivityLog.action == "review.forget_guest")
        ).all()
    assert [(line.subject_id, line.details["review_link_id"]) for line in lines] == [
        (item, link_id)
    ]
