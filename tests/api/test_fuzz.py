"""Whatever is sent, the API answers as its document says, and never with a server error."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import schemathesis
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pydantic import SecretStr
from schemathesis import Case, CheckContext, Response
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_schema_conformance,
    status_code_conformance,
)

from dev.postgres import PostgresServer
from dev.redis import RedisServer
from tests.factories import Caller, make_content
from webapp.api.edge import ImprintApp
from webapp.app import create_app
from webapp.kit.roles import RoleName
from webapp.services.accounts.actors import Actor
from webapp.settings import Settings


@pytest.fixture(scope="module")
def fuzzed_app(postgres: PostgresServer, redis: RedisServer, template: str) -> Iterator[ImprintApp]:
    """The API on a database that all the fuzzing of this module shares."""
    name = f"fuzz_{uuid4().hex}"
    postgres.create_database(name, template=template)
    app = create_app(
        Settings(
            _env_file=None,
            database_url=postgres.url(name),
            redis_url=redis.url,
            secret_key=SecretStr("a secret key for tests, long enough for production"),
            rate_limits=False,
            log_level="ERROR",
        )
    )
    yield app
    assert app.context is not None
    app.context.readers.close()
    app.context.engine.dispose()


@pytest.fixture(scope="module")
def admin(fuzzed_app: ImprintApp) -> Caller:
    """An admin, and a few items that generated ids can hit."""
    caller = Caller(fuzzed_app.test_client(), RoleName.ADMIN)
    assert fuzzed_app.context is not None
    with fuzzed_app.context.sessions.begin() as session:
        for _ in range(3):
            make_content(session, Actor(caller.id, caller.login, RoleName.ADMIN), tags=("a", "b"))
    return caller


@pytest.fixture
def api_schema(fuzzed_app: ImprintApp) -> schemathesis.BaseSchema:
    """The API's own document."""
    return schemathesis.openapi.from_wsgi("/openapi.json", fuzzed_app)


@schemathesis.check
def errors_are_problem_documents(_ctx: CheckContext, response: Response, _case: Case[Any]) -> None:
    """Every refusal is RFC 9457, and tells nothing of the database or the code."""
    if response.status_code >= 400:
        assert response.headers["content-type"] == ["application/problem+json"]
        body = response.content or b""
        assert b"Traceback" not in body
        assert b"psycopg" not in body


CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    errors_are_problem_documents,
]

schema = schemathesis.pytest.from_fixture("api_schema")


@schema.parametrize()
@hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
@pytest.mark.long
def test_every_operation_answers_as_documented(case: Case[Any], admin: Caller) -> None:
    headers = {"Authorization": f"Bearer {admin.token}"}
    if (case.method, case.path) == ("DELETE", "/api/v1/auth/token"):
        headers = {}
    if case.headers and "If-Match" in case.headers and len(str(case.headers["If-Match"])) % 2:
        case.headers["If-Match"] = "*"
    case.call_and_validate(headers=headers, checks=CHECKS)
