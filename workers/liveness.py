"""Whether a worker or a dispatcher does its work, asked by the health checks of containers.

`python -m workers.liveness worker` and `python -m workers.liveness dispatcher` look at process 1,
or at the one whose id follows, and end with 0, or with 1 and a sentence. Remote control is off, so
a worker cannot be asked over the broker; what the kernel tells of its main process is looked at
instead. Linux only.
"""

import argparse
import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from webapp.adapters.database import make_engine, plan_listener
from webapp.adapters.database_errors import DATABASE_ERRORS, describe
from webapp.kit.database_url import ports_of
from webapp.services.operations import readiness
from webapp.settings import Settings

ESTABLISHED = "01"
DEFAULT_PORTS = {"redis": 6379, "rediss": 6379, "amqp": 5672, "amqps": 5671}


def fault_of_worker(process: int, settings: Settings) -> str | None:
    """Return what keeps a worker from taking jobs; None when nothing is known to.

    It wants a connection to the broker and a child that runs the jobs. That a job takes long is no
    fault.
    """
    if not _is_connected(process, _broker_ports(settings)):
        return f"Process {process} has no connection to the broker."
    children = Path(f"/proc/{process}/task/{process}/children")
    if not children.read_text(encoding="ascii").split():
        return f"Process {process} has no child to run jobs."
    return None


def fault_of_dispatcher(process: int, settings: Settings) -> str | None:
    """Return what keeps a dispatcher from its rounds; None when nothing is known to.

    It wants a connection to the database, and a heartbeat in the table of ticks. Where several run
    the heartbeat may be another's, so it tells that the whole is dispatched.
    """
    ports = _database_ports(settings)
    if ports and not _is_connected(process, ports):
        return f"Process {process} has no connection to the database."
    with Session(make_engine(settings, application_name="imprint-liveness")) as session:
        state = readiness.read_state(session)
    if not state.dispatcher_is_alive:
        return f"The last heartbeat of a dispatcher is {state.heartbeat_age} seconds old."
    return None


FAULT_OF = {"worker": fault_of_worker, "dispatcher": fault_of_dispatcher}


def main(arguments: Sequence[str]) -> int:
    """Look at one process; return the exit status of the health check."""
    parser = argparse.ArgumentParser(prog="python -m workers.liveness")
    parser.add_argument("kind", choices=sorted(FAULT_OF))
    parser.add_argument("process", type=int, nargs="?", default=1)
    options = parser.parse_args(arguments)
    try:
        fault = FAULT_OF[options.kind](options.process, Settings.from_environment())
    except OSError as error:
        fault = str(error).splitlines()[0]
    except DATABASE_ERRORS as error:
        fault = describe(error)
    if fault is not None:
        sys.stderr.write(f"{fault}\n")
    return 0 if fault is None else 1


def _broker_ports(settings: Settings) -> frozenset[int]:
    parts = [urlsplit(url) for url in settings.celery_broker_url.split(";")]
    return frozenset(part.port or DEFAULT_PORTS[part.scheme] for part in parts)


def _database_ports(settings: Settings) -> frozenset[int]:
    """Return the ports of the connection that listens; none where it may be a socket's."""
    plan = plan_listener(settings)
    parameters = {} if plan is None else plan.parameters
    hosts = parameters.get("host", "/").split(",")
    if any(host.startswith(("/", "@")) for host in hosts):
        return frozenset()
    return ports_of(parameters)


def _is_connected(process: int, ports: Collection[int]) -> bool:
    """Say whether a process has an open TCP connection to a server at one of these ports."""
    held = _inodes_of(process)
    return any(not _inodes_to_port(process, port).isdisjoint(held) for port in ports)


def _inodes_of(process: int) -> set[str]:
    """Return the inodes of the sockets that a process holds open."""
    held = set()
    for link in Path(f"/proc/{process}/fd").iterdir():
        try:
            target = str(link.readlink())
        except FileNotFoundError:
            continue
        if target.startswith("socket:["):
            held.add(target.removeprefix("socket:[").removesuffix("]"))
    return held


def _inodes_to_port(process: int, port: int) -> set[str]:
    """Return the inodes of the established connections to a remote port, as the process sees it."""
    found = set()
    for family in ("tcp", "tcp6"):
        table = Path(f"/proc/{process}/net/{family}")
        if not table.exists():
            continue
        for line in table.read_text(encoding="ascii").splitlines()[1:]:
            columns = line.split()
            remote_port = int(columns[2].rpartition(":")[2], 16)
            if columns[3] == ESTABLISHED and remote_port == port:
                found.add(columns[9])
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
