"""What a killed run leaves in memory is removed by the next one, and what is in use is not."""

import subprocess
import sys
from pathlib import Path

from tests.memory_folders import passing_folder

ROOT = Path(__file__).resolve().parents[2]
HOLDER = """
import sys, time
from pathlib import Path
from tests.memory_folders import passing_folder
with passing_folder(Path(sys.argv[1])) as folder:
    (folder / "data").write_text("data")
    print(folder, flush=True)
    time.sleep(600)
"""


def test_a_folder_lasts_for_as_long_as_its_process(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as holder:
        try:
            assert holder.stdout is not None
            held = Path(holder.stdout.readline().strip())
            with passing_folder(tmp_path) as own:
                assert own != held
                assert (held / "data").exists(), "It is in use."
            assert not own.exists()
        finally:
            holder.kill()
    assert (held / "data").exists(), "Nobody was there to remove it."

    with passing_folder(tmp_path):
        assert not held.exists()
