"""How far each backfill is: the row that a job resumes from and a progress bar reads."""

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, created_timestamp, timestamp


class BackfillState(Base):
    """One backfill that was started.

    `cursor` is the key of the last row of the last committed batch, `rows_done` how many rows lie
    behind it, `rows_total` how many there were when it started, as PostgreSQL estimates them.
    `runs` counts the jobs that were written for it: each has its own key.
    """

    __tablename__ = "backfills"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    cursor: Mapped[int] = mapped_column(server_default="0")
    rows_done: Mapped[int] = mapped_column(server_default="0")
    rows_total: Mapped[int] = mapped_column(server_default="0")
    runs: Mapped[int] = mapped_column(server_default="0")
    started_at: Mapped[created_timestamp]
    finished_at: Mapped[timestamp | None]
