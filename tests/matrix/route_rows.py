"""What a row of the matrix says: how a route is asked, and who gets which answer."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.matrix.world import Item, World
from webapp.kit.roles import RoleName

# No item has been changed this often, so a write is heard, is allowed or not, and changes nothing.
STALE = {"If_Match": '"999999"'}
REFUSED_AS_STALE = frozenset({412})


@dataclass(frozen=True)
class Request:
    """One request; `headers` are named as Python names them."""

    path: str
    json: Any = None
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class ItemRoute:
    """A route that is about one item: those who may see the item and have the role get `answers`.

    With `shows`, the answer to them holds the word of the draft, so that the looking is not in
    vain. `states` are the states in which there is something to ask for.
    """

    role: RoleName
    request: Callable[[Item], Request]
    answers: frozenset[int] = REFUSED_AS_STALE
    shows: bool = False
    states: frozenset[str] | None = None


@dataclass(frozen=True)
class CommonRoute:
    """A route that is about no single item; None is everybody's role.

    `shows` says that to those who may see them it tells the words of all drafts.
    """

    role: RoleName | None
    requests: Callable[[World], Iterator[Request]]
    answers: frozenset[int] = frozenset({200})
    shows: bool = False


def stale(path: str, json: Any = None) -> Callable[[Item], Request]:
    """Ask with a revision that no item has."""
    return lambda item: Request(path.format(item=item), json, tuple(STALE.items()))


def plain(path: str) -> Callable[[Item], Request]:
    """Ask for what an item has at a path."""
    return lambda item: Request(path.format(item=item))


def once(
    path: str, json: Any = None, headers: tuple[tuple[str, str], ...] = ()
) -> Callable[[World], Iterator[Request]]:
    """Ask once, about no item."""
    return lambda _world: iter([Request(path, json, headers)])
