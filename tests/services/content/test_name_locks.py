"""Promise: a merge of names and whoever holds an item of theirs never wait for each other."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import Select, select, text
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import as_it_is, make_actor, make_content
from tests.patience import HANG_SECONDS
from tests.services.content.test_category_tree import make
from tests.services.content.test_tag_changes import merge, tag_id_of
from webapp.models import Content, ContentTag
from webapp.services.accounts.actors import Actor
from webapp.services.content import category_removal, content, name_locks, tag_changes


def merge_categories(session: Session, actor: Actor, former: int, target: int) -> None:
    """Merge a category into another one."""
    category_removal.merge_category(session, actor, former, as_it_is, target)


def merge_tags(session: Session, actor: Actor, _former: int, _target: int) -> None:
    """Merge a tag into another one."""
    merge(session, actor, "former", "target")


class Holder:
    """Somebody who locks an item, and then, once a merge has its name, wants the name."""

    def __init__(self, sessions: sessionmaker[Session], item: int, table: str) -> None:
        """Take the item and the table of the name; lock nothing yet."""
        self._sessions, self._item = sessions, item
        self._want_name = f"SELECT FROM {table} WHERE slug = 'former' FOR KEY SHARE"
        self._has_item, self._may_want_name = Event(), Event()
        self._pool = ThreadPoolExecutor(1)
        self._working: Future[None] | None = None

    def between(self, give_name: Callable[[], None]) -> Callable[..., None]:
        """Return a locking of items and names, between which the item gets the name and a lock."""

        def lock(session: Session, items: Select[int], lock_names: Callable[[], object]) -> None:
            def lock_names_at_last() -> None:
                if not self._has_item.is_set():
                    give_name()
                    self._working = self._pool.submit(self._work)
                    assert self._has_item.wait(HANG_SECONDS)
                lock_names()
                self._may_want_name.set()

            name_locks.lock_items_first(session, items, lock_names_at_last)

        return lock

    def finish(self) -> None:
        """Wait until the name was had. Raises what was in the way of it."""
        assert self._working is not None
        self._working.result(HANG_SECONDS)

    def _work(self) -> None:
        with self._sessions.begin() as session:
            session.get_one(Content, self._item, with_for_update=True)
            self._has_item.set()
            assert self._may_want_name.wait(HANG_SECONDS)
            session.execute(text(self._want_name))


@pytest.mark.parametrize(
    ("module", "merge_both", "table"),
    [(category_removal, merge_categories, "categories"), (tag_changes, merge_tags, "tags")],
)
def test_an_item_that_gets_the_name_before_it_is_locked_is_waited_for_without_the_name(
    sessions: sessionmaker[Session],
    monkeypatch: pytest.MonkeyPatch,
    module: ModuleType,
    merge_both: Callable[[Session, Actor, int, int], None],
    table: str,
) -> None:
    with sessions.begin() as session:
        actor = make_actor(session)
        item = make_content(session, actor)
        if table == "tags":
            former, target = tag_id_of(session, "former"), tag_id_of(session, "target")
        else:
            former, target = make(session, actor, "Former"), make(session, actor, "Target")
    named: dict[str, Any] = {"tags": ["former"]} if table == "tags" else {"category_id": former}

    def give_name() -> None:
        with sessions.begin() as session:
            content.edit(session, actor, item, None, named)

    holder = Holder(sessions, item, table)
    monkeypatch.setattr(module, "lock_items_first", holder.between(give_name))
    with sessions.begin() as session:
        merge_both(session, actor, former, target)
    holder.finish()
    with sessions() as session:
        has = select(ContentTag.tag_id) if table == "tags" else select(Content.category_id)
        assert session.scalars(has).all() == [target]
