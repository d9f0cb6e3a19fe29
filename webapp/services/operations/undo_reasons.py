"""Why something that an agent's session changed is not put back."""

from enum import StrEnum

from webapp.services.errors import ServiceError


class Reason(StrEnum):
    """The reasons, as the answer of the API names them."""

    ALREADY_UNDONE = "already_undone"
    CHANGED_SINCE = "changed_since"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    IRREVERSIBLE = "irreversible"
    TOLD = "told"
    ANSWERED = "answered"


class IrreversibleError(ServiceError):
    """What was before is not known any more, or its time has gone by."""
