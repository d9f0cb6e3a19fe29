"""How far the clocks of the machines that work here are from PostgreSQL's."""

from sqlalchemy import Double, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, timestamp


class ClockReading(Base):
    """The last reading on a host by a kind of process: its clock less PostgreSQL's, in seconds.

    The way to the server is in it, so a clock that is right reads a little behind.
    """

    __tablename__ = "clock_readings"
    __table_args__ = (Index("ix_clock_readings_read_at", "read_at"),)

    host: Mapped[str] = mapped_column(Text, primary_key=True)
    role: Mapped[str] = mapped_column(Text, primary_key=True)
    ahead_seconds: Mapped[float] = mapped_column(Double)
    read_at: Mapped[timestamp]
