"""Rendering in a forked process: in children of its own, beside those of its parent."""

import subprocess
import sys

from tests.patience import HANG_SECONDS
from webapp.adapters.rendering import ROOT

# In a process of its own, because the test process has threads, which a fork would not take along.
# Each line that it prints begins with who prints it.
FORKING = """
import os, psutil
from webapp.adapters.rendering import rendering_processes

def children():
    return sorted(
        child.pid for child in psutil.Process().children()
        if "webapp.adapters.rendering_child" in child.cmdline()
    )

def render(text):
    return rendering_processes().render("markdown", text).html.strip()

print("parent", render("before"), children(), flush=True)
reading, writing = os.pipe()
forked = os.fork()
if not forked:
    os.close(writing)
    print("forked", render("of the fork"), children(), flush=True)
    print("forked", render("once more"), children(), flush=True)
    os.read(reading, 1)
    os._exit(0)
os.close(reading)
for number in range(20):
    assert render(f"at once {number}") == f"<p>at once {number}</p>"
os.close(writing)
assert os.waitpid(forked, 0)[1] == 0
print("parent", render("after"), children(), flush=True)
"""


def test_a_forked_process_renders_in_children_of_its_own() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", FORKING], cwd=ROOT, capture_output=True, text=True,
        timeout=HANG_SECONDS, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    lines = ran.stdout.splitlines()
    of_parent = [line for line in lines if line.startswith("parent")]
    of_fork = [line for line in lines if line.startswith("forked")]
    assert [line.partition("[")[0] for line in of_parent] == [
        "parent <p>before</p> ", "parent <p>after</p> "
    ]  # fmt: skip
    assert [line.partition("[")[0] for line in of_fork] == [
        "forked <p>of the fork</p> ", "forked <p>once more</p> "
    ]  # fmt: skip
    # Each has one child, keeps it, and it is not the other's.
    in_parent, in_fork = (
        {line.partition("[")[2] for line in part} for part in (of_parent, of_fork)
    )
    assert len(in_parent) == len(in_fork) == 1
    assert in_parent != in_fork
    assert all("," not in process for process in in_parent | in_fork)
