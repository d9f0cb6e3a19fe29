"""What was measured: one line for each measure, with its floor, its ratio and its target."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

_HEADINGS = ("measure", "value", "floor", "ratio", "target", "")


@dataclass(frozen=True)
class Result:
    """One measure. `floor` is what the same machine did with the least work thinkable.

    The target is for the value or, where `target_is_ratio`, for value / floor; it is a least value
    where `more_is_better` and a most value otherwise. A result without a target is for information.
    """

    measure: str
    value: float
    unit: str
    floor: float | None = None
    target: float | None = None
    more_is_better: bool = False
    target_is_ratio: bool = False
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """The value as a multiple of its floor."""
        return self.value / self.floor if self.floor else None

    @property
    def is_missed(self) -> bool:
        """Say whether there is a target, and this does not reach it."""
        reached = self.ratio if self.target_is_ratio else self.value
        if self.target is None or reached is None:
            return False
        return reached < self.target if self.more_is_better else reached > self.target

    def as_json(self) -> dict[str, Any]:
        """Return the fields, the ratio and the verdict, for `--json`."""
        return {**asdict(self), "ratio": self.ratio, "missed": self.is_missed}

    def cells(self) -> tuple[str, ...]:
        """Return the line of the table, without the note."""
        target = ""
        if self.target is not None:
            sign = "≥" if self.more_is_better else "≤"
            unit = "" if self.target_is_ratio else f" {self.unit}"
            target = f"{sign} {self.target:g}{unit}"
        return (
            self.measure,
            f"{_number(self.value)} {self.unit}",
            "" if self.floor is None else f"{_number(self.floor)} {self.unit}",
            "" if self.ratio is None else f"{self.ratio:.2f}",
            target,
            "" if self.target is None else "MISSED" if self.is_missed else "ok",
        )


def table(results: Sequence[Result]) -> str:
    """Return all results as aligned text, with their notes below."""
    lines = [_HEADINGS, *(result.cells() for result in results)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEADINGS))]
    rows = ["  ".join(_aligned(line, widths)).rstrip() for line in lines]
    notes = [f"  {result.measure}: {result.note}" for result in results if result.note]
    return "\n".join([rows[0], "-" * len(rows[0]), *rows[1:], "", *notes])


def percentile(values: Sequence[float], hundredth: int) -> float:
    """Return the value that `hundredth` per cent of the values do not pass (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * hundredth // 100) - 1)]


def median(values: Sequence[float]) -> float:
    """Return the middle of the values, which one disturbed run does not move."""
    return statistics.median(values)


def _aligned(line: Sequence[str], widths: Sequence[int]) -> list[str]:
    left = {0, 5}
    return [
        cell.ljust(width) if column in left else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(line, widths, strict=True))
    ]


def _number(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
