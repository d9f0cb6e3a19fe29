"""The two roles of a deployment, made by the file that Compose and operators run."""

import os
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from dev.postgres_data import find_programs
from tests.deploy.compose_file import ROOT
from tests.patience import HANG_SECONDS

FILE = ROOT / "deploy" / "database-roles.sql"
APP_ROLE = "imprint_app"


def make_app_role(owner_url: str, password: str) -> str:
    """Run the file as the owner of a database, and return the URL of the role that it makes."""
    chosen = os.environ.get("IMPRINT_TEST_POSTGRES_BIN")
    psql = (Path(chosen) if chosen else find_programs()) / "psql"
    finished = subprocess.run(
        [str(psql), "--no-psqlrc", "--quiet", owner_url, f"--file={FILE}"],
        env={"POSTGRES_APP_PASSWORD": password, "PATH": os.defpath},
        capture_output=True,
        text=True,
        timeout=HANG_SECONDS,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return as_role(owner_url, APP_ROLE, password)


def as_role(url: str, role: str, password: str) -> str:
    """Return the URL of the same database for another role."""
    parts = urlsplit(url)
    return f"postgresql://{role}:{password}@{parts.hostname}:{parts.port}{parts.path}"
