"""Promise: no token and no password is in a log; the whole suite's logs are searched for its own.

`tests/conftest.py` holds every run to it. Here runs that leak are seen to fail.
"""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(name: str) -> subprocess.CompletedProcess[str]:
    """Run one of the tests beside this file, as pytest runs any."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    return subprocess.run(
        [*command, f"tests/house/leaking_run.py::{name}"],
        cwd=ROOT, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        "test_a_token_in_a_line_below_the_level",
        "test_a_part_of_a_longer_word",
        "test_a_password_in_a_line_of_other_software",
        "test_a_token_in_the_log_of_a_process",
    ],
)
def test_a_run_that_logs_a_secret_fails(name: str) -> None:
    finished = run(name)
    assert finished.returncode == 1, finished.stdout
    assert "holds a secret" in finished.stdout
    assert "1 passed, 1 error" in finished.stdout


def test_a_run_that_logs_none_passes() -> None:
    finished = run("test_nothing_that_is_secret")
    assert finished.returncode == 0, finished.stdout
