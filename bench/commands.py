"""How long a person waits for a command, and for the whole chain of migrations.

The floor of a command is a Flask application with nothing in it, asked for its help.
"""

import subprocess
import sys
import time
from collections.abc import Sequence

from bench.processes import PROJECT
from bench.results import Result, median
from bench.sizes import Sizes
from bench.testbed import BenchError, Testbed

_FLASK = [sys.executable, "-m", "flask"]
_FLOOR = [*_FLASK, "--app", "bench.empty_app", "--help"]
_TIMES_FLOOR = 1.3
_CHAIN_SECONDS = 5.0


def measure(bed: Testbed, sizes: Sizes) -> list[Result]:
    """Start each command some times, in turns, and migrate as many empty databases."""
    bed.say(f"commands: {sizes.load_rounds} rounds")
    commands = {"flask --help": ["--help"], "flask db current": ["db", "current"]}
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    floor, chain = [], []
    for number in range(sizes.load_rounds):
        with bed.database(f"bench_commands_{number}", "template1") as url:
            floor.append(_seconds(bed, _FLOOR, url))
            chain.append(_seconds(bed, [*_FLASK, "db", "upgrade"], url))
            for name, arguments in commands.items():
                seconds[name].append(_seconds(bed, [*_FLASK, *arguments], url))
    results = [
        Result(
            name, median(taken), "s", floor=median(floor), target=_TIMES_FLOOR, target_is_ratio=True
        )
        for name, taken in seconds.items()
    ]
    return [
        *results,
        Result("flask db upgrade, base to head", median(chain), "s", target=_CHAIN_SECONDS),
    ]


def _seconds(bed: Testbed, command: Sequence[str], database_url: str) -> float:
    """Return how long a command takes. Raises BenchError when it fails."""
    began = time.perf_counter()
    finished = subprocess.run(
        command,
        cwd=PROJECT,
        env=bed.environment(database_url),
        capture_output=True,
        text=True,
        check=False,
    )
    taken = time.perf_counter() - began
    if finished.returncode != 0:
        raise BenchError(f"{' '.join(command)} failed:\n{finished.stderr}")
    return taken
