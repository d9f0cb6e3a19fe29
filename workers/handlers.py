"""Every kind of job and the one handler that it has."""

from workers.accounts import accounts, identities, second_factors
from workers.audience import mail, notifications
from workers.content import autosaves, notices, versions
from workers.context import Handler
from workers.operations import (
    account_deletions,
    account_exports,
    backfills,
    bulk_actions,
    erasure,
    housekeeping,
)
from workers.publishing import publishing, recurrences, refresh, rehearsals, releases, reviews

HANDLERS: dict[str, Handler] = {
    handler.message.kind: handler
    for module in (
        accounts,
        second_factors,
        identities,
        publishing,
        recurrences,
        releases,
        refresh,
        rehearsals,
        reviews,
        versions,
        autosaves,
        notices,
        notifications,
        mail,
        housekeeping,
        backfills,
        bulk_actions,
        account_deletions,
        account_exports,
        erasure,
    )
    for handler in module.HANDLERS
}
