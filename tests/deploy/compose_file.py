"""docker-compose.yml as the tests read it: merged, and with its variables filled in."""

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "docker-compose.yml"
DOCKERFILE = ROOT / "Dockerfile"

_VARIABLE = re.compile(r"\$\$|\$\{(?P<name>[A-Z_]+)(?P<operator>:[?-])(?P<rest>[^}]*)\}")


class MissingVariableError(Exception):
    """A variable without which Compose would refuse the file."""


def read_compose() -> dict[str, Any]:
    """Return the file as it is written, with its YAML anchors merged."""
    document: dict[str, Any] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
    return document


def services() -> dict[str, dict[str, Any]]:
    """Return the services by name."""
    found: dict[str, dict[str, Any]] = read_compose()["services"]
    return found


def own_services() -> dict[str, dict[str, Any]]:
    """Return the services that run the image of the Dockerfile."""
    return {name: service for name, service in services().items() if "build" in service}


def fill_in(value: Any, variables: Mapping[str, str]) -> Any:
    """Replace `${NAME:-default}`, `${NAME:?message}` and `$$` in all strings, as Compose does.

    Raises MissingVariableError.
    """
    if isinstance(value, dict):
        return {key: fill_in(inner, variables) for key, inner in value.items()}
    if isinstance(value, list):
        return [fill_in(inner, variables) for inner in value]
    if not isinstance(value, str):
        return value

    def replace(found: re.Match[str]) -> str:
        name = found["name"]
        if name is None:
            return "$"
        if variables.get(name):
            return variables[name]
        if found["operator"] == ":?":
            raise MissingVariableError(f"{name}: {found['rest']}")
        return found["rest"]

    return _VARIABLE.sub(replace, value)


def queues_of(service: Mapping[str, Any]) -> list[str]:
    """Return the queues that a service's command consumes; none for one that is no worker."""
    command = service.get("command", [])
    if command[:4] != ["celery", "-A", "celery_app", "worker"]:
        return []
    queues: list[str] = command[command.index("-Q") + 1].split(",")
    return queues


def seconds(duration: str) -> float:
    """Return a duration of Compose, such as 40s, in seconds."""
    assert duration.endswith("s")
    return float(duration.removesuffix("s"))


def dockerfile_instructions() -> list[tuple[str, str]]:
    """Return the Dockerfile's instructions with their arguments, continued lines joined."""
    lines = DOCKERFILE.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    kept = [line for line in lines if line.strip() and not line.startswith("#")]
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in kept]


def copied_into_image() -> list[str]:
    """Return the paths of the project that the last stage of the Dockerfile copies."""
    copied: list[str] = []
    for name, arguments in dockerfile_instructions():
        if name == "FROM":
            copied.clear()
        elif name == "COPY" and not arguments.startswith("--from="):
            copied += [path.rstrip("/") for path in shlex.split(arguments)[:-1]]
    return copied
