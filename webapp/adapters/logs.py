"""The log lines of a process."""

import logging
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

import structlog
from structlog.typing import ExcInfo

from webapp.kit.redaction import without_addresses
from webapp.settings import Settings

# The fields that hold words of other software, which repeat what they were given.
_WORDS_OF_OTHERS = ("exception", "error", "reason")


def _hide_addresses(
    _logger: Any,  # noqa: ANN401
    _method: str,
    event: MutableMapping[str, Any],
) -> MutableMapping[str, Any]:
    for name in _WORDS_OF_OTHERS:
        if isinstance(event.get(name), str):
            event[name] = without_addresses(event[name])
    return event


def _tell_error(exc_info: ExcInfo) -> str:
    """Return the frames of an error and of those that it came from, the first one at the top.

    Of each message only the first line: the others may hold the values of a row, or of a text.
    """
    told: list[str] = []
    error: BaseException | None = exc_info[1]
    while error is not None:
        frames = "".join(traceback.format_tb(error.__traceback__))
        line = str(error).partition("\n")[0]
        told.append(f"{frames}{type(error).__module__}.{type(error).__qualname__}: {line}")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\nwhich led to\n".join(reversed(told))


def configure_logs(settings: Settings) -> None:
    """Send all log lines to stderr: a constant event and fields, as JSON or for a terminal."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(_tell_error),
        _hide_addresses,
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer()
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level)
    # Alembic tells of each part of itself that it has imported.
    logging.getLogger("alembic.runtime.plugins").setLevel(logging.WARNING)
    # Celery tells of each received hint; the jobs' own lines say more.
    logging.getLogger("celery.worker.strategy").setLevel(logging.WARNING)
    logging.getLogger("celery.app.trace").setLevel(logging.WARNING)
