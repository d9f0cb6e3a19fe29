"""Modules load without a look for garbage, and the program goes on with it."""

import gc
import subprocess
import sys
from pathlib import Path

import pytest

from webapp.kit.loading import undisturbed

ROOT = Path(__file__).resolve().parents[2]


def test_nothing_is_collected_meanwhile_and_it_is_afterwards() -> None:
    assert gc.isenabled()
    with undisturbed():
        assert not gc.isenabled()
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0


def test_a_module_that_fails_leaves_no_program_without_it() -> None:
    with pytest.raises(ImportError), undisturbed():
        raise ImportError("no such module")
    assert gc.isenabled()


@pytest.mark.parametrize("entry", ["celery_app", "rsgi", "wsgi"])
def test_programs_load_so(entry: str) -> None:
    program = f"import gc, {entry}; print(gc.isenabled(), gc.get_freeze_count() > 100_000)"
    environment = {
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "SMTP_URL": "smtp://127.0.0.1:9",
        "SECRET_KEY": "a secret key for tests, long enough for production",
    }
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "True True"
