"""The most memory that each process took, while the other measures ran."""

from collections.abc import Iterable, Sequence

from bench.fan_out import WORKER, FanOut
from bench.processes import Memory
from bench.results import Result

WORKER_TARGET_MEBIBYTES = 150.0
_OWN = {"empty"}


def during_the_million(told: FanOut, followers: int) -> list[Result]:
    """Return the peak of each process of the worker that told the followers."""
    idle = {memory.role: memory.peak_mebibytes for memory in told.idle}
    return [
        Result(
            f"memory of {WORKER} ({peak.role}), {followers:,} told",
            peak.peak_mebibytes, "MiB", idle.get(peak.role), WORKER_TARGET_MEBIBYTES,
            note="peak resident size; floor: the same process before its first job",
        )
        for peak in told.after
    ]  # fmt: skip


def of_all(peaks: Iterable[Memory]) -> Sequence[Result]:
    """Return the highest peak of each kind of process that ran."""
    highest: dict[tuple[str, str], float] = {}
    for peak in peaks:
        kind = (peak.program, peak.role)
        highest[kind] = max(highest.get(kind, 0.0), peak.peak_mebibytes)
    return [
        Result(f"memory of {program} ({role})", mebibytes, "MiB")
        for (program, role), mebibytes in sorted(highest.items())
        if program not in _OWN
    ]
