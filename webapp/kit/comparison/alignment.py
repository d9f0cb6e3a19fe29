"""Which words two texts share, in order: exact wherever memory allows it, and bounded everywhere.

The longest common run of two rows of words takes a bit of memory for each pair of words. So long
texts are first cut where both hold the same run of words exactly once, and only what lies between
two cuts is compared. What is still too large, because nothing in it is unique, counts as replaced
from end to end, and the comparison says that it is not exact.
"""

from bisect import bisect_left
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import LCSseq

# At one bit for each pair of words this is 12.5 MB, and about 0.1 s of one processor.
LARGEST_TABLE = 100_000_000
# All tables of a comparison together: about a second and a half.
MOST_OF_ALL_TABLES = 2_000_000_000
# Below this a table is quicker than a search for places to cut.
SMALL_TABLE = 1_000_000
# How many words in a row have to be unique for a cut. Most prose has enough single words that occur
# once; of longer runs those are looked at that begin with one word in so many different ones.
RUN_LENGTHS = (1, 8, 2)
RUNS_BEGIN_WITH_ONE_WORD_IN = 8


@dataclass(frozen=True)
class Change:
    """Words `old_start` to before `old_end` became those from `new_start` to before `new_end`."""

    old_start: int
    old_end: int
    new_start: int
    new_end: int


@dataclass(frozen=True)
class Alignment:
    """The changes that make one row of words the other, in order; what lies between is equal."""

    changes: list[Change]
    is_exact: bool


def align(old: Sequence[Hashable], new: Sequence[Hashable]) -> Alignment:
    """Compare two rows of words.

    The time is linear in their lengths, but for tables of at most `LARGEST_TABLE` bits, and of
    `MOST_OF_ALL_TABLES` together. Words that are equal by `==` are the same word.
    """
    numbers: dict[Hashable, int] = {}
    olds = [numbers.setdefault(word, len(numbers)) for word in old]
    news = [numbers.setdefault(word, len(numbers)) for word in new]
    changes: list[Change] = []
    is_exact = True
    room = MOST_OF_ALL_TABLES
    for part in _parts(olds, news, Change(0, len(olds), 0, len(news)), RUN_LENGTHS):
        kept = _shared(olds, news, part)
        size = len(kept[0]) * len(kept[1])
        if size > min(LARGEST_TABLE, room):
            is_exact = False
            changes.append(part)
        else:
            room -= size
            changes.extend(_exact_changes(olds, news, part, kept))
    return Alignment(_joined(changes), is_exact)


def _parts(
    old: list[int], new: list[int], whole: Change, run_lengths: Sequence[int]
) -> Iterator[Change]:
    """Yield the stretches that differ, cut as small as unique runs of words allow."""
    part = _without_equal_ends(old, new, whole)
    if part.old_start == part.old_end or part.new_start == part.new_end:
        if part.old_end > part.old_start or part.new_end > part.new_start:
            yield part
        return
    if _table_of(part) <= SMALL_TABLE or not run_lengths:
        yield part
        return
    old_start, new_start = part.old_start, part.new_start
    for old_cut, new_cut in _cuts(old, new, part, run_lengths[0]):
        between = Change(old_start, old_cut, new_start, new_cut)
        yield from _parts(old, new, between, run_lengths[1:])
        old_start, new_start = old_cut, new_cut
    rest = Change(old_start, part.old_end, new_start, part.new_end)
    yield from _parts(old, new, rest, run_lengths[1:])


def _without_equal_ends(old: list[int], new: list[int], part: Change) -> Change:
    old_start, old_end, new_start, new_end = (
        part.old_start, part.old_end, part.new_start, part.new_end,
    )  # fmt: skip
    while old_start < old_end and new_start < new_end and old[old_start] == new[new_start]:
        old_start, new_start = old_start + 1, new_start + 1
    while old_start < old_end and new_start < new_end and old[old_end - 1] == new[new_end - 1]:
        old_end, new_end = old_end - 1, new_end - 1
    return Change(old_start, old_end, new_start, new_end)


def _cuts(old: list[int], new: list[int], part: Change, length: int) -> list[tuple[int, int]]:
    """Return where both have the same run of words, once each, in an order that both share."""
    olds = _unique_runs(old, part.old_start, part.old_end, length)
    news = _unique_runs(new, part.new_start, part.new_end, length)
    return _longest_rising([(start, news[run]) for run, start in olds.items() if run in news])


def _unique_runs(words: list[int], start: int, end: int, length: int) -> dict[tuple[int, ...], int]:
    """Return where each run of words begins that occurs once between two places."""
    starts: Iterable[int] = range(start, end - length + 1)
    if length > 1:
        starts = [place for place in starts if words[place] % RUNS_BEGIN_WITH_ONE_WORD_IN == 0]
    found: dict[tuple[int, ...], int] = {}
    repeated: set[tuple[int, ...]] = set()
    for place in starts:
        run = tuple(words[place : place + length])
        if found.setdefault(run, place) != place:
            repeated.add(run)
    return {run: place for run, place in found.items() if run not in repeated}


def _longest_rising(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the longest of the rows of pairs in which both numbers rise (patience sorting)."""
    tops: list[int] = []
    top_places: list[int] = []
    before: list[int | None] = []
    for place, (_, value) in enumerate(pairs):
        pile = bisect_left(tops, value)
        before.append(top_places[pile - 1] if pile else None)
        tops[pile : pile + 1] = [value]
        top_places[pile : pile + 1] = [place]
    chosen: list[tuple[int, int]] = []
    at = top_places[-1] if top_places else None
    while at is not None:
        chosen.append(pairs[at])
        at = before[at]
    return chosen[::-1]


def _shared(old: list[int], new: list[int], part: Change) -> tuple[list[int], list[int]]:
    """Return the places of the words of a part that both have: the others are changed anyhow."""
    olds = range(part.old_start, part.old_end)
    news = range(part.new_start, part.new_end)
    shared = {old[place] for place in olds} & {new[place] for place in news}
    return (
        [place for place in olds if old[place] in shared],
        [place for place in news if new[place] in shared],
    )


def _exact_changes(
    old: list[int], new: list[int], part: Change, kept: tuple[list[int], list[int]]
) -> list[Change]:
    """Return the fewest changes of a part, of whose words those at `kept` places are shared."""
    olds_kept, news_kept = kept
    operations = LCSseq.opcodes(
        [old[place] for place in olds_kept], [new[place] for place in news_kept]
    )
    changes: list[Change] = []
    old_at, new_at = part.old_start, part.new_start
    for operation in operations:
        if operation.tag != "equal":
            continue
        for step in range(operation.src_end - operation.src_start):
            old_place = olds_kept[operation.src_start + step]
            new_place = news_kept[operation.dest_start + step]
            if old_place > old_at or new_place > new_at:
                changes.append(Change(old_at, old_place, new_at, new_place))
            old_at, new_at = old_place + 1, new_place + 1
    if part.old_end > old_at or part.new_end > new_at:
        changes.append(Change(old_at, part.old_end, new_at, part.new_end))
    return changes


def _table_of(part: Change) -> int:
    return (part.old_end - part.old_start) * (part.new_end - part.new_start)


def _joined(changes: list[Change]) -> list[Change]:
    """Make one of changes that touch: a removal beside an insertion is a replacement."""
    joined: list[Change] = []
    for change in changes:
        last = joined[-1] if joined else None
        if last and (last.old_end, last.new_end) == (change.old_start, change.new_start):
            joined[-1] = Change(last.old_start, change.old_end, last.new_start, change.new_end)
        else:
            joined.append(change)
    return joined
