"""What a bulk action costs for each item, against the change of one item by itself.

Both go through the services, each change of one item with a commit of its own, and without the
requests that a client would send for them.
"""

import time

from sqlalchemy import select
from sqlalchemy.orm import Session

from bench.articles import Writer, make_writer
from bench.results import Result
from bench.sizes import Sizes
from bench.testbed import BenchError, Testbed, sessions_on
from webapp.models import BulkAction, Content
from webapp.services.content import content
from webapp.services.content.content import Draft
from webapp.services.operations import bulk_actions, bulk_steps
from webapp.services.operations.bulk_actions import Wish
from webapp.services.operations.bulk_changes import Action, Options, change

_ACTIONS = (Action.ARCHIVE, Action.UNARCHIVE, Action.TRASH, Action.UNTRASH, Action.TAG)
_OPTIONS = {Action.TAG: Options(tags=("Bench",))}


def measure(bed: Testbed, sizes: Sizes) -> list[Result]:
    """Do each action to some items one by one, and to as many others by a bulk action."""
    number = sizes.bulk_items
    bed.say(f"making {2 * number:,} items to change")
    with bed.database("bench_bulk") as url, sessions_on(url)() as session:
        writer = make_writer(session)
        singly, together = (_make(session, writer, number) for _ in range(2))
        results = []
        for action in _ACTIONS:
            options = _OPTIONS.get(action, Options())
            alone = _one_by_one(session, writer, singly, action, options) / number
            bulk = _in_bulk(session, writer, together, action, options) / number
            results.append(_result(action, bulk, alone, number))
    return results


def _make(session: Session, writer: Writer, number: int) -> list[int]:
    made = [
        content.create(session, writer.actor, Draft(title="An item", body="Some words. " * 50))
        for _ in range(number)
    ]
    session.commit()
    return made


def _one_by_one(
    session: Session, writer: Writer, ids: list[int], action: Action, options: Options
) -> float:
    began = time.perf_counter()
    for content_id in ids:
        item = session.scalars(
            select(Content).where(Content.id == content_id).with_for_update()
        ).one()
        change(session, writer.actor, item, action, options)
        session.commit()
    return time.perf_counter() - began


def _in_bulk(
    session: Session, writer: Writer, ids: list[int], action: Action, options: Options
) -> float:
    began = time.perf_counter()
    bulk_action_id = bulk_actions.ask(session, writer.actor, Wish(action, options, ids))
    session.commit()
    is_done = False
    while not is_done:
        is_done = bulk_steps.run_batch(session, bulk_action_id, lambda actor: actor)
        session.commit()
    took = time.perf_counter() - began
    done = session.get_one(BulkAction, bulk_action_id).done
    if done != len(ids):
        raise BenchError(f"{action.value} was done to {done} of {len(ids)} items.")
    return took


def _result(action: Action, bulk: float, alone: float, number: int) -> Result:
    return Result(
        f"bulk {action.value} of {number:,} items, each",
        bulk * 1_000,
        "ms",
        floor=alone * 1_000,
        note="floor: the same change of one item, with its commit and without a request",
    )
