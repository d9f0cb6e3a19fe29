"""`python -m bench.large_table`: measure both changes both ways, and print one table."""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.large_table.example import RENAME, TYPE_CHANGE
from bench.large_table.measure import Measured, make_table, naively, safely
from bench.processes import PROJECT
from bench.testbed import Testbed

DATABASE = "bench_large_table"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.large_table", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="default: %(default)s")
    rows = parser.parse_args(arguments).rows
    var = PROJECT / "var"
    var.mkdir(exist_ok=True)
    # Not in the system's temporary folder: that may be memory, where fsync costs nothing.
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=var))
    try:
        with Testbed(folder, _say) as bed, bed.database(DATABASE) as url:
            results = measure_all(url, rows)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(as_table(results))
    return 0


def measure_all(url: str, rows: int) -> list[Measured]:
    """Do the safe ways one after the other on one table, and the naive ones on another."""
    _say(f"making {rows:,} rows")
    make_table(url, rows)
    results = []
    for change in (RENAME, TYPE_CHANGE):
        _say(f"{change.name}, the safe way")
        results.append(safely(url, change, rows))
    _say("the naive ways")
    make_table(url, rows)
    # The second is done on the table that the first has left, as the safe ones are.
    results += [naively(url, change, rows) for change in (RENAME, TYPE_CHANGE)]
    return results


def as_table(results: Sequence[Measured]) -> str:
    """Return the results as a table in Markdown."""
    lines = [
        "| change | way | took | longest wait of a read | of a write | ACCESS EXCLUSIVE held |"
        " failed statements |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {found.change} | {found.way} | {found.took:.1f} s | {found.longest_read * 1000:,.0f} ms"
        f" | {found.longest_write * 1000:,.0f} ms | {found.hold * 1000:,.0f} ms"
        f" | {found.failures:,} of {found.statements:,} |"
        for found in results
    ]
    return "\n".join(lines)


def _say(step: str) -> None:
    print(step, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
