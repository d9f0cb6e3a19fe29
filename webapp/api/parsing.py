"""Reading query strings and bodies: what could be meant in two ways is refused."""

from urllib.parse import parse_qsl

from flask import request
from pydantic import BaseModel, ValidationError

from webapp.api.errors import RequestError
from webapp.api.problems import FieldError
from webapp.kit.json_text import NotJsonError, repeated_members

NOT_ACCEPTABLE = "The input is not acceptable; see errors."


def read_query() -> dict[str, str]:
    """Return the query string as names and values.

    Raises RequestError: 400 for bytes that are not UTF-8, 422 for a name that is given twice.
    """
    try:
        pairs = parse_qsl(request.query_string.decode(), keep_blank_values=True, errors="strict")
    except ValueError as error:
        raise RequestError(400, "The query string is not UTF-8.") from error
    values: dict[str, str] = {}
    repeated: dict[str, FieldError] = {}
    for name, value in pairs:
        if name in values:
            repeated[name] = FieldError(field=f"query.{name}", reason="is given more than once")
        values[name] = value
    if repeated:
        raise RequestError(422, NOT_ACCEPTABLE, list(repeated.values()))
    return values


def parse_body(model: type[BaseModel]) -> BaseModel:
    """Return the body as the model says. Raises RequestError and ValidationError."""
    _check_type()
    data = request.get_data()
    try:
        repeated = repeated_members(data)
        parsed = model.model_validate_json(data)
    except NotJsonError as error:
        raise RequestError(400, f"The body cannot be read. {error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        if first["type"] == "json_invalid":
            reason = str(first["msg"])
            raise RequestError(400, f"The body cannot be read. {reason}") from error
        raise
    if repeated:
        errors = [
            FieldError(field=f"body.{path}", reason="is given more than once") for path in repeated
        ]
        raise RequestError(422, NOT_ACCEPTABLE, errors)
    return parsed


def _check_type() -> None:
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if request.mimetype != "application/json" or charset not in {"utf-8", "utf8"}:
        raise RequestError(415, "Send the body as Content-Type: application/json, in UTF-8.")
    if request.headers.get("Content-Encoding", "identity").lower() not in {"", "identity"}:
        raise RequestError(415, "Send the body as it is, without a Content-Encoding.")
