"""A linter that fails is told of, and stops nothing."""

from pathlib import Path

import pytest

from webapp.cli import pending_steps


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("exec sleep 5", "no answer: it was not done after 0.2 s"),
        ("echo 'thread main panicked'; exit 101", "no answer: it ended with 101 and without JSON"),
    ],
)
def test_a_linter_without_an_answer_is_said_to_have_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, words: str
) -> None:
    monkeypatch.setattr(pending_steps, "_SQUAWK_SECONDS", 0.2)
    program = tmp_path / "squawk"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    assert pending_steps.run_squawk(str(program), "SELECT 1") == [words]
