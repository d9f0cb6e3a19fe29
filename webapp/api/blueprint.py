"""Blueprints whose views receive their input parsed, and whose OpenAPI says what they take."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel, ValidationError

from webapp.api.errors import RequestError
from webapp.api.parsing import parse_body, read_query
from webapp.api.problems import field_errors, problem_response

API_PREFIX = "/api/v1"
BEARER: list[dict[str, list[Any]]] = [{"bearer": []}]
OPTIONAL_BEARER: list[dict[str, list[Any]]] = [{}, *BEARER]

Responses = dict[str | int, type[BaseModel] | dict[Any, Any] | None]

COMMON_PROBLEMS: Responses = {
    "400": problem_response("The request cannot be read."),
    "409": problem_response("The state of something stands against it, or a quota of the account."),
    "415": problem_response("The body is not application/json."),
    "413": problem_response("The body is too large."),
    "422": problem_response("The input is not acceptable; every wrong field is named."),
    "429": problem_response(
        "Too many requests, or the day's quota of the account is used up; see Retry-After."
    ),
    "503": problem_response("The database is away; see Retry-After."),
}
ACCOUNT_PROBLEMS: Responses = {
    "401": problem_response("No valid token was sent."),
    "403": problem_response("The role, or the scope of the API key, does not suffice."),
    "404": problem_response("There is no such thing, or it is not yours to see."),
}
PRUNED: Responses = {"410": problem_response("The version was pruned; its number stays taken.")}
NOT_MODIFIED: Responses = {
    "304": {"description": "You have it already: If-None-Match holds its ETag."}
}
IF_MATCH_PROBLEMS: Responses = {
    "412": problem_response("It has changed since you read it."),
    "428": problem_response("If-Match is missing."),
}


class Blueprint(APIBlueprint):
    """A blueprint under the API's prefix.

    A view names what it takes: `path`, `query`, `header` and `body` arguments, annotated with
    Pydantic models. All that is wrong is answered at once.
    """

    def __init__(self, name: str, *, title: str) -> None:
        """Name the blueprint, and its section in the documentation."""
        super().__init__(
            name,
            __name__,
            url_prefix=API_PREFIX,
            abp_tags=[Tag(name=title)],
            abp_responses={**COMMON_PROBLEMS},
            operation_id_callback=_operation_id,
        )

    @staticmethod
    def create_view_func(  # type: ignore[override]  # less what this API does not use
        func: Callable[..., Any],
        header: type[BaseModel] | None,
        cookie: type[BaseModel] | None,  # noqa: ARG004
        path: type[BaseModel] | None,
        query: type[BaseModel] | None,
        form: type[BaseModel] | None,  # noqa: ARG004
        body: type[BaseModel] | None,
        raw: type[BaseModel] | None,  # noqa: ARG004
        **_: Any,  # noqa: ANN401
    ) -> Callable[..., Any]:
        """Wrap a view so that its input is parsed; called once for each view, by the library."""

        @wraps(func)
        def view(**url_values: Any) -> Any:  # noqa: ANN401
            return func(**_parse(path, query, header, body, url_values))

        return view


def _operation_id(*, bp_name: str, name: str, **_: str) -> str:
    """Name an operation by its feature and its view, as generated clients will show it."""
    return f"{bp_name}_{name}"


def _parse(
    path: type[BaseModel] | None,
    query: type[BaseModel] | None,
    header: type[BaseModel] | None,
    body: type[BaseModel] | None,
    url_values: dict[str, Any],
) -> dict[str, BaseModel]:
    parsed: dict[str, BaseModel] = {}
    errors = []
    offered: tuple[tuple[str, type[BaseModel] | None, Callable[[], Any]], ...] = (
        ("path", path, lambda: url_values),
        ("query", query, read_query),
        ("header", header, lambda: dict(request.headers)),
    )
    for part, model, values in offered:
        if model is not None:
            try:
                parsed[part] = model.model_validate(values())
            except ValidationError as error:
                errors.extend(field_errors(part, error))
    if body is not None:
        try:
            parsed["body"] = parse_body(body)
        except ValidationError as error:
            errors.extend(field_errors("body", error))
    if errors:
        raise RequestError(422, "The input is not acceptable; see errors.", errors)
    return parsed
