"""How late schedules have fired, in numbers."""

from sqlalchemy import Double
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base


class ScheduleDelay(Base):
    """How many schedules fired so late: above the next lower bound, and up to this one.

    `seconds` is the sum of their delays. The last bound is infinite. Counts only grow.
    """

    __tablename__ = "schedule_delays"

    up_to_seconds: Mapped[float] = mapped_column(Double, primary_key=True)
    schedules: Mapped[int]
    seconds: Mapped[float] = mapped_column(Double)
