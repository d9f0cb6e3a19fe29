"""What a running Imprint says about itself: run.json for programs, a short table for people."""

import os
from collections.abc import Mapping

from dev.run_folder import RunFolder

Facts = dict[str, str | int | None]


def run_facts(
    folder: RunFolder,
    settings: Mapping[str, str],
    url: str,
    login: str,
    password: str,
    *,
    keeps_mail: bool,
) -> Facts:
    """Return the content of run.json; `mail_dir` is None where mail goes to another server."""
    return {
        "url": url,
        "login": login,
        "password": password,
        "mail_dir": str(folder.mail) if keeps_mail else None,
        "database_url": settings["DATABASE_URL"],
        "redis_url": settings["REDIS_URL"],
        "smtp_url": settings["SMTP_URL"],
        "log_dir": str(folder.logs),
        "environment_file": str(folder.environment),
        "pid": os.getpid(),
    }


def summary(facts: Facts) -> str:
    """Return the table that ends a start."""
    rows = {
        "API": facts["url"],
        "Docs": f"{facts['url']}/docs",
        "Demo login": f"{facts['login']} / {facts['password']}",
        "Mail": facts["mail_dir"] or f"sent to {facts['smtp_url']}",
        "Logs": facts["log_dir"],
        "Operators": ". var/run.env; .venv/bin/flask jobs list",
        "Stop": "Ctrl-C",
    }
    return "\n" + "\n".join(f"  {name:<14}{value}" for name, value in rows.items()) + "\n"
