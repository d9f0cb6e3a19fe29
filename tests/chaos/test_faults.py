"""Imprint under fire: real processes are killed in the middle of their work, round after round.

`CHAOS_ROUNDS` and `CHAOS_SEED` choose how many rounds there are, and which; a run that fails
prints its seed and everything that was done to the system.
"""

import os
import random
import secrets
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.chaos.faults import FaultMaker, Journal
from tests.chaos.invariants import (
    await_quiet,
    check_acknowledged,
    check_database,
    count_extra_mails,
)
from tests.chaos.newsroom import Editor, Newsroom
from tests.chaos.rig import Rig
from tests.chaos.targets import TARGETS
from tests.patience import HANG_SECONDS
from webapp.app import create_app

ROUNDS = int(os.environ.get("CHAOS_ROUNDS", "21"))
SEED = int(os.environ.get("CHAOS_SEED", "0")) or secrets.randbelow(1_000_000) + 1
BETWEEN_CHUNKS = TARGETS[2]


def in_turn(choices: Sequence[object], random_source: random.Random) -> list[int]:
    """Return an index into `choices` for each round, so that each has its turn, in any order."""
    order: list[int] = []
    while len(order) < ROUNDS:
        order += random_source.sample(range(len(choices)), len(choices))
    return order[:ROUNDS]


def break_things(rig: Rig, newsroom: Newsroom, journal: Journal, source: random.Random) -> None:
    """Go through all rounds: work, a kill in the middle of it, and one more fault."""
    faults = FaultMaker(rig, journal, source, newsroom.bring_due)
    second_faults: list[Callable[[], None]] = [
        faults.empty_broker,
        faults.empty_broker,
        faults.restart_broker,
        faults.crash_database,
        faults.restart_database,
        lambda: faults.kill_dispatchers(1),
        lambda: faults.kill_dispatchers(2),
    ]
    turns = zip(in_turn(TARGETS, source), in_turn(second_faults, source), strict=True)
    for number, (target_index, second_index) in enumerate(turns, start=1):
        target = TARGETS[target_index]
        journal.note(f"round {number}: {target.name}")
        due_at = newsroom.work(with_star=target is BETWEEN_CHUNKS)
        if second_index >= 5:  # A dispatcher has most to do when schedules come due.
            time.sleep(max(0.0, (due_at - datetime.now(UTC)).total_seconds() - 0.05))
            second_faults[second_index]()
            faults.strike(target)
        else:
            faults.strike(target)
            second_faults[second_index]()


@pytest.mark.chaos
@pytest.mark.timeout(10 * HANG_SECONDS + HANG_SECONDS * ROUNDS)
@pytest.mark.long
def test_nothing_is_lost_or_doubled(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    began, journal, source = time.monotonic(), Journal(), random.Random(SEED)
    rig = Rig(tmp_path)
    try:
        with rig.running():
            app = create_app(rig.settings)
            newsroom = Newsroom(rig, app, source)
            editor = Editor(app, newsroom.acknowledged, SEED)
            editor.start()
            try:
                break_things(rig, newsroom, journal, source)
            finally:
                editor.stop()
            assert editor.failure is None, editor.failure
            journal.note("waiting for quiet")
            await_quiet(rig, 3 * HANG_SECONDS)
            journal.note("quiet")
            summary = check(rig, newsroom, journal)
    finally:
        # pytest shows this when the test has failed.
        print(f"CHAOS_SEED={SEED} CHAOS_ROUNDS={ROUNDS}", *journal.lines, sep="\n")  # noqa: T201
    with capsys.disabled():
        took = round(time.monotonic() - began)
        print(f"\n{ROUNDS} rounds in {took} s, seed {SEED}: {summary}")  # noqa: T201


def check(rig: Rig, newsroom: Newsroom, journal: Journal) -> str:
    """Check that nothing was lost or doubled, and that the faults hit; return the counts."""
    check_database(rig)
    check_acknowledged(rig, newsroom.acknowledged)
    leases_lost = (rig.folder / "worker-mail.log").read_text().count("job.lease_lost")
    database_faults = journal.faults["database crashed"] + journal.faults["database stopped"]
    extra = count_extra_mails(rig, journal.mail_kills + database_faults + leases_lost)
    for kind in {target.kind for target in TARGETS}:
        assert journal.hits[kind] > 0, f"no fault hit a running {kind}"
    assert journal.hints_lost > 0, "the broker was never emptied of a hint"
    # Celery's main process may give up when its broker goes away; a dispatcher must not.
    assert not [name for name in rig.keeper.deaths_of_their_own if name.startswith("dispatcher")]
    kept = newsroom.acknowledged
    counts = [
        f"hit while running: {dict(journal.hits)}",
        f"faults: {dict(journal.faults)}",
        f"{journal.hints_lost} hints lost",
        f"ended by themselves: {rig.keeper.deaths_of_their_own or 'none'}",
        f"{len(kept.schedules)} schedules, {len(kept.saves)} saves",
        f"{rig.number('SELECT count(*) FROM notifications')} notifications",
        f"{rig.number('SELECT count(*) FROM mail_deliveries')} mails and {extra} second copies"
        f" ({journal.mail_kills} kills and {database_faults} database faults under the sender,"
        f" {leases_lost} leases lost)",
    ]
    return "; ".join(counts)
