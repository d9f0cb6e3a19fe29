"""docker-compose.yml and the Dockerfile keep their promises, as far as reading them can tell.

`compose-spec.json` is the Compose specification's own schema, kept here so that no test needs the
network; it is under the licence beside it (Apache 2.0) and is not changed.
"""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from jsonschema import Draft202012Validator

from dev.programs import WORKER_QUEUES
from tests.deploy.compose_file import (
    ROOT,
    MissingVariableError,
    copied_into_image,
    dockerfile_instructions,
    fill_in,
    own_services,
    queues_of,
    read_compose,
    seconds,
    services,
)
from tests.deploy.database_roles import APP_ROLE
from tests.deploy.database_roles import FILE as ROLES
from webapp.jobs.queues import Queue
from webapp.settings import Settings

SCHEMA = Path(__file__).with_name("compose-spec.json")
SECRETS = {
    "SECRET_KEY": "k" * 32,
    "POSTGRES_PASSWORD": "one-password",
    "POSTGRES_APP_PASSWORD": "app-password",
    "REDIS_PASSWORD": "another-password",
    "SMTP_URL": "smtp://mailpit:1025",
}
OWN = set(own_services())
WORKERS = [name for name, service in services().items() if queues_of(service)]
LONG_RUNNING = [name for name, service in services().items() if service["restart"] != "no"]


def test_the_file_fits_the_specification() -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)

    wrong = list(Draft202012Validator(schema).iter_errors(fill_in(read_compose(), SECRETS)))

    assert [f"{error.json_path}: {error.message}" for error in wrong] == []


@pytest.mark.parametrize("secret", SECRETS)
def test_it_does_not_start_without_its_secrets(secret: str) -> None:
    given = {name: value for name, value in SECRETS.items() if name != secret}
    with pytest.raises(MissingVariableError, match=secret):
        fill_in(read_compose(), given)


def test_no_secret_stands_in_the_file() -> None:
    for name, service in services().items():
        for variable, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|AUTH", variable):
                assert value.startswith("${") or not value, f"{name}: {variable}"
            password = urlsplit(fill_in(value, SECRETS)).password
            assert password in {None, *SECRETS.values()}, f"{name}: {variable}"


def test_every_queue_has_exactly_one_consumer() -> None:
    consumed = Counter(queue for service in services().values() for queue in queues_of(service))
    assert consumed == {queue.value: 1 for queue in Queue}
    assert queues_of(services()["worker-accounts"]) == ["accounts"]


def test_the_workers_are_those_of_make_run() -> None:
    here = {name.removeprefix("worker-"): ",".join(queues_of(services()[name])) for name in WORKERS}
    assert here == WORKER_QUEUES


@pytest.mark.parametrize("name", services())
def test_nothing_runs_as_root_or_could_become_it(name: str) -> None:
    service = services()[name]
    assert service["user"].partition(":")[0] not in {"", "0", "root"}
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.get("privileged", False)


def test_what_serves_has_the_rights_to_rows_and_no_other_password() -> None:
    for name, service in own_services().items():
        environment = fill_in(service["environment"], SECRETS)
        owner, password = ("imprint", SECRETS["POSTGRES_PASSWORD"])
        if name != "migrate":
            owner, password = (APP_ROLE, SECRETS["POSTGRES_APP_PASSWORD"])
        address = urlsplit(environment["DATABASE_URL"])
        assert (address.username, address.password) == (owner, password), name
        # `.env` holds it for all of them, unless it is set to something else here.
        assert environment["POSTGRES_PASSWORD"] == "", name
    mounted = [line.split(":") for line in services()["db"]["volumes"] if line.startswith("./")]
    assert mounted == [
        [f"./deploy/{ROLES.name}", f"/docker-entrypoint-initdb.d/{ROLES.name}", "ro"]
    ]
    assert "POSTGRES_APP_PASSWORD" in services()["db"]["environment"]


def test_networks_keep_apart_what_has_no_business_with_each_other() -> None:
    document = read_compose()
    members: dict[str, set[str]] = {name: set() for name in document["networks"]}
    for name, service in services().items():
        for network in service["networks"]:
            members[network].add(name)
    mailers = {name for name in WORKERS if {"accounts", "mail"} & set(queues_of(services()[name]))}
    assert members == {
        "public": {"proxy"},
        "edge": {"proxy", "web"},
        "data": {"db", "redis", *own_services()},
        "mail": {"mailpit", *mailers},
    }
    internal = {name for name, network in document["networks"].items() if network.get("internal")}
    assert internal == {"edge", "data"}


