"""Who may say who somebody is: the issuers of OpenID Connect that a site names in its settings."""

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)

from webapp.kit.roles import RoleName
from webapp.kit.service_urls import check_web_url

MOST_ISSUERS = 20
LONGEST_SETTING = 262_144
# Of loopback alone nothing can be overheard on the way; RFC 8252, 7.3 lets apps use it so, too.
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})
# Those with a private key alone: what is made with a shared secret, or none, proves no issuer.
Algorithm = Literal[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
    "Ed25519",
]  # fmt: skip


def _require_private(url: str) -> str:
    """Accept what TLS protects; raises ValueError, whose words hold no part of the URL."""
    check_web_url(url)
    parts = urlsplit(url)
    if parts.scheme == "http" and parts.hostname not in LOOPBACK_HOSTS:
        message = "must start with https://; http:// is for this machine alone"
        raise ValueError(message)
    return url


PrivateUrl = Annotated[str, Field(max_length=2_000), AfterValidator(_require_private)]
Words = Annotated[str, Field(min_length=1, max_length=200)]


class Issuer(BaseModel):
    """One issuer, as docs/operations.md explains it to operators.

    `url` is compared letter by letter with what its tokens say. It is who it is, so accounts stay
    linked when its `name` changes, and not when its `url` does.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
    title: Words = ""
    url: PrivateUrl
    client_id: Words
    client_secret: SecretStr | None = None
    client_secret_file: Path | None = None
    return_urls: Annotated[tuple[PrivateUrl, ...], Field(min_length=1, max_length=20)]
    scopes: tuple[Words, ...] = ("openid", "email", "profile")
    algorithms: Annotated[tuple[Algorithm, ...], Field(min_length=1)] = (
        "RS256", "PS256", "ES256", "EdDSA", "Ed25519",
    )  # fmt: skip
    trusts_addresses: bool = False
    makes_accounts: bool = False
    groups_claim: Words = "groups"
    role_of_group: dict[str, RoleName] = {}
    role_without_group: RoleName | None = RoleName.READER

    @model_validator(mode="after")
    def _check(self) -> "Issuer":
        if "openid" not in self.scopes:
            message = "scopes: must hold openid"
            raise ValueError(message)
        if self.client_secret is not None and self.client_secret_file is not None:
            message = "client_secret: is given twice, by client_secret_file as well"
            raise ValueError(message)
        if not self.role_of_group and "role_without_group" in self.model_fields_set:
            message = "role_without_group: says something beside role_of_group only"
            raise ValueError(message)
        return self

    @property
    def shown_title(self) -> str:
        """What stands on its button."""
        return self.title or self.name

    @property
    def rules_roles(self) -> bool:
        """Whether it decides the roles of those whom it signs in."""
        return bool(self.role_of_group)

    def role_of(self, groups: Collection[str]) -> RoleName | None:
        """Return the highest role that these groups give; None where they let nobody in."""
        roles = [self.role_of_group[group] for group in groups if group in self.role_of_group]
        return max(roles, key=lambda role: role.rank) if roles else self.role_without_group

    def secret(self) -> str | None:
        """Return the client's secret, or None for a client without one."""
        return None if self.client_secret is None else self.client_secret.get_secret_value()


@dataclass(frozen=True)
class IssuedPerson:
    """What an issuer said of somebody, after all that proves it was checked.

    `has_verified_email` is true where the issuer said just that, and never by default.
    """

    issuer: Issuer
    subject: str
    email: str | None = field(default=None, repr=False)
    has_verified_email: bool = False
    name: str = field(default="", repr=False)
    preferred_login: str = field(default="", repr=False)
    groups: frozenset[str] = frozenset()


def read_issuers(setting: str) -> tuple[Issuer, ...]:
    """Return the issuers of a setting: JSON, or the path of a file that holds it.

    Raises ValueError, whose words name the issuer and the field that are wrong and hold no value.
    """
    text = setting.strip()
    if text and text[0] not in "[{":
        text = _read_file(Path(text), "names a file that cannot be read")
    if not text:
        return ()
    try:
        listed = json.loads(text)
    except ValueError:
        message = "is neither a JSON list of issuers nor the path of a file with one"
        raise ValueError(message) from None
    if not isinstance(listed, list) or len(listed) > MOST_ISSUERS:
        raise ValueError(f"must be a list of at most {MOST_ISSUERS} issuers")
    issuers = tuple(_read_issuer(number, given) for number, given in enumerate(listed, 1))
    if len({issuer.name for issuer in issuers}) < len(issuers):
        message = "names two issuers the same"
        raise ValueError(message)
    return issuers


def _read_issuer(number: int, given: Any) -> Issuer:  # noqa: ANN401 - it comes from outside
    try:
        issuer = Issuer.model_validate(given)
        if issuer.client_secret_file is not None:
            secret = _read_file(
                issuer.client_secret_file, "client_secret_file: names a file that cannot be read"
            )
            issuer = issuer.model_copy(update={"client_secret": SecretStr(secret)})
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)[0]
        words = [*map(str, found["loc"]), found["msg"].removeprefix("Value error, ")]
        raise ValueError(f"issuer {number}: {': '.join(words)}") from None
    except ValueError as error:
        raise ValueError(f"issuer {number}: {error}") from None
    if issuer.client_secret is not None and not issuer.client_secret.get_secret_value():
        raise ValueError(f"issuer {number}: client_secret: is empty")
    return issuer


def _read_file(path: Path, otherwise: str) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            return file.read(LONGEST_SETTING).strip()
    except (OSError, ValueError):
        raise ValueError(otherwise) from None
