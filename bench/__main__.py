"""`python -m bench`, or `make bench`: measure, print one table, say which targets are missed."""

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bench import (
    bulk,
    commands,
    comparisons,
    due,
    fan_out,
    future,
    hanging,
    idle,
    latency,
    memory,
    reads,
    releases,
    reset_answers,
    search,
    sign_ins,
    versions,
    writes,
)
from bench.articles import fill
from bench.processes import PROJECT
from bench.results import Result, table
from bench.sizes import FULL, QUICK, Sizes
from bench.testbed import BenchError, Testbed, sessions_on
from dev.process import ServerError

MEASURES = (
    "reads", "hanging", "fanout", "due", "release", "latency", "reset_answers", "commands",
    "signins", "writes", "comparisons", "search", "bulk", "future", "versions", "idle", "lateness",
    "memory",
)  # fmt: skip
ARTICLES = "bench_articles"

EPILOG = """Each measure stands beside its floor: what the same machine did, in the same run, with
the least work thinkable. Compare the ratios; the figures themselves are those of the machine and
of whatever else it did meanwhile. Runs alternate with their floors, and medians are printed.

  reads    one public article, and the newest 20, on granian (2 workers), against an empty view
  hanging  public reads and /health while 50 bodies stall and 50 logins hang, against none
  fanout   one event to 1,000,000 followers, against the bare INSERT … SELECT of the same rows
  due      10,000 schedules at one moment, on a good day and on a site's second day, against one
           bare statement that writes the same rows; and the lateness of single ones
  release  10,000 items that go live in one transaction, and are put back in one, against the bare
           statement of `due`
  latency  from the commit of a job to the start of its handler
  reset_answers
           a reset asked for a known, an unknown, a disabled and a frozen address, in turn
  commands flask --help, flask db current, and flask db upgrade of an empty database
  signins  what a token adds to a request, against /health; and sign-ins a second, against bare
           verifications of the same passwords
  writes   creates and edits of 4 KB, on granian (2 workers), against two bare INSERTs and a COMMIT;
           with --other, beside the server of another checkout as well
  comparisons
           two texts of 20,000 words, 200 of them changed, against difflib
  search   two words among 100,000 public items, against the read of one item by its slug
  future   the newest 20 of 100,000 public items as they will be by 10,000 planned actions, against
           the plain list
  bulk     items archived, taken back, thrown away and tagged by a bulk action, against one by one
  versions bytes on disk of versions of 20 KB, packed and whole; reading one that lies deep, against
           a keyframe; sealing fifty at a time, against one by one
  idle     processor time of a dispatcher with nothing to do, and the statements of the whole
  lateness single schedules at their moment, on a quiet system and beside the fan-out; these two
           with --other beside the programs of another checkout as well
  memory   the peak of each process that the chosen measures ran; alone, it runs the fan-out

The servers are embedded and thrown away, under var/. A full run takes about nine minutes and
three gigabytes of disk. The exit status is 1 when a target is missed."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    options = _parser().parse_args(arguments)
    chosen = set(options.only)
    var = PROJECT / "var"
    var.mkdir(exist_ok=True)
    # Not in the system's temporary folder: that may be memory, where fsync costs nothing.
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=var))
    try:
        with Testbed(folder, _say_with_time()) as bed:
            results = run(bed, QUICK if options.quick else FULL, chosen, options.other)
    except (BenchError, ServerError) as error:
        print(f"The benchmark failed. {error}", file=sys.stderr)
        return 2
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"\n{table(results)}")
    if options.json:
        options.json.write_text(json.dumps([result.as_json() for result in results], indent=2))
    missed = [result.measure for result in results if result.is_missed]
    print(f"\nMissed: {'; '.join(missed)}." if missed else "\nEvery target is met.")
    return 1 if missed else 0


_ON_THEIR_OWN: dict[str, Callable[[Testbed, Sizes], list[Result]]] = {
    "latency": latency.measure,
    "reset_answers": reset_answers.measure,
    "commands": commands.measure,
    "signins": sign_ins.measure,
    "comparisons": comparisons.measure,
    "search": search.measure,
    "future": future.measure,
    "bulk": bulk.measure,
    "versions": versions.measure,
}

_BESIDE_ANOTHER: dict[str, Callable[[Testbed, Sizes, Path | None], list[Result]]] = {
    "writes": writes.measure,
    "idle": idle.measure,
    "lateness": idle.measure_lateness,
}


_OF_ARTICLES: dict[str, Callable[[Testbed, Sizes, str], list[Result]]] = {
    "reads": reads.measure,
    "hanging": hanging.measure,
    "due": due.measure,
    "release": releases.measure,
}


def run(bed: Testbed, sizes: Sizes, chosen: set[str], other: Path | None = None) -> list[Result]:
    """Take the chosen measures, in an order that lets them share what is costly to prepare.

    `other` is the folder of a checkout to compare with.
    """
    results: list[Result] = []
    of_memory: list[Result] = []
    if chosen & _OF_ARTICLES.keys():
        number = max(sizes.public_articles, sizes.due_at_once)
        bed.say(f"making {number:,} articles")
        with bed.database(ARTICLES) as url:
            with sessions_on(url)() as session:
                fill(session, number)
            for name, of_articles in _OF_ARTICLES.items():
                if name in chosen:
                    results += of_articles(bed, sizes, ARTICLES)
    for name, compare in _BESIDE_ANOTHER.items():
        results += compare(bed, sizes, other) if name in chosen else []
    for name, measure in _ON_THEIR_OWN.items():
        results += measure(bed, sizes) if name in chosen else []
    if "fanout" in chosen or chosen == {"memory"}:
        told = fan_out.measure(bed, sizes)
        results += told.results
        of_memory += memory.during_the_million(told, sizes.followers)
    if "memory" in chosen:
        results += [*of_memory, *memory.of_all(bed.peaks)]
    return results


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure the speeds that Imprint promises.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", type=_measures, default=MEASURES, metavar="A,B",
                        help=f"some of {','.join(MEASURES)} (default: all)")  # fmt: skip
    parser.add_argument("--quick", action="store_true",
                        help="smaller and shorter, in about two minutes")  # fmt: skip
    parser.add_argument("--other", type=Path, metavar="FOLDER",
                        help="a checkout to compare writes, idle and lateness with")  # fmt: skip
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there as well")
    return parser


def _measures(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = sorted(set(names) - set(MEASURES))
    if unknown or not names:
        raise argparse.ArgumentTypeError(f"choose from {', '.join(MEASURES)}, not {text!r}")
    return names


def _say_with_time() -> Callable[[str], None]:
    began = time.monotonic()

    def say(step: str) -> None:
        print(f"[{time.monotonic() - began:5.0f} s] {step}", file=sys.stderr, flush=True)

    return say


if __name__ == "__main__":
    sys.exit(main())
