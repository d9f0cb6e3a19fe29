"""An import renders while no transaction is open, and only what is made public."""

from pathlib import Path

import pytest
from flask.testing import FlaskCliRunner
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session, sessionmaker

from tests.cli.test_import import admin, run
from webapp.adapters.rendering import Rendered, RenderingProcesses
from webapp.models import Publication, Rendering, User

__all__ = ["admin"]

POST = '+++\ntitle = "{0}"\ndate = 2020-01-01\nauthors = ["Anna"]\n{1}+++\nText *{0}*.\n'
LEFT_OPEN = "".join(f'<b title="{n}">' for n in range(700)) + "<p>x" * 1500
POSTS = 60


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Posts for three transactions, one of them a draft and one that cannot be rendered."""
    root = tmp_path / "blog"
    root.mkdir()
    for number in range(POSTS):
        (root / f"{number:03}.md").write_text(POST.format(number, ""))
    (root / "020.md").write_text(POST.format(20, "draft = true\n"))
    (root / "030.md").write_text(POST.format(30, "") + LEFT_OPEN)
    return root


@pytest.fixture
def open_transactions(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many transactions of commands were open at each rendering."""
    counted: list[int] = []
    render = RenderingProcesses.render

    def counting(self: RenderingProcesses, body_format: str, body: str) -> Rendered:
        with engine.connect() as connection:
            statement = text(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                "AND application_name = 'imprint-command' AND xact_start IS NOT NULL"
            )
            counted.append(connection.scalar(statement) or 0)
        return render(self, body_format, body)  # type: ignore[arg-type]

    monkeypatch.setattr(RenderingProcesses, "render", counting)
    return counted


@pytest.mark.usefixtures("admin")
def test_an_import_renders_each_public_text_once_and_holds_no_transaction_meanwhile(
    commands: FlaskCliRunner,
    sessions: sessionmaker[Session],
    folder: Path,
    open_transactions: list[int],
) -> None:
    result = run(commands, folder, "--publish")
    assert "created" in result.output
    assert "Close them where they end." in result.stderr
    assert result.stderr.count("030.md") == 1
    assert open_transactions == [0] * (POSTS - 1)
    with sessions() as session:
        for table in (Publication, Rendering):
            assert session.scalar(select(func.count()).select_from(table)) == POSTS - 2

    again = run(commands, folder, "--publish")
    assert f"unchanged    {POSTS - 1:>6}" in again.output
    assert len(open_transactions) == POSTS  # The refused one alone is tried again.


@pytest.mark.usefixtures("admin")
def test_a_run_that_changes_nothing_tells_of_all_batches_and_holds_no_transaction(
    commands: FlaskCliRunner,
    sessions: sessionmaker[Session],
    folder: Path,
    open_transactions: list[int],
) -> None:
    for number in (0, 59):
        (folder / f"{number:03}.md").write_text(POST.format(1, ""))
    dry = run(commands, folder, "--publish", "--dry-run")
    assert set(open_transactions) == {0}
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(User)) == 1
        assert session.scalar(select(func.count()).select_from(Publication)) == 0
    wet = run(commands, folder, "--publish")
    lines = [line for line in dry.output.splitlines() if not line.startswith("Nothing was changed")]
    assert lines == wet.output.splitlines()
