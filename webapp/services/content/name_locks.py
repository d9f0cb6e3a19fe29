"""Items are locked before the names that they have, also those that get a name meanwhile.

Whoever publishes or saves an item has its lock before that of its category and its tags. A change
of a name locks in the same order, or the two could wait for each other.
"""

from collections.abc import Callable
from contextlib import suppress

from sqlalchemy import Select
from sqlalchemy.orm import Session

from webapp.models import Content
from webapp.models.arrays import is_one_of
from webapp.services.errors import UnavailableError

ATTEMPTS = 10
LockNames = Callable[[], object]


class _HeldError(Exception):
    """Somebody holds an item that has the name by now."""


def lock_items_first(
    session: Session, items: Select[int], lock_names: Callable[[], object]
) -> None:
    """Lock the items that a query of their ids finds, in that order, and then the names.

    An item that came to have the name before that was locked is locked after it where nobody
    holds it. Where somebody does, who may want the name, the lock of the name is given back, and
    the item is waited for. Raises UnavailableError where that goes on.
    """
    in_order = items.order_by(Content.id)
    for _ in range(ATTEMPTS):
        locked = set(session.scalars(in_order.with_for_update()))
        with suppress(_HeldError), session.begin_nested():
            lock_names()
            came = set(session.scalars(items)) - locked
            free = in_order.where(is_one_of(Content.id, came)).with_for_update(skip_locked=True)
            if came and set(session.scalars(free)) != came:
                raise _HeldError
            return
    raise UnavailableError("Many items are being put there at this moment. Try again soon.")
