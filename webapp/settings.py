"""Every setting of Imprint, typed, read once from the environment by the entry points."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, AliasChoices, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import SettingsConfigDict

from webapp.kit.database_url import DatabaseUrl, parse_database_url
from webapp.kit.issuers import Issuer, read_issuers
from webapp.kit.missing_settings import (
    DATABASE_URL_IS_NOT_SET,
    HOW_TO_MAKE_A_KEY,
    SECRET_KEY_IS_NOT_SET,
)
from webapp.kit.passkey_sites import Site, check_domain, check_origins, site_of
from webapp.kit.quotas import Quotas
from webapp.kit.requirements import read_requirements
from webapp.kit.review_policy import DEFAULT_STEPS, ReviewPolicy, read_steps
from webapp.kit.roles import RoleName
from webapp.kit.search.languages import check_language
from webapp.kit.secret_keys import weakness_of
from webapp.kit.service_urls import (
    check_broker_url,
    check_redis_url,
    read_smtp_url,
)
from webapp.kit.site_settings import SiteSettings
from webapp.kit.tokens import keyed_digest
from webapp.kit.web_origins import read_origins

# Stands in for a key where IMPRINT_ENVIRONMENT=development says so, and nowhere else.
DEVELOPMENT_SECRET_KEY = "development-only-secret-key-do-not-deploy"  # noqa: S105 - refused if set


class MissingSettingError(RuntimeError):
    """A setting that this command needs is not set; the message says which and how to set it."""


class Settings(SiteSettings):
    """The configuration of one process.

    Names are prefixed `IMPRINT_` in the environment; `DATABASE_URL`, `REDIS_URL`, `SMTP_URL` and
    `SECRET_KEY` are also read under their usual names. A `.env` file in the working directory is
    read below the environment. Durations are in the unit that the name ends with.
    """

    model_config = SettingsConfigDict(
        env_prefix="IMPRINT_",
        env_file=".env",
        extra="ignore",
        frozen=True,
        populate_by_name=True,
        hide_input_in_errors=True,  # The input may hold a password.
    )

    environment: Literal["development", "production"] = "production"
    # The default is the version in pyproject.toml.
    release: str = Field(default="0.1.0", min_length=1, max_length=100)
    # What may hold a password stays out of the representation.
    database_url: str = Field(
        default="",
        validation_alias=AliasChoices("IMPRINT_DATABASE_URL", "DATABASE_URL"),
        repr=False,
    )
    redis_url: str = Field(
        default="redis://127.0.0.1:6379/0",
        validation_alias=AliasChoices("IMPRINT_REDIS_URL", "REDIS_URL"),
        repr=False,
    )
    broker_url: str = Field(default="", repr=False)
    smtp_url: str = Field(
        default="smtp://127.0.0.1:25",
        validation_alias=AliasChoices("IMPRINT_SMTP_URL", "SMTP_URL"),
        repr=False,
    )
    account_smtp_url: str = Field(default="", repr=False)
    secret_key: SecretStr = Field(
        default=SecretStr(""),
        validation_alias=AliasChoices("IMPRINT_SECRET_KEY", "SECRET_KEY"),
    )
    former_secret_key: SecretStr = SecretStr("")

    new_account_role: RoleName = RoleName.READER
    access_token_days: int = Field(default=30, ge=1, le=365)
    access_token_idle_days: int = Field(default=14, ge=0, le=365)
    api_key_days: int = Field(default=365, ge=1, le=3_650)
    mail_to_unproven: bool = True
    content_heir: str = ""
    export_hours: int = Field(default=72, ge=1, le=720)
    account_deletion_days: int = Field(default=14, ge=0, le=365)
    unverified_accounts: Literal["everything", "read", "nothing"] = "everything"
    keep_unverified_account_days: int = Field(default=0, ge=0, le=36_500)
    second_factor_roles: str = ""
    # The language of items that name none, as `de`; simple is searched by whole words.
    search_language: Annotated[str, AfterValidator(check_language)] = "simple"
    review_steps: str = DEFAULT_STEPS
    approval_required_roles: str = ""
    review_link_hours: int = Field(default=720, ge=1, le=8_760)
    retracted: Literal["stub", "gone"] = "gone"
    required_fields: str = ""
    checks_refuse: bool = False
    passkey_domain: Annotated[str, AfterValidator(check_domain)] = ""
    # What it is checked against may be set where it is not.
    passkey_origins: str = Field(default="", validate_default=True)
    password_reset_minutes: int = Field(default=30, ge=1, le=60)
    oidc_issuers: str = Field(default="", repr=False)
    password_sign_in: bool = True
    rate_limits: bool = True
    trusted_proxies: int = Field(default=0, ge=0, le=5)
    cors_origins: str = ""
    # A year, as ASVS 3.4.1 asks for.
    hsts_seconds: int = Field(default=31_536_000, ge=0, le=315_360_000)
    max_body_bytes: int = Field(default=4 * 1024 * 1024, ge=1024)
    body_seconds: float = Field(default=20, gt=0)

    quota_drafts: int = Field(default=1_000, ge=0)
    quota_saves_a_day: int = Field(default=5_000, ge=0)
    quota_bytes_a_day: int = Field(default=268_435_456, ge=0)
    quota_follows: int = Field(default=2_000, ge=0)
    quota_sessions: int = Field(default=50, ge=0)
    quota_api_keys: int = Field(default=20, ge=0)
    keep_activity_days: int = Field(default=400, ge=0, le=36_500)
    keep_all_versions_days: int = Field(default=0, ge=0, le=36_500)
    keep_daily_versions_days: int = Field(default=365, ge=0, le=36_500)
    keep_mail_delivery_days: int = Field(default=100, ge=0, le=36_500)
    keep_ended_session_days: int = Field(default=30, ge=1, le=36_500)

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["json", "console"] = "json"
    prometheus_multiproc_dir: Path | None = Field(
        default=None, validation_alias=AliasChoices("PROMETHEUS_MULTIPROC_DIR")
    )

    lease_seconds: float = Field(default=30, gt=0)
    worker_stop_seconds: float = Field(default=20, ge=0)
    redispatch_seconds: float = Field(default=5, gt=0)
    dispatcher_poll_seconds: float = Field(default=0.2, gt=0)
    missed_schedule_seconds: float = Field(default=3600, gt=0)
    rehearse_minutes: int = Field(default=15, ge=0, le=1_440)
    statement_timeout_seconds: float = Field(default=15, gt=0)
    database_pool_size: int = Field(default=5, ge=1)
    database_pooler: Literal["none", "transaction"] = "none"
    database_direct_url: str = Field(default="", repr=False)
    backup_dir: str = ""
    rendering_processes: int = Field(default=2, ge=1, le=64)
    rendering_cpu_seconds: int = Field(default=15, ge=1, le=120)
    rendering_memory_bytes: int = Field(default=1_073_741_824, ge=268_435_456)
    rendering_output_bytes: int = Field(default=33_554_432, ge=1_048_576)
    rendering_wait_seconds: float = Field(default=10, ge=0, le=60)

    @field_validator("database_url", "database_direct_url")
    @classmethod
    def _check_database_url(cls, url: str) -> str:
        """Keep the one spelling that all readers agree on."""
        return parse_database_url(url).text if url else url

    @field_validator("redis_url")
    @classmethod
    def _check_redis_url(cls, url: str) -> str:
        check_redis_url(url)
        return url

    @field_validator("broker_url")
    @classmethod
    def _check_broker_url(cls, url: str) -> str:
        if url:
            check_broker_url(url)
        return url

    @field_validator("smtp_url", "account_smtp_url")
    @classmethod
    def _check_smtp_url(cls, url: str, info: ValidationInfo) -> str:
        if url or info.field_name == "smtp_url":
            read_smtp_url(url)
        return url

    @field_validator("cors_origins", "oidc_issuers", "review_steps", "required_fields")
    @classmethod
    def _check_readable(cls, setting: str, info: ValidationInfo) -> str:
        readers: dict[str | None, Callable[[str], object]] = {
            "cors_origins": read_origins, "oidc_issuers": read_issuers, "review_steps": read_steps,
            "required_fields": read_requirements,
        }  # fmt: skip
        readers[info.field_name](setting)
        return setting

    @field_validator("new_account_role")
    @classmethod
    def _check_new_account_role(cls, role: RoleName) -> RoleName:
        """Refuse what would let anybody who registers change what others have published."""
        if not RoleName.AUTHOR.includes(role):
            message = "must be reader or author: whoever registers gets it; give others by hand"
            raise ValueError(message)
        return role

    @field_validator("second_factor_roles", "approval_required_roles")
    @classmethod
    def _check_roles(cls, roles: str) -> str:
        """Keep the roles as one text, with commas and nothing else between them."""
        names = [name.strip() for name in roles.split(",") if name.strip()]
        unknown = [name for name in names if name not in RoleName.__members__.values()]
        if unknown:
            known = ", ".join(RoleName)
            raise ValueError(f"{', '.join(unknown)}: must be names of roles, of {known}")
        return ",".join(names)

    @field_validator("passkey_origins")
    @classmethod
    def _check_passkey_origins(cls, origins: str, info: ValidationInfo) -> str:
        # What is wrong itself is not in `data`, and is told of by itself.
        if info.data.keys() >= {"passkey_domain", "base_url"}:
            check_origins(origins, info.data["passkey_domain"], info.data["base_url"])
        return origins

    @field_validator("password_sign_in")
    @classmethod
    def _keep_a_door(cls, allowed: bool, info: ValidationInfo) -> bool:
        """Refuse to close the door of passwords where there is no other."""
        if not allowed and not read_issuers(info.data.get("oidc_issuers", "")):
            message = "must be true where IMPRINT_OIDC_ISSUERS names no issuer"
            raise ValueError(message)
        return allowed

    @field_validator("secret_key")
    @classmethod
    def _refuse_guessable_key(cls, key: SecretStr) -> SecretStr:
        """Refuse a key that is set and could be guessed; white space around it is no part of it."""
        stripped = key.get_secret_value().strip()
        if not key.get_secret_value():
            return key
        if (weakness := weakness_of(stripped)) is not None:
            raise ValueError(f"{weakness}; {HOW_TO_MAKE_A_KEY}")
        return SecretStr(stripped)

    @classmethod
    def from_environment(cls, *, needs_secret_key: bool = False) -> Self:
        """Read the settings, or end the process with one sentence for each that is wrong.

        A missing secret key is wrong only for a process that needs one.
        """
        settings = cls.read_or_exit()
        try:
            if needs_secret_key:
                settings.require_secret_key()
        except MissingSettingError as error:
            raise SystemExit(str(error)) from None
        return settings

    def database(self) -> DatabaseUrl:
        """Return where the database is. Raises MissingSettingError when `DATABASE_URL` is not set.

        Whoever connects takes the parameters of this value, and none reads the URL again.
        """
        if not self.database_url:
            raise MissingSettingError(DATABASE_URL_IS_NOT_SET)
        return parse_database_url(self.database_url)

    def direct_database(self) -> DatabaseUrl | None:
        """Return how PostgreSQL itself is reached, past any pooler; None when nothing says.

        Raises MissingSettingError when `DATABASE_URL` is not set.
        """
        if self.database_direct_url:
            return parse_database_url(
                self.database_direct_url, *self.names_of("database_direct_url")
            )
        return self.database() if self.database_pooler == "none" else None

    def require_secret_key(self) -> str:
        """Return the secret key; in development one that everybody knows, unless one is set.

        Raises MissingSettingError when there is none.
        """
        if key := self.secret_key.get_secret_value():
            return key
        if self.environment == "development":
            return DEVELOPMENT_SECRET_KEY
        raise MissingSettingError(SECRET_KEY_IS_NOT_SET)

    @property
    def secret_keys(self) -> tuple[str, ...]:
        """The secret key, and the former one, under which something may still be sealed.

        Raises MissingSettingError when there is none.
        """
        former = self.former_secret_key.get_secret_value().strip()
        return (self.require_secret_key(), *([former] if former else []))

    @property
    def passkey_site(self) -> Site:
        """Where passkeys are good: of the public address, unless the settings say otherwise."""
        return site_of(self.passkey_domain, self.passkey_origins, self.base_url)

    @property
    def uses_development_key(self) -> bool:
        """Whether the secret key is the one that everybody knows."""
        return self.environment == "development" and not self.secret_key.get_secret_value()

    def quotas_of(self, role: RoleName) -> Quotas:
        """Return the bounds of an account; editors and above write without any."""
        if role.includes(RoleName.EDITOR):
            return Quotas(follows=self.quota_follows)
        return Quotas(
            drafts=self.quota_drafts,
            saves_a_day=self.quota_saves_a_day,
            bytes_a_day=self.quota_bytes_a_day,
            follows=self.quota_follows,
        )

    def wants_second_factor(self, role: RoleName) -> bool:
        """Say whether an account of this role has to have a second factor."""
        return self.password_sign_in and role.value in self.second_factor_roles.split(",")

    @property
    def review_policy(self) -> ReviewPolicy:
        """What reviews need, and whose publications need one."""
        roles = filter(None, self.approval_required_roles.split(","))
        return ReviewPolicy(read_steps(self.review_steps), frozenset(map(RoleName, roles)))

    def issuers(self) -> tuple[Issuer, ...]:
        """Return those who may say who somebody is, with their secrets, in the order given."""
        return read_issuers(self.oidc_issuers)

    @property
    def cors_allowed_origins(self) -> frozenset[str]:
        """The origins whose pages may read answers; `*` stands for every one."""
        return read_origins(self.cors_origins)

    def message_id(self, *parts: str) -> str:
        """Return the Message-ID of the mail that `parts` name; a second copy of it has the same.

        It is a keyed digest, so it tells no number of a job, an event or a reader.
        """
        digest = keyed_digest(self.require_secret_key().encode(), "message_id", *parts)
        return f"<{digest[:32]}@{self.mail_domain}>"

    @property
    def celery_broker_url(self) -> str:
        """The broker's URL: Redis unless `IMPRINT_BROKER_URL` names another (amqp://…)."""
        return self.broker_url or self.redis_url
