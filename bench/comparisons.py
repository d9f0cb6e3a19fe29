"""How long two long texts take to compare, against the comparison of the standard library."""

import difflib
import random
import time

from bench.results import Result, median
from bench.sizes import Sizes
from bench.testbed import BenchError, Testbed
from webapp.kit.comparison.alignment import align

TARGET_RATIO = 0.1
CHANGED_IN = 100
_ROUNDS = 5


def measure(bed: Testbed, sizes: Sizes) -> list[Result]:
    """Compare two texts of which every hundredth word differs, and see that just those are named.

    The standard library compares without its guess that frequent words do not count, since with it
    it leaves words out.
    """
    old, new, places = _texts(sizes.compared_words)
    bed.say(f"comparing two texts of {len(old):,} words, {len(places)} of them changed")
    taken: list[float] = []
    for _ in range(_ROUNDS):
        began = time.process_time()
        found = align(old, new)
        taken.append(time.process_time() - began)
    named = [place for change in found.changes for place in range(change.new_start, change.new_end)]
    if named != places or not found.is_exact:
        raise BenchError("The comparison does not name the words that changed.")
    began = time.process_time()
    difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    floor = time.process_time() - began
    return [
        Result(
            f"comparison of {len(old):,} words",
            median(taken) * 1_000,
            "ms",
            floor=floor * 1_000,
            target=TARGET_RATIO,
            target_is_ratio=True,
            note="floor: difflib, CPU time",
        )
    ]


def _texts(length: int) -> tuple[list[str], list[str], list[int]]:
    """Return words as frequent as in prose, the same with some changed, and where those are."""
    chance = random.Random(length)
    old = [f"word{int(5_000 * chance.random() ** 3)}" for _ in range(length)]
    places = sorted(chance.sample(range(length), length // CHANGED_IN))
    new = list(old)
    for place in places:
        new[place] = f"new{place}"
    return old, new, places
