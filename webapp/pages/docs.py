"""The documentation of the API, as a page and as the document that the page shows."""

from html import escape
from importlib.resources import files
from typing import Any

from flask import Response, current_app, request, send_from_directory
from flask_openapi3.models.operation import Operation

from webapp.api.auth import MARK, AuthMark, public
from webapp.api.edge import ImprintApp
from webapp.api.problems import FieldError, Problem
from webapp.pages.headers import PAGE_HEADERS

VIEWER = "scalar.standalone.js"
PERMISSION = "x-permission"

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Imprint API</title>
</head>
<body>
<noscript>The document itself is at <a href="openapi.json">openapi.json</a>.</noscript>
<script id="api-reference" data-url="{document}"
 data-configuration='{"withDefaultFonts": false, "telemetry": false, "hideClientButton": true,
 "showDeveloperTools": "never", "agent": {"disabled": true}, "mcp": {"disabled": true}}'></script>
<script src="docs/scalar.standalone.js"></script>
</body>
</html>
"""


def install_docs(app: ImprintApp) -> None:
    """Add `/openapi.json` and `/docs`. Everything is served from here, nothing from elsewhere."""
    app.add_url_rule("/openapi.json", "openapi_document", openapi_document)
    app.add_url_rule("/docs", "docs_page", docs_page)
    app.add_url_rule(f"/docs/{VIEWER}", "docs_viewer", docs_viewer)


@public
def openapi_document() -> dict[str, Any]:
    """Return the OpenAPI 3.1 document, with the path below which the client reached it."""
    document: dict[str, Any] = current_app.api_doc  # type: ignore[attr-defined]
    return {**document, "servers": [{"url": request.script_root or "/"}]}


@public
def docs_page() -> Response:
    """Return the page that shows the document."""
    document = escape(f"{request.script_root}/openapi.json")
    page = PAGE.replace("{document}", document)
    return Response(page, headers=PAGE_HEADERS, content_type="text/html; charset=utf-8")


@public
def docs_viewer() -> Response:
    """Return the viewer's script, which comes with a library."""
    folder = files("flask_openapi3_scalar") / "templates" / "scalar" / "js"
    return send_from_directory(str(folder), VIEWER, max_age=86_400)


def describe_permissions(app: ImprintApp) -> None:
    """Name the permission that each operation of the document needs, as `x-permission`.

    The operations belong to the blueprints, which all applications of a process share.
    """
    for item in app.paths.values():
        for operation in (value for _, value in item if isinstance(value, Operation)):
            endpoint = str(operation.operationId).replace("_", ".", 1)
            mark: AuthMark = getattr(app.view_functions[endpoint], MARK)
            if mark.permission is not None and not hasattr(operation, PERMISSION):
                setattr(operation, PERMISSION, mark.permission.value)
                needs = f"Needs the permission `{mark.permission.value}`."
                described = operation.description
                operation.description = f"{described}\n\n{needs}" if described else needs


def describe_problems(app: ImprintApp) -> None:
    """Put the shape of errors among the document's schemas, where all answers point to it."""
    for model in (FieldError, Problem):
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schema.pop("$defs", None)
        app.components_schemas[model.__name__] = schema
