"""The log lines of a process."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

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


def configure_logs(settings: Settings) -> None:
    """Send all log lines to stderr: a constant event and fields, as JSON or for a terminal."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
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
