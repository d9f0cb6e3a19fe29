"""Every kind of job and the one handler that it has."""

from workers import accounts, backfills, housekeeping, mail, notifications, publishing, versions
from workers.context import Handler

HANDLERS: dict[str, Handler] = {
    handler.message.kind: handler
    for module in (accounts, publishing, versions, notifications, mail, housekeeping, backfills)
    for handler in module.HANDLERS
}
