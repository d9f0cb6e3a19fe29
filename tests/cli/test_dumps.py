"""What counts as a backup: what pg_dump writes, and nothing else that lies beside it."""

import os
import subprocess
from pathlib import Path

import pytest

from dev.postgres import PostgresServer
from dev.postgres_data import find_programs
from webapp.adapters.dumps import find_newest_dump


def age(path: Path, hours: float) -> None:
    """Make a file or folder as old as this."""
    changed_at = path.stat().st_mtime - hours * 3600
    os.utime(path, (changed_at, changed_at))


@pytest.mark.parametrize("kind", ["custom", "directory", "tar", "plain"])
def test_what_pg_dump_writes_is_a_dump(
    postgres: PostgresServer, template: str, tmp_path: Path, kind: str
) -> None:
    programs = os.environ.get("IMPRINT_TEST_POSTGRES_BIN") or find_programs()
    place = tmp_path / "dumped"
    command = [f"{programs}/pg_dump", f"--format={kind}", f"--file={place}", "--schema-only"]
    subprocess.run([*command, postgres.url(template)], check=True)
    for where in (place, tmp_path):
        found = find_newest_dump(where)
        assert found is not None
        assert found.path == place


@pytest.mark.parametrize("name", ["imprint.sql.gz", "imprint.zst"])
def test_a_compressed_dump_is_known_by_its_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    assert find_newest_dump(tmp_path) is None
    (tmp_path / name).write_bytes(b"\x1f\x8b\x08")
    assert find_newest_dump(tmp_path) is not None


def test_what_lies_beside_a_dump_is_none_itself(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "notes.txt").write_text("-- the PostgreSQL server was moved\n")
    (tmp_path / "backup.log").write_text("pg_dump: error: connection failed\n")
    (tmp_path / "empty.dump").touch()
    (tmp_path / ".hidden.dump").write_text("PGDMP")
    (tmp_path / "gone.dump").symlink_to(tmp_path / "nowhere")
    assert find_newest_dump(tmp_path) is None
    assert find_newest_dump(tmp_path / "backup.log") is None
    dumps = [tmp_path / "new.dump", tmp_path / "old.dump"]
    for hours, dump in enumerate(dumps, start=1):
        dump.write_text("PGDMP")
        age(dump, hours)
    found = find_newest_dump(tmp_path)
    assert found is not None
    assert (found.path, round(found.age_hours)) == (dumps[0], 1)
