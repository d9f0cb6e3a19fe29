"""Promises about a log line: one object, in UTC, whatever a client puts into it."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from webapp.adapters.logs import configure_logs
from webapp.settings import Settings


@pytest.fixture(autouse=True)
def _logs_as_they_were() -> Iterator[None]:
    """Give the loggers back to pytest."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_line_is_one_json_object_in_utc_whatever_it_holds(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logs(Settings(_env_file=None))
    hostile = 'x\n{"event": "login.ok"}\r\n\x1b[2J\u2028'
    structlog.get_logger("one").warning("thing.refused", path=hostile)
    logging.getLogger("other").warning("said %s", hostile)
    lines = capsys.readouterr().err.split("\n")
    assert lines.pop() == ""
    first, second = (json.loads(line) for line in lines)
    assert (first["event"], first["path"]) == ("thing.refused", hostile)
    assert second["event"] == f"said {hostile}"
    assert first["timestamp"].endswith("Z")
    assert "\x1b" not in "".join(lines)
