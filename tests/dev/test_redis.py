"""The embedded Redis comes back empty on the same port, and never outlives its owner."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from dev.ports import free_port
from dev.process import ServerError
from dev.redis import RedisServer
from tests.patience import HANG_SECONDS

OWNER = """
import sys, time
from pathlib import Path
from dev.redis import RedisServer
server = RedisServer(Path(sys.argv[1]))
server.start()
print(server.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """A server in a folder whose name has a space, not started."""
    server = RedisServer(tmp_path / "a folder" / "redis")
    yield server
    server.stop()


def test_comes_back_empty_on_the_same_port(server: RedisServer) -> None:
    server.start()
    first_url = server.url
    with Redis.from_url(server.url) as client:
        client.set("hint", "1")
        assert client.get("hint") == b"1"
    server.stop()
    assert not server.is_running()
    with Redis.from_url(server.url) as client, pytest.raises(RedisConnectionError):
        client.ping()

    server.start()

    assert server.url == first_url
    with Redis.from_url(server.url) as client:
        assert client.dbsize() == 0


def test_starts_again_after_it_was_killed(server: RedisServer) -> None:
    server.start()
    first_pid = server.pid
    server.kill()
    assert not server.is_running()
    assert not psutil.pid_exists(first_pid)

    server.start()

    with Redis.from_url(server.url) as client:
        assert client.info("server")["process_id"] == server.pid != first_pid


def test_keeps_nothing_on_disk_and_drops_nothing(server: RedisServer) -> None:
    server.start()
    with Redis.from_url(server.url) as client:
        assert client.config_get("save") == {"save": ""}
        assert client.config_get("appendonly") == {"appendonly": "no"}
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert client.config_get("bind") == {"bind": "127.0.0.1"}
        client.set("hint", "1")
    server.stop()

    assert list(server.data_dir.iterdir()) == []


def test_a_taken_port_is_an_error_and_leaves_the_other_server_alone(
    server: RedisServer, tmp_path: Path
) -> None:
    server.start()
    second = RedisServer(tmp_path / "second", port=server.port)

    with pytest.raises(ServerError, match="Address already in use"):
        second.start()
    with pytest.raises(ServerError, match="already runs"):
        server.start()

    assert not second.is_running()
    assert server.is_running()


def test_takes_the_port_that_it_is_given(tmp_path: Path) -> None:
    port = free_port()

    with RedisServer(tmp_path / "redis", port=port) as server:
        assert server.url == f"redis://127.0.0.1:{port}/0"
        with Redis.from_url(server.url) as client:
            assert client.ping()


def test_ends_with_an_owner_that_is_killed(tmp_path: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path / "redis")], stdout=subprocess.PIPE, text=True
    )
    with owner:
        assert owner.stdout is not None
        redis = psutil.Process(int(owner.stdout.readline()))
        owner.kill()

    _, alive = psutil.wait_procs([redis], timeout=HANG_SECONDS)

    assert not alive
