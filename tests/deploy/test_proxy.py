"""The proxy's configuration, tried with a real nginx in front of the real API."""

import subprocess
import time
from pathlib import Path

import pytest

from bench.testbed import listens
from dev.ports import LOOPBACK, free_port
from tests.deploy.compose_file import ROOT
from tests.nginx import NGINX
from tests.patience import HANG_SECONDS
from tests.running_api import running_api
from tests.serving.raw_client import ask, request_bytes, sent, unanswered
from webapp.settings import Settings

LOGIN = "/api/v1/auth/token"


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
def test_the_proxy_hands_on_whole_requests_and_hides_what_is_for_operators(
    settings: Settings, tmp_path: Path
) -> None:
    port = free_port()
    with running_api(settings, tmp_path, IMPRINT_TRUSTED_PROXIES="1") as api:
        words = (ROOT / "deploy" / "nginx.conf").read_text()
        words = words.replace("server web:8000", f"server {LOOPBACK}:{api.port}")
        words = words.replace("listen 8080", f"listen {LOOPBACK}:{port}")
        words = words.replace("/tmp/", f"{tmp_path}/")
        (tmp_path / "nginx.conf").write_text(words)
        command = [str(NGINX), "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")]
        process = subprocess.Popen([*command, "-g", "daemon off;"])
        try:
            deadline = time.monotonic() + HANG_SECONDS
            while not listens(port):
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.1)
            stalled = [request_bytes("POST", LOGIN, b"{", promised=1000)] * 30
            with sent(port, stalled) as sockets:
                assert ask(port, request_bytes("GET", "/health"))[0] == 200
                assert ask(port, request_bytes("POST", LOGIN, b"{}"))[0] == 422
                assert unanswered(sockets) == 30
            assert ask(port, request_bytes("GET", "/ready"))[0] == 404
            assert ask(port, request_bytes("GET", "/metrics"))[0] == 404
        finally:
            process.terminate()
            process.wait(HANG_SECONDS)
