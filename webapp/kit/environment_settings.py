"""How settings are read from the environment, and what is said of those that are wrong."""

from typing import Self

from pydantic import AliasChoices, ValidationError
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource


class EnvironmentSettings(BaseSettings):
    """Settings of which each has a name `IMPRINT_…`, and some a usual name beside it."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the library's signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let an empty value hide none that the same setting has under its other name."""
        named = [
            each for each in (env_settings, dotenv_settings) if isinstance(each, EnvSettingsSource)
        ]
        for field in cls.model_fields:
            names = {name.lower() for name in cls.names_of(field)}
            full = {n for n in names if any(source.env_vars.get(n) for source in named)}
            for source in named if full else ():
                source.env_vars = {
                    name: value
                    for name, value in source.env_vars.items()
                    if value or name not in names or full == {name}
                }
        return init_settings, env_settings, dotenv_settings, file_secret_settings

    @classmethod
    def read_or_exit(cls) -> Self:
        """Read the settings, or end the process with one sentence for each that is wrong."""
        try:
            return cls()
        except ValidationError as error:
            wrong = [
                ": ".join(
                    [*map(cls._name_for, found["loc"]), found["msg"].removeprefix("Value error, ")]
                )
                for found in error.errors(include_url=False, include_input=False)
            ]
            raise SystemExit("\n".join(["Imprint's settings are wrong.", *wrong])) from None

    @classmethod
    def names_of(cls, field: str) -> list[str]:
        """Return the names of a setting in the environment, the usual one last."""
        alias = cls.model_fields[field].validation_alias
        if isinstance(alias, AliasChoices):
            return [str(name) for name in alias.choices]
        return [f"IMPRINT_{field.upper()}"]

    @classmethod
    def _name_for(cls, location: str | int) -> str:
        """Return the usual name for the one in an error, which is the first or the field's."""
        return cls.names_of(str(location).removeprefix("IMPRINT_").lower())[-1]
