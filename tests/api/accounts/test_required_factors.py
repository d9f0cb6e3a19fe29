"""Promises of roles that have to have a second factor: nothing but adding it, at once, for all."""

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from pydantic import ValidationError
from sqlalchemy.orm import Session, sessionmaker

from tests.api.accounts.test_api_keys import by_key
from tests.factories import PASSWORD, Caller
from tests.second_factors import Telephone, log_in
from webapp.api.auth import MARK, AuthMark
from webapp.api.edge import ImprintApp
from webapp.app import create_app
from webapp.kit.roles import RoleName
from webapp.services.accounts import second_factors
from webapp.services.content import taxonomy
from webapp.settings import Settings

OPEN = {
    "GET /api/v1/auth/second-factors",
    "POST /api/v1/auth/passkeys",
    "POST /api/v1/auth/passkeys/creation-options",
    "POST /api/v1/auth/second-factors/totp",
    "POST /api/v1/auth/second-factors/totp/confirm",
    "DELETE /api/v1/auth/token",
}


@pytest.fixture
def strict(settings: Settings) -> Iterator[ImprintApp]:
    """The API where editors and above have to have a second factor."""
    roles = Settings(
        _env_file=None, second_factor_roles="editor, manager,admin"
    ).second_factor_roles
    app = create_app(settings.model_copy(update={"second_factor_roles": roles}))
    yield app
    assert app.context is not None
    app.context.readers.close()
    app.context.engine.dispose()


def test_without_its_factor_a_role_does_nothing_but_add_one_and_sign_out(
    strict: ImprintApp,
) -> None:
    editor = Caller(strict.test_client(), RoleName.EDITOR)
    opened = set()
    for rule in strict.url_map.iter_rules():
        mark: AuthMark = getattr(strict.view_functions[rule.endpoint], MARK)
        if mark.permission is None:
            continue
        with strict.test_request_context():
            path = strict.url_map.bind("").build(
                rule.endpoint, dict.fromkeys(rule.arguments, 1), method=_method(rule.methods)
            )
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}, reverse=True):
            if rule.endpoint == "auth.log_out":
                opened.add(f"{method} {rule.rule}")
                assert mark.for_enrolment
                continue
            answer = editor.call(method, path.removeprefix("/api/v1"), {}, If_Match="*")
            if answer.status_code == 403:
                assert "second factor" in answer.get_json()["detail"]
            else:
                opened.add(f"{method} {rule.rule}")
    assert opened == OPEN
    assert editor.call("DELETE", "/auth/token").status_code == 204


def _method(methods: set[str] | None) -> str:
    return sorted((methods or set()) - {"HEAD", "OPTIONS"})[0]


def test_an_account_is_itself_again_once_it_has_a_factor_and_not_when_it_is_gone(
    strict: ImprintApp, sessions: sessionmaker[Session]
) -> None:
    editor = Caller(strict.test_client(), RoleName.EDITOR)
    assert log_in(editor).status_code == 200
    assert editor.call("GET", "/content").status_code == 403
    assert editor.call("GET", "/auth/second-factors").get_json()["is_required"] is True
    telephone = Telephone(editor, sessions)
    assert editor.call("GET", "/content").status_code == 200
    both = {"password": PASSWORD, "code": telephone.code()}
    assert editor.call("POST", "/auth/second-factors/totp/remove", both).status_code == 204
    assert editor.call("GET", "/content").status_code == 403


def test_a_promotion_works_at_once_in_open_sessions_and_for_keys(
    strict: ImprintApp, sessions: sessionmaker[Session]
) -> None:
    author = Caller(strict.test_client(), RoleName.AUTHOR)
    key = by_key(author, "read")
    admin = Caller(strict.test_client(), RoleName.ADMIN)
    Telephone(admin, sessions)
    for caller in (author, key):
        assert caller.call("GET", "/content").status_code == 200
    promoted = admin.call("PUT", f"/users/{author.id}/role", {"role": "editor"}, If_Match="*")
    assert promoted.status_code == 200
    for caller in (author, key):
        assert caller.call("GET", "/content").status_code == 403
    Telephone(author, sessions)
    for caller in (author, key):
        assert caller.call("GET", "/content").status_code == 200
    with sessions.begin() as session:
        assert second_factors.reset(session, author.id) == ["totp", "recovery_code"]
    for caller in (author, key):
        assert caller.call("GET", "/content").status_code == 403


def test_what_everybody_may_see_shows_no_more_without_the_factor(
    strict: ImprintApp, client: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    editor = Caller(strict.test_client(), RoleName.EDITOR)
    with sessions.begin() as session:
        taxonomy.ensure_category(session, "hidden")
    shown = [
        caller.get("/api/v1/categories", headers={"Authorization": f"Bearer {editor.token}"})
        for caller in (strict.test_client(), client)
    ]
    assert [len(answer.get_json()["items"]) for answer in shown] == [0, 1]


def test_a_role_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValidationError, match="boss"):
        Settings(_env_file=None, second_factor_roles="editor,boss")
