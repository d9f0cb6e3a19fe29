"""Where categories stand: a tree without circles, of a bounded number of levels.

Moves take turns, so two of them that each make sense cannot make a circle together.
"""

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from webapp.services.errors import ConflictError, InvalidInputError

MOST_LEVELS = 16
"""How many categories stand above each other at most, the root and the lowest counted.

An import takes no turns with moves. Beside one it may make a category a level lower than this.
"""

_TREE_LOCK = (
    0x696D_7072_0001  # An advisory lock key of Imprint's own: changes of the category tree.
)

_ABOVE = text(
    """
    WITH RECURSIVE above AS (
        SELECT id, parent_id FROM categories WHERE id = :category_id
        UNION
        SELECT parent.id, parent.parent_id
        FROM categories AS parent JOIN above ON parent.id = above.parent_id
    )
    SELECT id FROM above
    """
)

_LEVELS_BELOW = text(
    """
    WITH RECURSIVE below AS (
        SELECT id, 1 AS level FROM categories WHERE id = :category_id
        UNION ALL
        SELECT child.id, below.level + 1
        FROM categories AS child JOIN below ON child.parent_id = below.id
    )
    SELECT coalesce(max(level), 0) FROM below
    """
)


def take_turns(session: Session) -> None:
    """Wait for every change in the tree that came before, until this transaction ends.

    The tree is small and rarely changed: one lock keeps two moves from making a circle.
    """
    session.execute(select(func.pg_advisory_xact_lock(_TREE_LOCK)))


def ids_above(session: Session, category_id: int) -> list[int]:
    """Return the ids of a category and of those above it; none where there is no such category."""
    return list(session.scalars(_ABOVE, {"category_id": category_id}))


def check_place(session: Session, category_id: int | None, parent_id: int | None) -> None:
    """Say whether a category, None for a new one, may stand below another one.

    The caller has taken its turn. Raises InvalidInputError.
    """
    if parent_id is None:
        return
    above = ids_above(session, parent_id)
    if not above:
        raise InvalidInputError("parent_id", "there is no such category")
    if category_id in above:
        raise InvalidInputError("parent_id", "a category cannot stand inside itself")
    levels = 1 if category_id is None else _levels_of(session, category_id)
    if len(above) + levels > MOST_LEVELS:
        raise InvalidInputError("parent_id", f"the tree would have more than {MOST_LEVELS} levels")


def check_merge(session: Session, category_id: int, into_id: int) -> None:
    """Say whether what stands in a category may stand in another one instead.

    The caller has taken its turn. Raises InvalidInputError and ConflictError.
    """
    above = ids_above(session, into_id)
    if not above:
        raise InvalidInputError("into_id", "there is no such category")
    if into_id == category_id:
        raise InvalidInputError("into_id", "a category cannot be merged into itself")
    if category_id in above:
        raise InvalidInputError(
            "into_id", "it stands inside the category that shall go; move it out of there first"
        )
    if len(above) + _levels_of(session, category_id) - 1 > MOST_LEVELS:
        raise ConflictError(f"The tree would have more than {MOST_LEVELS} levels.")


def lowest_parent(session: Session, parent_id: int) -> int:
    """Return the parent for a new category: the wanted one, or one above it that has room."""
    above = ids_above(session, parent_id)
    return above[max(0, len(above) + 1 - MOST_LEVELS)] if above else parent_id


def _levels_of(session: Session, category_id: int) -> int:
    """Return how many levels a category and what stands below it have."""
    levels: int = session.scalars(_LEVELS_BELOW, {"category_id": category_id}).one()
    return levels
