"""From every error that may be raised to its problem document. The statuses are all here."""

import structlog
from flask import Flask, Response
from sqlalchemy.exc import IntegrityError
from werkzeug.exceptions import HTTPException

from webapp.adapters.database_errors import (
    DATABASE_ERRORS,
    DatabaseError,
    describe,
    is_passing,
)
from webapp.api.problems import (
    FieldError,
    FindingAnswer,
    ItemState,
    NewerItem,
    OfferedMoment,
    problem,
)
from webapp.kit.cursors import InvalidCursorError
from webapp.services.content.merging import StaleItemError
from webapp.services.errors import (
    AuthenticationError,
    CheckedError,
    ConflictError,
    DailyQuotaError,
    DamagedVersionError,
    ForbiddenError,
    HinderedError,
    IncompleteError,
    InvalidInputError,
    MoveRefusal,
    NotFoundError,
    PrunedVersionError,
    ServiceError,
    StaleRevisionError,
    TooManyTriesError,
    UnavailableError,
    UnclearTimeError,
    UnrenderableError,
)
from webapp.services.idempotency import KeyReusedError

log = structlog.get_logger()

# The first that fits decides, so the children come before their parents.
STATUSES: tuple[tuple[type[ServiceError], int], ...] = (
    (PrunedVersionError, 410),
    (NotFoundError, 404),
    (ForbiddenError, 403),
    (AuthenticationError, 401),
    (StaleRevisionError, 412),
    (InvalidInputError, 422),
    (IncompleteError, 422),
    (CheckedError, 422),
    (KeyReusedError, 422),
    (ConflictError, 409),
    (DailyQuotaError, 429),
    (TooManyTriesError, 429),
    (UnrenderableError, 422),
    (UnavailableError, 503),
    (DamagedVersionError, 503),
)

RETRY_AFTER_SECONDS = "2"


class RequestError(Exception):
    """The request itself is wrong, before any rule was asked."""

    def __init__(self, status: int, detail: str, errors: list[FieldError] | None = None) -> None:
        """Say the status, what to mend, and which fields are wrong."""
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors or []


def install_error_handlers(app: Flask) -> None:
    """Make every error of the app a problem document."""
    app.register_error_handler(RequestError, _request_error)
    app.register_error_handler(ServiceError, _service_error)
    app.register_error_handler(InvalidCursorError, _cursor_error)
    app.register_error_handler(HTTPException, _http_error)
    for kind in DATABASE_ERRORS:
        app.register_error_handler(kind, _database_error)
    app.register_error_handler(Exception, _unexpected_error)


def _request_error(error: RequestError) -> Response:
    return problem(error.status, error.detail, errors=error.errors)


def _service_error(error: ServiceError) -> Response:
    status = next(status for kind, status in STATUSES if isinstance(error, kind))
    errors = []
    if isinstance(error, InvalidInputError):
        errors = [FieldError(field=f"{error.place}.{error.field}", reason=error.reason)]
    if isinstance(error, IncompleteError):
        errors = [FieldError(field=field, reason=reason) for field, reason in error.lacking]
    if isinstance(error, HinderedError):
        errors = [
            FieldError(field=f"entries.{content_id}", reason=reason)
            for content_id, reason in error.hindrances
        ]
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    if status == 503:
        headers = {"Retry-After": RETRY_AFTER_SECONDS}
    if isinstance(error, DailyQuotaError | TooManyTriesError):
        headers = {"Retry-After": str(error.seconds)}
    item = None
    if isinstance(error, MoveRefusal):
        item = ItemState(status=error.status, state=error.state, moves=list(error.moves))
    newer = NewerItem.model_validate(error) if isinstance(error, StaleItemError) else None
    findings = None
    if isinstance(error, CheckedError):
        findings = [FindingAnswer.model_validate(finding) for finding in error.findings]
    offers = None
    if isinstance(error, UnclearTimeError):
        offers = [OfferedMoment.model_validate(offer) for offer in error.offers]
    return problem(
        status, str(error), errors=errors, item=item, newer=newer, findings=findings,
        offers=offers, headers=headers,
    )  # fmt: skip


def _cursor_error(_error: InvalidCursorError) -> Response:
    wrong = FieldError(field="query.cursor", reason="is not a cursor that this list gave out")
    return problem(422, "The cursor cannot be read; begin with the first page.", errors=[wrong])


def _http_error(error: HTTPException) -> Response:
    if isinstance(error.response, Response):
        return error.response
    headers = {
        name: value
        for name, value in error.get_headers()
        if name.lower() in {"allow", "retry-after", "location"}
    }
    return problem(error.code or 500, error.description or "", headers=headers)


def _database_error(error: DatabaseError) -> Response:
    if isinstance(error, IntegrityError):
        # A guard of the database caught what two requests did at once.
        log.info("request.conflict", error=describe(error))
        return problem(409, "Another change got in the way; read again and try again.")
    if not is_passing(error):
        return _unexpected_error(error)
    log.warning("request.database_away", error=describe(error))
    headers = {"Retry-After": RETRY_AFTER_SECONDS}
    return problem(503, "The database is busy or away; try again soon.", headers=headers)


def _unexpected_error(error: Exception) -> Response:
    log.error("request.crashed", exc_info=error)
    return problem(500, "Something went wrong here; it has been noted under this request_id.")
