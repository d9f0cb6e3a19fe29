"""How much accounts have made, for their quotas."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, timestamp


class AccountUsage(Base):
    """What one account has saved in the day of UTC that began at `day_began_at`.

    One row for each account that ever saved or followed something; it begins anew with the day. Its
    lock makes the requests of one account take turns where a bound is asked for.
    """

    __tablename__ = "account_usages"

    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    day_began_at: Mapped[timestamp]
    saves: Mapped[int] = mapped_column(server_default="0")
    saved_bytes: Mapped[int] = mapped_column(server_default="0")
