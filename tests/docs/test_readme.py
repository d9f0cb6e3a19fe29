"""The README's shell blocks are run as they stand, by a plain shell, against `make run`."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from signal import Signals

import pytest

from dev.ports import free_port
from dev.process import TetheredProcess, log_tail
from tests.patience import HANG_SECONDS

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PARTS = ("dev", "webapp", "workers", "alembic")
FILES = (".flaskenv", "alembic.ini", "rsgi.py", "wsgi.py", "celery_app.py")


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """A copy of the project, in a folder with a space in its name, where `make run` runs."""
    folder = tmp_path / "a copy"
    for name in PARTS:
        shutil.copytree(ROOT / name, folder / name)
    for name in FILES:
        shutil.copy(ROOT / name, folder / name)
    log = tmp_path / "run.log"
    run = TetheredProcess(
        [sys.executable, "-m", "dev.run"],
        log_path=log,
        farewell=Signals.SIGTERM,
        grace_seconds=HANG_SECONDS,
        environment={**os.environ, "PORT": str(free_port())},
        folder=folder,
    )
    try:
        deadline = time.monotonic() + HANG_SECONDS
        while not (folder / "var" / "run.json").exists():
            assert run.is_running(), log_tail(log)
            assert time.monotonic() < deadline, log_tail(log)
            time.sleep(0.1)
        yield folder
    finally:
        status = run.end(Signals.SIGTERM, HANG_SECONDS)
    assert status == 0, log_tail(log)


@pytest.mark.long
def test_the_walk_does_what_it_says(project: Path) -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    script = "set -eu\n" + 'echo "=== block"\n'.join(blocks)

    walk = subprocess.run(
        ["/bin/sh", "-c", script],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=5 * HANG_SECONDS,
        check=False,
    )

    assert walk.returncode == 0, walk.stdout + walk.stderr
    _, first, reader, schedule, public, inbox, asked, end = walk.stdout.split("=== block\n")
    assert first.count('"<p>It <strong>works</strong>.</p>\\n"') == 1
    assert first.count('"title":"Hello, world"') + first.count('"title" : "Hello, world"') == 4
    assert '"role":"reader"' in reader
    assert '"target":"author"' in reader
    assert '"state":"pending"' in schedule
    assert "Nobody pressed a button." in public
    assert '"kind":"content.published","title":"On time"' in inbox
    assert re.search(r"var/mail/.*\.eml$", inbox, re.MULTILINE)
    assert "a mail is on its way" in asked
    assert end.count('"access_token"') == 1
    assert end.count('"status":401') == 3
    assert len(list((project / "var" / "mail").glob("*.eml"))) >= 2


def test_every_link_leads_to_a_file() -> None:
    for page in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")):
        text = re.sub(r"`[^`\n]+`", "", page.read_text(encoding="utf-8"))
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