@pytest.mark.parametrize("name", [*own_services(), "proxy"])
def test_no_process_may_write_files_but_temporary_ones(name: str) -> None:
    service = services()[name]
    assert service["read_only"] is True
    paths = [each.partition(":")[0] for each in service["tmpfs"]]
    assert paths == ["/tmp", "/run/metrics"] if name == "web" else paths == ["/tmp"]


def test_every_image_is_named_down_to_its_release() -> None:
    images = [service["image"] for name, service in services().items() if name not in OWN]
    images += [
        arguments.split()[0] for word, arguments in dockerfile_instructions() if word == "FROM"
    ]
    assert len(images) == 6
    for image in images:
        # PostgreSQL's releases have two parts, those of the others three.
        parts = 2 if image.startswith("postgres:") else 3
        assert re.search(r":v?" + r"\.".join([r"\d+"] * parts) + r"(-|$)", image), image


@pytest.mark.parametrize("name", LONG_RUNNING)
def test_what_runs_is_checked_and_started_again(name: str) -> None:
    service = services()[name]
    assert service["restart"] == "unless-stopped"
    check = service["healthcheck"]
    assert check["test"][0] in {"CMD", "CMD-SHELL"}
    assert seconds(check["timeout"]) < seconds(check["interval"])


def test_only_the_migrations_are_one_shot_and_the_rest_waits_for_them() -> None:
    assert set(services()) - set(LONG_RUNNING) == {"migrate"}
    assert services()["migrate"]["command"] == ["flask", "db", "upgrade"]
    assert services()["migrate"]["depends_on"] == {"db": {"condition": "service_healthy"}}
    for name in set(own_services()) - {"migrate"}:
        needed: dict[str, Any] = services()[name]["depends_on"]
        assert needed["migrate"] == {"condition": "service_completed_successfully"}, name


def test_a_worker_is_asked_to_stop_in_the_way_that_ends_in_time() -> None:
    for name in WORKERS:
        service = services()[name]
        assert service["stop_signal"] == "SIGTERM"
        grace = Settings(_env_file=None).worker_stop_seconds
        assert seconds(service["stop_grace_period"]) >= 2 * grace


def test_only_the_proxy_and_the_mail_page_are_published() -> None:
    published = {name for name, service in services().items() if "ports" in service}
    assert published == {"proxy", "mailpit"}
    for name in published:
        (port,) = fill_in(services()[name]["ports"], {})
        assert port.startswith("127.0.0.1:")


@pytest.mark.parametrize("name", services())
def test_no_log_grows_without_end(name: str) -> None:
    options = services()[name]["logging"]["options"]
    assert options["max-size"]
    assert int(options["max-file"]) > 0


def test_the_api_trusts_the_one_proxy_in_front_of_it() -> None:
    assert services()["web"]["environment"]["IMPRINT_TRUSTED_PROXIES"] == "1"
    assert "ports" not in services()["web"]


def test_the_broker_keeps_nothing_and_evicts_nothing() -> None:
    command = services()["redis"]["command"][-1]
    assert "--maxmemory-policy noeviction" in command
    assert '--save ""' in command
    assert "--requirepass" in command


def test_the_image_runs_as_a_user_and_holds_no_tools() -> None:
    instructions = dockerfile_instructions()
    last_stage = max(index for index, (name, _) in enumerate(instructions) if name == "FROM")
    last = instructions[last_stage:]
    assert ("USER", own_services()["web"]["user"]) in last
    assert ("STOPSIGNAL", "SIGTERM") in last
    run = [arguments for name, arguments in last if name == "RUN"]
    assert not [line for line in run if re.search(r"\b(pip|apt-get|apt|gcc)\b", line)]
    install = next(arguments for name, arguments in instructions if "install" in arguments)
    assert "--require-hashes" in install
    assert install.split()[-1] == "/build/runtime.txt"


def test_the_build_sees_just_what_it_copies() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    let_in = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    assert let_in == {*copied_into_image(), "requirements/runtime.txt"}
    assert [path for path in let_in if not (ROOT / path).exists()] == []
