"""Promise: no token and no password is in a log; the whole suite's logs are searched for its own.

`tests/conftest.py` holds every run to it, so each that passes has logged none. Here one that leaks
in every way is seen to fail, for each of its leaks and for nothing else.
"""

import ast
import subprocess
import sys
from pathlib import Path

from tests.patience import HANG_SECONDS

ROOT = Path(__file__).resolve().parents[2]
SAID = "E       assert ["
LEAKS = {
    "{'path': '/reset?token=…&more'": "in a line below the level",
    "WARNING  root:leaking_run.py:25 key_…_end": "a part of a longer word",
    "WARNING  other:leaking_run.py:31 login of maria with … failed": "a password",
    "WARNING  root:leaking_run.py:49 made … and ….": "what a second factor is made of",
    "…": "in the log of a process",
}


def test_a_run_that_logs_secrets_fails_for_each_of_them() -> None:
    command = [sys.executable, "-m", "pytest", "-vv", "-p", "no:cacheprovider"]
    finished = subprocess.run(
        [*command, "tests/house/leaking_run.py"],
        cwd=ROOT, capture_output=True, text=True, timeout=5 * HANG_SECONDS, check=False,
    )  # fmt: skip
    assert finished.returncode == 1, finished.stdout
    assert "6 passed, 1 error" in finished.stdout
    [said] = [line for line in finished.stdout.splitlines() if line.startswith(SAID)]
    found = ast.literal_eval(said.removeprefix("E       assert ").removesuffix(" == []"))
    lines = {sentence.partition(" holds a secret: ")[2] for sentence in found}
    assert len(lines) == len(LEAKS), lines
    for leak, what in LEAKS.items():
        assert any(line.startswith(leak) for line in lines), what
