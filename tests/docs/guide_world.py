"""A place in which a section of the guide is done: a copy of the tree, and a database."""

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from sqlalchemy import Engine, text

from tests.docs.guide import EXAMPLE_ID, Block, Command, pattern_of
from tests.migrations.commands import ROOT, environment
from tests.migrations.row_filler import read_schema
from tests.migrations.warm_programs import WarmProcess, start_warm
from tests.patience import HANG_SECONDS

COPIED = ("alembic", "webapp", "workers")
COPIED_FILES = (
    ".flaskenv",
    "alembic.ini",
    "rsgi.py",
    "wsgi.py",
    "celery_app.py",
    "docker-compose.yml",
)
# What Alembic says first of every command; the guide leaves it out.
PREAMBLE = re.compile(r"INFO  \[alembic\.runtime\.migration\] (Context|Will|Generating) ")
IN_CONTAINER = re.compile(
    r'docker compose (?:run|exec)(?: -v "\$PWD:(/[a-z]+):ro"| --?[A-Za-z-]+)* ([a-z-]+)(?: |$)'
)
WHOLE_DEPLOY = re.compile(r"docker compose up(?: --[a-z]+)*")
# A test ends such a command as soon as it has said what it has to say, and not before.
LIMITED = re.compile(r"timeout \d+ ")
MADE = re.compile(r"Generating (\S+\.py) \.\.\.  done")
# Such a line needs no shell: a program of the virtual environment, and its words as they stand.
PLAIN = re.compile(r"(?:flask|alembic) [^$`<>|&;()*?\[{~#\\\n]+")


