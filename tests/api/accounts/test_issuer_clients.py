"""Promises of the ways in which Imprint is a client of an issuer."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.accounts.issuer_apis import api_with, me
from tests.issuers import RunningIssuer, running_issuer, sign_in
from webapp.settings import Settings

PEOPLE: dict[str, dict[str, Any]] = {
    "anna": {
        "email": "anna@example.org",
        "email_verified": True,
        "preferred_username": "Anna.E",
    }
}
TRUSTED: dict[str, Any] = {"trusts_addresses": True, "makes_accounts": True}


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningIssuer]:
    """An issuer that all tests of this module share."""
    with running_issuer(tmp_path_factory.mktemp("issuer"), people=PEOPLE) as issuer:
        yield issuer


@pytest.mark.parametrize("client_id", ["imprint-public", "imprint-es256", "imprint-post"])
def test_every_way_to_be_a_client_signs_in(
    settings: Settings, issuer: RunningIssuer, client_id: str
) -> None:
    setting = issuer.setting(client_id=client_id, **TRUSTED)
    if client_id == "imprint-public":
        del setting["client_secret"]
    with api_with(settings, setting) as client:
        assert me(client, sign_in(client, "anna"))["login"] == "anna.e"


def test_claims_are_asked_of_the_userinfo_where_the_id_token_lacks_them(
    settings: Settings, tmp_path: Path
) -> None:
    with (
        running_issuer(tmp_path, people=PEOPLE, claims_in_id_token=False) as issuer,
        api_with(settings, issuer.setting(**TRUSTED)) as client,
    ):
        assert me(client, sign_in(client, "anna"))["email"] == "anna@example.org"


def test_a_signature_of_another_kind_than_allowed_proves_nobody(
    settings: Settings, issuer: RunningIssuer
) -> None:
    with api_with(settings, issuer.setting(client_id="imprint-hs256", **TRUSTED)) as client:
        assert sign_in(client, "anna").status_code == 401
    only = issuer.setting(algorithms=["ES256"], **TRUSTED)
    with api_with(settings, only) as client:
        assert sign_in(client, "anna").status_code == 401
