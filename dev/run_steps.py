"""The parts of `make run` in their order: servers, migrations, demo, processes, and the watch."""

import http.client
import itertools
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from dev.ports import LOOPBACK, free_port
from dev.postgres import PostgresServer
from dev.process import log_tail
from dev.programs import programs
from dev.redis import RedisServer
from dev.run_facts import run_facts, summary
from dev.run_folder import RunFolder
from dev.run_options import SERVERS, RunError, RunOptions, child_environment, imprint_environment
from dev.stop_signal import StopRequestedError, StopSignal
from dev.supervisor import Supervisor

PROJECT = Path(__file__).resolve().parent.parent
DATABASE = "imprint"
DEMO_LOGIN = "admin"
_POLL_SECONDS = 0.25
_ANSWER_SECONDS = 30.0
# How often one process may end while all of them start; supervisord starts it again.
_ENDS_BORNE = 3
# After so many questions a slow start says what it waits for.
_QUESTIONS_BETWEEN_WORDS = 80
_COMMAND_POLL_SECONDS = 0.05
_WATCH_SECONDS = 1.0


def say(text: str, end: str = "\n") -> None:
    """Print at once; a terminal that has gone away must not keep the servers from being stopped."""
    with suppress(OSError):
        print(text, end=end, flush=True)


@contextmanager
def progress(step: str) -> Iterator[None]:
    """Print the name of a step, and `ok` when it is done."""
    say(f"{step} … ", end="")
    try:
        yield
    except BaseException:
        say("")
        raise
    say("ok")


class Run:
    """One `make run`, from its checks to its end."""

    def __init__(
        self, folder: RunFolder, options: RunOptions, stack: ExitStack, stop: StopSignal
    ) -> None:
        """Take the stack that will hold what has to be undone at the end, in reverse order."""
        self._folder = folder
        self._options = options
        self._stack = stack
        self._stop = stop
        self._ports = folder.last_ports()
        self._servers: list[PostgresServer | RedisServer] = []

    def start(self) -> Supervisor:
        """Start everything and return when the API is ready.

        Raises RunError or ServerError, and StopRequestedError when asked to stop meanwhile.
        """
        settings = imprint_environment(
            self._options,
            database_url=self._options.database_url or self._start_postgres(),
            redis_url=self._options.redis_url or self._start_redis(),
            smtp_url=self._options.smtp_url or f"smtp://{LOOPBACK}:{self._port('mail')}",
            secret_key=self._folder.secret_key(),
        )
        self._folder.keep_ports(self._ports)
        replaced = self._options.replaced
        self._folder.keep_own_servers(
            {name: settings[name] for name in SERVERS if name not in replaced}
        )
        environment = child_environment(settings)
        password = self._folder.demo_password()
        self._flask("Applying the migrations", "migrate", ["db", "upgrade"], environment)
        seed = ["demo", "seed", "--login", DEMO_LOGIN, "--password", password]
        self._flask("Preparing the demo", "seed", seed, environment)
        supervisor = self._start_processes(environment)
        facts = run_facts(
            self._folder,
            settings,
            self._options.url,
            DEMO_LOGIN,
            password,
            keeps_mail=self._options.smtp_url is None,
        )
        self._stack.callback(self._folder.withdraw)
        self._folder.publish(facts, settings)
        say(summary(facts))
        return supervisor

    def watch(self, supervisor: Supervisor) -> None:
        """Start an embedded server again when it ends, until StopRequestedError is raised.

        Raises RunError when supervisord ends.
        """
        while supervisor.is_running():
            for server in self._servers:
                if not server.is_running():
                    name = type(server).__name__.removesuffix("Server")
                    with progress(f"{name} ended; starting it again"):
                        server.start()
            self._stop.pause(_WATCH_SECONDS)
        raise RunError(f"supervisord ended:\n{log_tail(self._folder.log('supervisord'))}")

    def _port(self, name: str) -> int:
        self._ports[name] = free_port(self._ports.get(name))
        return self._ports[name]

    def _start_postgres(self) -> str:
        server = PostgresServer(
            self._folder.postgres,
            durable=True,
            port=self._port("postgres"),
            log_path=self._folder.log("postgres"),
        )
        with progress("Starting PostgreSQL"):
            self._adopt(server)
            if not server.has_database(DATABASE):
                server.create_database(DATABASE)
        return server.url(DATABASE)

    def _start_redis(self) -> str:
        server = RedisServer(
            self._folder.redis, port=self._port("redis"), log_path=self._folder.log("redis")
        )
        with progress("Starting Redis"):
            self._adopt(server)
        return server.url

    def _adopt(self, server: PostgresServer | RedisServer) -> None:
        # The stop is arranged first, because a start that fails half-way needs it too.
        self._stack.callback(server.stop)
        server.start()
        self._stop.check()
        self._servers.append(server)

    def _flask(
        self, step: str, log_name: str, arguments: Sequence[str], environment: dict[str, str]
    ) -> None:
        path = self._folder.log(log_name)
        command = [sys.executable, "-m", "flask", *arguments]
        with progress(step), path.open("wb") as log:
            process = subprocess.Popen(
                command,
                cwd=PROJECT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            with process:
                self._wait_for(process)
            if process.returncode != 0:
                name = " ".join(["flask", *arguments[:2]])
                raise RunError(f"`{name}` failed; the end of {path}:\n{log_tail(path)}")

    def _wait_for(self, process: subprocess.Popen[bytes]) -> None:
        try:
            while process.poll() is None:
                self._stop.pause(_COMMAND_POLL_SECONDS)
        except StopRequestedError:
            process.kill()
            raise

    def _start_processes(self, environment: dict[str, str]) -> Supervisor:
        mail_port = None if self._options.smtp_url else self._ports["mail"]
        relative = self._folder.path.relative_to(PROJECT)
        supervisor = Supervisor(
            programs(self._options.port, mail_port, relative / self._folder.mail.name),
            folder=PROJECT,
            configuration_path=relative / "supervisord.conf",
            logs=relative / self._folder.logs.name,
            environment=environment,
        )
        with progress("Starting the API, the workers and the dispatcher"):
            self._stack.callback(supervisor.stop)
            supervisor.start()
            self.wait_until_ready(supervisor)
        return supervisor

    def wait_until_ready(self, supervisor: Supervisor) -> None:
        """Wait for as long as the processes live, however slow the machine; Ctrl-C ends it.

        Raises RunError where supervisord ends, or a process again and again.
        """
        answer = "nothing was asked"
        for question in itertools.count(1):
            if not supervisor.is_running() or supervisor.most_ends() >= _ENDS_BORNE:
                break
            status, answer = _ask(self._options.port, "/ready")
            if status == http.client.OK:
                return
            if question % _QUESTIONS_BETWEEN_WORDS == 0:
                say(f"\n  not ready yet: {answer.strip()}\n  … ", end="")
            self._stop.pause(_POLL_SECONDS)
        tails = [
            f"--- {self._folder.log(name)}\n{log_tail(self._folder.log(name))}"
            for name in ("web", "dispatcher", "supervisord")
        ]
        raise RunError("\n".join([f"The API did not become ready: {answer}", *tails]))


def _ask(port: int, path: str) -> tuple[int, str]:
    # Not urllib, which would send this to a proxy where the environment names one.
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=_ANSWER_SECONDS)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        return 0, str(error)
    finally:
        connection.close()
