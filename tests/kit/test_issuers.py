"""What is accepted as the issuers of a site, and what is said of the rest."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from webapp.kit.issuers import read_issuers
from webapp.kit.roles import RoleName
from webapp.settings import Settings

SECRET = "a secret that no sentence may hold"
GIVEN: dict[str, Any] = {
    "name": "company",
    "url": "https://issuer.example.org/realms/company",
    "client_id": "imprint",
    "client_secret": SECRET,
    "return_urls": ["https://newsroom.example.org/signed-in"],
}


def setting(**changed: Any) -> str:
    """Return a setting of one issuer with other fields; None leaves one out."""
    fields = {**GIVEN, **changed}
    return json.dumps([{name: value for name, value in fields.items() if value is not None}])


@pytest.mark.parametrize("nothing", ["", "  ", "[]"])
def test_no_issuer_is_none(nothing: str) -> None:
    assert read_issuers(nothing) == ()


def test_an_issuer_trusts_and_makes_nothing_unless_it_is_told_to() -> None:
    (issuer,) = read_issuers(setting())
    assert (issuer.trusts_addresses, issuer.makes_accounts, issuer.rules_roles) == (False,) * 3
    assert issuer.shown_title == "company"
    assert SECRET not in repr(issuer)
    assert SECRET not in repr(Settings(_env_file=None, oidc_issuers=setting()))


def test_a_file_is_read_and_a_secret_of_a_file_as_well(tmp_path: Path) -> None:
    secret, file = tmp_path / "secret", tmp_path / "issuers.json"
    secret.write_text(f"{SECRET}\n")
    file.write_text(setting(client_secret=None, client_secret_file=str(secret)))
    (issuer,) = read_issuers(str(file))
    assert issuer.secret() == SECRET


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("/nowhere/issuers.json", "names a file that cannot be read"),
        ("[", "is neither a JSON list"),
        ("{}", "must be a list"),
        (setting(name="The Company"), "issuer 1: name"),
        (setting(url="http://issuer.example.org"), "issuer 1: url: must start with https://"),
        (setting(url="https://u:p@issuer.example.org"), "issuer 1: url: may hold no user"),
        (setting(client_id=None), "issuer 1: client_id: Field required"),
        (setting(client_secret=""), "issuer 1: client_secret: is empty"),
        (setting(client_secret_file="/nowhere"), "issuer 1: client_secret: is given twice"),
        (
            setting(client_secret=None, client_secret_file="/nowhere"),
            "issuer 1: client_secret_file: names a file that cannot be read",
        ),
        (setting(return_urls=[]), "issuer 1: return_urls"),
        (setting(return_urls=["http://newsroom.example.org"]), "issuer 1: return_urls: 0: must"),
        (setting(algorithms=["HS256"]), "issuer 1: algorithms: 0"),
        (setting(algorithms=["none"]), "issuer 1: algorithms: 0"),
        (setting(scopes=["email"]), "issuer 1: scopes: must hold openid"),
        (setting(role_of_group={"a": "boss"}), "issuer 1: role_of_group: a"),
        (setting(role_without_group="editor"), "issuer 1: role_without_group: says something"),
        (setting(trust_addresses=True), "issuer 1: trust_addresses: Extra inputs"),
        (json.dumps([GIVEN, GIVEN]), "names two issuers the same"),
        (json.dumps([GIVEN] * 21), "must be a list of at most 20 issuers"),
    ],
)
def test_what_is_wrong_is_named_without_its_value(wrong: str, said: str) -> None:
    with pytest.raises(ValueError, match=r"issuer|file|list") as told:
        read_issuers(wrong)
    assert str(told.value).startswith(said)
    with pytest.raises(ValidationError) as refused:
        Settings(_env_file=None, oidc_issuers=wrong)
    assert SECRET not in str(refused.value)


def test_the_highest_role_of_the_groups_counts() -> None:
    mapping = {"press": "author", "chiefs": "editor"}
    (issuer,) = read_issuers(setting(role_of_group=mapping))
    assert issuer.role_of({"chiefs", "press", "others"}) is RoleName.EDITOR
    assert issuer.role_of({"press"}) is RoleName.AUTHOR
    assert issuer.role_of({"Press", "others"}) is RoleName.READER
    assert issuer.role_of(()) is RoleName.READER
    only = json.loads(setting(role_of_group=mapping))
    only[0]["role_without_group"] = None
    (issuer,) = read_issuers(json.dumps(only))
    assert issuer.role_of({"others"}) is None


def test_passwords_can_be_given_up_where_there_is_another_door() -> None:
    with pytest.raises(ValidationError, match="IMPRINT_OIDC_ISSUERS names no issuer"):
        Settings(_env_file=None, password_sign_in=False)
    assert not Settings(
        _env_file=None, password_sign_in=False, oidc_issuers=setting()
    ).password_sign_in
