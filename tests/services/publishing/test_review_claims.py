"""Who is reviewing something is one person, and is reminded in time."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, sessionmaker

from dev.mail_sink import MailSink
from tests.at_once import at_once
from tests.factories import make_actor, make_content, run_ready_jobs
from webapp.kit.clock import utc_now
from webapp.kit.roles import RoleName
from webapp.models import Job, Review, ReviewClaim, Role, User
from webapp.services.accounts.actors import Actor
from webapp.services.content import content
from webapp.services.errors import ConflictError, ForbiddenError, NotFoundError
from webapp.services.publishing import review_claims, review_reminders, review_views, reviews
from webapp.services.publishing.reviews import Decision
from workers.context import WorkerContext

YES = Decision("approve")
KIND = {"review.remind"}


def claimed_by(session: Session, actor: Actor, item: int, review_id: int) -> int | None:
    claim = review_views.get(session, actor, item, review_id).claim
    return None if claim is None else claim.claimed_by_id


def test_a_claim_is_shown_renewed_released_and_ends_by_itself(
    session: Session, author: Actor, editor: Actor, item: int
) -> None:
    other = make_actor(session, RoleName.EDITOR)
    review_id = reviews.submit(session, author, item, None)
    for _ in range(2):
        review_claims.claim(session, editor, item, review_id)
    assert claimed_by(session, author, item, review_id) == editor.user_id
    with pytest.raises(ConflictError, match="is reviewing this since"):
        review_claims.claim(session, other, item, review_id)
    with pytest.raises(NotFoundError):
        review_claims.release(session, other, item, review_id)
    review_claims.release(session, editor, item, review_id)
    assert claimed_by(session, author, item, review_id) is None
    review_claims.claim(session, other, item, review_id)
    session.execute(update(ReviewClaim).values(expires_at=utc_now() - timedelta(seconds=1)))
    assert claimed_by(session, author, item, review_id) is None
    review_claims.claim(session, editor, item, review_id)
    assert claimed_by(session, author, item, review_id) == editor.user_id


def test_an_author_claims_nothing_and_nobody_what_has_ended(
    session: Session, author: Actor, editor: Actor, item: int
) -> None:
    review_id = reviews.submit(session, author, item, None)
    with pytest.raises(ForbiddenError):
        review_claims.claim(session, author, item, review_id)
    with pytest.raises(NotFoundError):
        review_claims.claim(session, make_actor(session, RoleName.AUTHOR), item, review_id)
    review_claims.claim(session, editor, item, review_id)
    content.edit(session, author, item, None, {"title": "Second"})
    assert claimed_by(session, author, item, review_id) is None
    with pytest.raises(ConflictError, match="not the newest"):
        review_claims.claim(session, editor, item, review_id)


def test_a_decision_ends_the_claim(
    session: Session, author: Actor, editor: Actor, item: int
) -> None:
    review_id = reviews.submit(session, author, item, None)
    review_claims.claim(session, editor, item, review_id)
    reviews.decide(session, editor, item, review_id, YES)
    assert session.scalars(select(ReviewClaim)).all() == []


def test_the_list_is_narrowed_by_who_is_at_it_and_by_when_it_is_wanted(
    session: Session, author: Actor, editor: Actor
) -> None:
    soon, late = utc_now() + timedelta(days=2), utc_now() + timedelta(days=9)
    asked = []
    for due_at in (soon, late, None):
        item = make_content(session, author)
        asked.append((item, reviews.submit(session, author, item, None, due_at)))
    review_claims.claim(session, editor, *asked[1])

    def ids(**only: object) -> list[int]:
        found = review_views.list_reviews(
            session, editor, state="open", is_mine=False, below=None, limit=10, **only  # type: ignore[arg-type]
        )  # fmt: skip
        return [view.review.id for view in found]

    assert ids(due_before=soon + timedelta(days=1)) == [asked[0][1]]
    assert ids(due_before=late + timedelta(days=1)) == [asked[1][1], asked[0][1]]
    assert ids(claimed_by=editor.user_id) == [asked[1][1]]
    assert ids(claimed_by=author.user_id) == []


def test_of_many_who_say_so_at_once_one_is_reviewing_and_is_named(
    sessions: sessionmaker[Session],
) -> None:
    with sessions.begin() as session:
        author = make_actor(session, RoleName.AUTHOR)
        editors = [make_actor(session, RoleName.EDITOR) for _ in range(4)]
        item = make_content(session, author)
        review_id = reviews.submit(session, author, item, None)

    def claim(turn: int) -> str:
        try:
            with sessions.begin() as session:
                review_claims.claim(session, editors[turn], item, review_id)
        except ConflictError as error:
            return str(error)
        return ""

    outcomes = at_once(claim, 4)
    with sessions() as session:
        name = session.scalars(
            select(User.display_name).join(ReviewClaim, ReviewClaim.claimed_by_id == User.id)
        ).one()
    assert outcomes[0] == ""
    assert all(told.startswith(f"{name} is reviewing this since") for told in outcomes[1:])


def submit_due(sessions: sessionmaker[Session]) -> tuple[Actor, Actor, int, int]:
    """Ask for a review that is wanted in three days, from an author and an editor."""
    with sessions.begin() as session:
        author, editor = make_actor(session, RoleName.AUTHOR), make_actor(session, RoleName.EDITOR)
        session.execute(update(User).values(email_proven_at=utc_now()))
        item = make_content(session, author, title="On tides")
        due_at = utc_now() + timedelta(days=3)
        return author, editor, item, reviews.submit(session, author, item, None, due_at)


def let_time_pass(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        session.execute(update(Job).where(Job.kind.in_(KIND)).values(run_at=utc_now()))


def test_reminders_come_once_each_and_not_for_what_is_decided(
    sessions: sessionmaker[Session], worker: WorkerContext, mail_sink: MailSink
) -> None:
    author, editor, item, review_id = submit_due(sessions)
    assert run_ready_jobs(worker, kinds=KIND) == 0
    with sessions.begin() as session:
        review_claims.claim(session, editor, item, review_id)
    let_time_pass(sessions)
    run_ready_jobs(worker, kinds=KIND)
    run_ready_jobs(worker, kinds=KIND)
    mails = mail_sink.messages()
    assert [mail["Subject"] for mail in mails] == ["A review is due in a day", "A review is due"]
    assert all(editor.login in mail["To"] for mail in mails)
    body = mails[0].get_body(("plain",))
    assert body is not None
    assert "On tides" in body.get_content()

    _, other, second, review_id = submit_due(sessions)
    with sessions.begin() as session:
        reviews.decide(session, other, second, review_id, YES)
    let_time_pass(sessions)
    run_ready_jobs(worker, kinds=KIND)
    assert len(mail_sink.messages()) == 2
    assert author.user_id != other.user_id


def test_who_may_hear_of_it_no_more_is_not_reminded(session: Session) -> None:
    author, editor = make_actor(session, RoleName.AUTHOR), make_actor(session, RoleName.EDITOR)
    item = make_content(session, author)
    due_at = utc_now() + timedelta(days=3)
    review_id = reviews.submit(session, author, item, None, due_at)
    reminder = review_reminders.find(session, review_id)
    assert reminder is not None
    assert (reminder.user_id, reminder.is_reviewing) == (author.user_id, False)
    review_claims.claim(session, editor, item, review_id)
    role_id = select(Role.id).where(Role.name == RoleName.AUTHOR.value).scalar_subquery()
    session.execute(update(User).where(User.id == editor.user_id).values(role_id=role_id))
    assert review_reminders.find(session, review_id) is None


def test_what_is_wanted_too_soon_is_reminded_of_once_and_what_is_past_never(
    session: Session, author: Actor
) -> None:
    for after, number in ((timedelta(hours=2), 1), (timedelta(seconds=-1), 0)):
        item = make_content(session, author)
        review_id = reviews.submit(session, author, item, None, utc_now() + after)
        found = select(func.count()).select_from(Job).where(
            Job.kind.in_(KIND), Job.payload["review_id"].astext == str(review_id)
        )  # fmt: skip
        assert session.scalar(found) == number
        assert session.get_one(Review, review_id).state == "open"