@dataclass
class World:
    """Where the blocks of a section are run, one after the other.

    `program` is `flask` or `alembic`; with the latter each `flask db` is read as `alembic`.
    `programs` are folders that are searched for programs, before those of PATH.
    """

    folder: Path
    engine: Engine
    program: str
    programs: list[Path]
    revisions: set[str]
    ids: dict[str, str] = field(default_factory=dict)
    unfilled: Path | None = None
    commands_run: list[str] = field(default_factory=list)

    def prepare(self) -> None:
        """Copy what the commands need, as a repository with one commit."""
        for name in COPIED:
            shutil.copytree(ROOT / name, self.folder / name)
        for name in COPIED_FILES:
            shutil.copy(ROOT / name, self.folder)
        identity = "-c user.name=Guide -c user.email=guide@example.org"
        ignore = "echo __pycache__ > .git/info/exclude"
        commit = f"git {identity} commit -qm 'Add the project'"
        assert self.shell(f"git init -q && {ignore} && git add . && {commit}").returncode == 0

    def shell(self, line: str) -> "subprocess.CompletedProcess[str]":
        """Run a command line, with what it prints and complains of in one stream."""
        with self.begin(line) as process:
            try:
                output, _ = process.communicate(timeout=HANG_SECONDS)
            finally:
                process.kill()
        return subprocess.CompletedProcess(line, process.wait(), output)

    def begin(self, line: str) -> "subprocess.Popen[str] | WarmProcess":
        """Start a command line; a plain one in a process that has the libraries imported."""
        url = self.engine.url
        settings = environment(url.set(drivername="postgresql").render_as_string(False))
        settings |= {
            "PATH": os.pathsep.join([*map(str, self.programs), settings["PATH"]]),
            "PYTHONUNBUFFERED": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "PGHOST": str(url.host),
            "PGPORT": str(url.port),
            "PGPASSWORD": str(url.password),
        }
        if PLAIN.fullmatch(line):
            return start_warm(shlex.split(line), settings, self.folder, in_one_stream=True)
        return subprocess.Popen(
            ["bash", "-c", line],
            cwd=self.folder,
            env=settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, block: Block) -> None:
        """Run a block; AssertionError where it does not do or print what the guide says."""
        for line in block.before:
            finished = self.shell(line)
            assert finished.returncode == 0, (block.number, line, finished.stdout)
        with self._meanwhile(block.meanwhile):
            match block.kind:
                case "python":
                    self._run_body(block)
                case "diff":
                    change = self.shell(f"git apply --recount - <<'END'\n{block.text}END")
                    assert change.returncode == 0, (block.number, change.stdout)
                case "yaml":
                    for step in yaml.safe_load(block.text):
                        finished = self.shell(f"set -e\n{step['run']}")
                        assert finished.returncode == 0, (block.number, step, finished.stdout)
                case _:
                    self._run_console(block)

    def _run_console(self, block: Block) -> None:
        commands = block.commands()
        for command in commands:
            self.commands_run.append(command.line)
            line = self._translate(command.line, block)
            limited = LIMITED.match(line)
            finished = (
                self._cut_off(line[limited.end() :], command) if limited else self.shell(line)
            )
            is_last = command is commands[-1]
            fails = block.kind == "console fails" and is_last
            assert (finished.returncode != 0) == fails, (block.number, line, finished.stdout)
            self._compare(block, command, finished.stdout)

    def _cut_off(self, line: str, command: Command) -> "subprocess.CompletedProcess[str]":
        """Run what `timeout` would end, until it has printed what the guide says, and end it."""
        wanted, printed = pattern_of(command.printed, self.ids), ""
        with self.begin(line) as process:
            assert process.stdout is not None
            for said in process.stdout:
                printed += said
                if wanted.fullmatch(normalise(printed)):
                    process.terminate()
        return subprocess.CompletedProcess(line, process.wait(), printed)

    def _translate(self, line: str, block: Block) -> str:
        """Return the line that is really run: without the container, with real ids."""
        if self.program == "alembic" and block.kind != "console as written":
            line = line.replace("flask db ", "alembic ")
        line = WHOLE_DEPLOY.sub("docker compose run migrate", line)
        found = IN_CONTAINER.match(line)
        if found:
            mounted, name = found.groups()
            services = yaml.safe_load((self.folder / "docker-compose.yml").read_text())["services"]
            line = line[found.end() :] or shlex.join(services[name]["command"])
            # What is mounted in the container is this folder.
            line = line.replace(f"{mounted}/", "./") if mounted else line
        return EXAMPLE_ID.sub(lambda found: self.ids.get(found[0], found[0]), line)

    def _compare(self, block: Block, command: Command, output: str) -> None:
        printed = normalise(output)
        known = self.ids | {revision: revision for revision in self.revisions}
        expected = pattern_of(command.printed, known).fullmatch(printed)
        assert expected, f"line {block.number}: {command.line}\n{printed}"
        for name, made_id in expected.groupdict().items():
            self.ids[name.removeprefix("id_")] = made_id
        made = MADE.findall(output)
        if made:
            self.unfilled = Path(made[-1])

    def _run_body(self, block: Block) -> None:
        """Write the body in a revision, and run it up and down.

        Where the guide has just made the file it is left down, for the guide's next command to go
        up; else a file is made and left up.
        """
        is_shown = self.unfilled is not None
        if not is_shown:
            message = re.sub(r"[^a-z ]", "", block.heading.lower())
            made = self.shell(f"alembic revision -m {shlex.quote(message)}")
            assert made.returncode == 0, made.stdout
            self.unfilled = Path(MADE.findall(made.stdout)[0])
        assert self.unfilled is not None
        source = self.unfilled.read_text()
        self.unfilled.write_text(source[: source.index("def upgrade()")] + block.text)
        self.unfilled = None
        before = self._schema()
        self._move(block, "upgrade head", "downgrade -1")
        assert self._schema() == before, block.number
        self._move(block, "upgrade head", *(["downgrade -1"] if is_shown else []))

    def _move(self, block: Block, *verbs: str) -> None:
        for verb in verbs:
            finished = self.shell(f"alembic {verb}")
            assert finished.returncode == 0, (block.number, block.heading, finished.stdout)

    def _schema(self) -> list[tuple[object, ...]]:
        with self.engine.connect() as connection:
            return read_schema(connection)

    @contextmanager
    def _meanwhile(self, statements: tuple[str, ...]) -> Iterator[None]:
        """Hold a transaction open in which somebody else has run these statements."""
        with self.engine.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))
            yield


def normalise(output: str) -> str:
    """Return what a command printed as the guide shows it.

    Without empty lines and Alembic's preamble, and with the errors of `alembic`, which it says
    twice, in the words of `flask db`.
    """
    lines = []
    for line in output.splitlines():
        if not line.strip() or PREAMBLE.match(line) or line.startswith("ERROR [alembic.util"):
            continue
        if line.startswith("FAILED: "):
            line = f"ERROR [flask_migrate] Error: {line.removeprefix('FAILED: ')}"
        lines.append(line.rstrip() + "\n")
    return "".join(lines)
