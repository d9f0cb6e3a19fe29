"""What the pages say of the settings is what webapp/settings.py says."""

import re
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.deploy.compose_file import COMPOSE
from webapp.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
ROW = re.compile(
    r"^\| `(?P<name>[A-Z_]+)` \| (?:`(?P<default>.*?)`)? *\| (?P<meaning>.+) \|$", re.M
)
LINE = re.compile(r"^#(?P<name>[A-Z_]+)=(?P<default>.*)$", re.M)


def default_of(field: str) -> str:
    """Return a setting's default as one would write it in the environment."""
    default = Settings.model_fields[field].default
    if default is None:
        return ""
    if isinstance(default, SecretStr):
        return default.get_secret_value()
    if isinstance(default, bool):
        return str(default).lower()
    return str(default)


EXPECTED = {Settings.names_of(field)[-1]: default_of(field) for field in Settings.model_fields}


def test_the_table_of_operations_holds_every_setting_with_its_default() -> None:
    rows = {row["name"]: row["default"] or "" for row in ROW.finditer(OPERATIONS)}
    assert rows == EXPECTED


def test_the_example_holds_every_setting_with_its_default_and_a_line_of_words() -> None:
    settings, compose = EXAMPLE.split("# What follows is read by docker-compose.yml alone.")
    lines = {line["name"]: line["default"] for line in LINE.finditer(settings)}
    assert lines == EXPECTED
    for name in lines:
        before = settings.partition(f"#{name}=")[0].splitlines()[-1]
        assert re.match(r"# \w", before), f"{name} is not explained"

    read = re.findall(r"\$\{([A-Z_]+):", COMPOSE.read_text(encoding="utf-8"))
    assert {line["name"] for line in LINE.finditer(compose)} == set(read) - set(EXPECTED)


def test_the_example_is_read_as_the_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / ".env"
    given = [line[0][1:] for line in LINE.finditer(EXAMPLE)]
    # An empty folder name would be this folder, so this one has no way to be written down.
    file.write_text("\n".join(line for line in given if not line.startswith("PROMETHEUS")))
    assert Settings(_env_file=file) == Settings(_env_file=None)
    file.write_text("IMPRINT_LEASE_SECONDS=31\n")
    assert Settings(_env_file=file).lease_seconds == 31
    monkeypatch.setenv("IMPRINT_LEASE_SECONDS", "32")
    assert Settings(_env_file=file).lease_seconds == 32
