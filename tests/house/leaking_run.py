"""What must fail when it is run: tests that log a secret. `test_no_secret_in_logs.py` runs them.

The last one changes what is logged by those that come after it.
"""

import logging
import signal
import sys
import time
from pathlib import Path

import structlog

from dev.process import TetheredProcess
from webapp.adapters.logs import configure_logs
from webapp.kit.one_time_codes import new_recovery_codes, new_totp_secret
from webapp.kit.passwords import hash_password
from webapp.kit.tokens import new_token
from webapp.settings import Settings

log = structlog.get_logger()


def test_a_part_of_a_longer_word() -> None:
    logging.getLogger().warning("key_%s_end", new_token())


def test_a_password_in_a_line_of_other_software() -> None:
    password = "a password with blanks"
    hash_password(password)
    logging.getLogger("other").warning("login of maria with %s failed", password)


def test_a_token_in_the_log_of_a_process(tmp_path: Path) -> None:
    command = [sys.executable, "-c", f"print({new_token()!r})"]
    process = TetheredProcess(
        command, log_path=tmp_path / "child.log", farewell=signal.SIGKILL, folder=tmp_path
    )
    while process.is_running():
        time.sleep(0.1)


def test_nothing_that_is_secret() -> None:
    hash_password("a password with blanks")
    logging.getLogger().warning("thing.done %s", len(new_token()))


def test_what_a_second_factor_is_made_of() -> None:
    logging.getLogger().warning("made %s and %s.", new_recovery_codes()[0], new_totp_secret())


def test_a_token_in_a_line_below_the_level() -> None:
    configure_logs(Settings(_env_file=None, log_level="ERROR"))
    structlog.get_logger().debug("thing.done", path=f"/reset?token={new_token()}&more")
