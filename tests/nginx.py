"""The API behind a real nginx that compresses, at the root and below a path."""

import http.client
import os
import shutil
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from dev.ports import LOOPBACK, free_port, is_free
from dev.process import TetheredProcess, log_tail
from dev.programs import programs
from dev.run_options import child_environment
from tests.patience import HANG_SECONDS
from webapp.adapters.database import plain_url
from webapp.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

_CONFIGURATION = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    gzip on;
    gzip_min_length 1;
    gzip_types application/json;
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    server {{
        listen {host}:{port};
        location / {{ proxy_pass http://{host}:{upstream}; }}
        location /cms/ {{ proxy_pass http://{host}:{upstream}/; }}
        location /sites/one/ {{
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Prefix /sites/one;
            proxy_pass http://{host}:{upstream}/;
        }}
    }}
}}
"""


@contextmanager
def behind_nginx(settings: Settings, folder: Path, **more: str) -> Iterator[int]:
    """Run the API and nginx in front of it; yields nginx's port. `more` are further settings."""
    upstream, port = free_port(), free_port()
    (web,) = (program for program in programs(upstream, None, folder) if program.name == "web")
    environment = child_environment(
        {
            "DATABASE_URL": plain_url(settings),
            "REDIS_URL": settings.redis_url,
            "SECRET_KEY": settings.require_secret_key(),
            **more,
        }
    )
    configuration = folder / "nginx.conf"
    configuration.write_text(
        _CONFIGURATION.format(folder=folder, host=LOOPBACK, port=port, upstream=upstream)
    )
    nginx = [str(NGINX), "-p", str(folder), "-c", str(configuration), "-e", "stderr"]
    with (
        _running(web.command, upstream, folder / "web.log", environment),
        _running(nginx, port, folder / "nginx.out", None),
    ):
        yield port


@contextmanager
def _running(
    command: Sequence[str], port: int, log: Path, environment: dict[str, str] | None
) -> Iterator[None]:
    process = TetheredProcess(
        command, log_path=log, farewell=signal.SIGKILL, environment=environment, folder=ROOT
    )
    try:
        deadline = time.monotonic() + HANG_SECONDS
        while not _answers(port):
            assert process.is_running(), log_tail(log)
            assert time.monotonic() < deadline, log_tail(log)
            time.sleep(0.1)
        yield
    finally:
        process.end(signal.SIGTERM, HANG_SECONDS)


def _answers(port: int) -> bool:
    if is_free(port):
        return False
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=HANG_SECONDS)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
