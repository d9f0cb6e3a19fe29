"""Arrays as parameters come back from PostgreSQL as they were sent, and hold nothing else."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import BigInteger, DateTime, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import StatementError
from sqlalchemy.orm import Session

from webapp.models.arrays import IdArray, MomentArray

MOMENTS = [
    datetime(2026, 3, 29, 1, 59, 59, 999_999, tzinfo=UTC),
    None,
    datetime(1, 1, 2, tzinfo=UTC),
    datetime(2026, 7, 1, 12, tzinfo=timezone(timedelta(hours=-5, minutes=-30))),
]


def test_ids_come_back_as_they_were_sent(session: Session) -> None:
    for ids in ([], [1], [2**62, -3, 0]):
        sent = literal(ids, IdArray()).cast(ARRAY(BigInteger))
        assert session.scalars(select(sent)).one() == ids


def test_moments_come_back_as_they_were_sent(session: Session) -> None:
    for moments in ([], MOMENTS):
        sent = literal(moments, MomentArray()).cast(ARRAY(DateTime(timezone=True)))
        assert session.scalars(select(sent)).one() == moments


@pytest.mark.parametrize("wrong", ["7", 7.0, "1},{2", None])
def test_what_is_no_id_is_refused(session: Session, wrong: Any) -> None:
    with pytest.raises((StatementError, TypeError)):
        session.execute(select(literal([1, wrong], IdArray())))
