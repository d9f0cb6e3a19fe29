"""What the dispatcher asks the broker."""

from pathlib import Path
from typing import Any

import pytest
from kombu import Connection
from kombu.exceptions import OperationalError
from redis import Redis

from dev.redis import RedisServer
from webapp.jobs.queues import Queue
from webapp.settings import Settings
from workers.broker import RUN_JOBS, count_hints, make_celery


def test_a_queue_is_empty_until_it_holds_a_hint(tmp_path: Path) -> None:
    with RedisServer(tmp_path) as server:
        celery = make_celery(Settings(_env_file=None, redis_url=server.url))
        assert count_hints(celery) == dict.fromkeys(Queue, 0)
        celery.send_task(RUN_JOBS, args=[[1]], queue=Queue.MAIL.value, ignore_result=True)
        assert count_hints(celery) == {**dict.fromkeys(Queue, 0), Queue.MAIL: 1}


def test_a_full_broker_still_says_what_it_holds(tmp_path: Path) -> None:
    with RedisServer(tmp_path) as server, Redis.from_url(server.url) as operator:
        celery = make_celery(Settings(_env_file=None, redis_url=server.url))
        celery.send_task(RUN_JOBS, args=[[1]], queue=Queue.MAIL.value, ignore_result=True)
        operator.config_set("maxmemory", 1)
        assert count_hints(celery)[Queue.MAIL] == 1


def test_a_broker_that_may_not_be_asked_is_away_and_not_empty(tmp_path: Path) -> None:
    with RedisServer(tmp_path) as server, Redis.from_url(server.url) as operator:
        celery = make_celery(Settings(_env_file=None, redis_url=server.url))
        operator.execute_command("ACL", "SETUSER", "default", "-llen")
        with pytest.raises(OperationalError):
            count_hints(celery)


def test_a_broker_that_dies_while_it_is_asked_is_away_and_no_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RedisServer(tmp_path) as server:
        celery = make_celery(Settings(_env_file=None, redis_url=server.url))
        connect = Connection.ensure_connection

        def connect_and_die(connection: Connection, *arguments: Any, **options: Any) -> Any:
            connected = connect(connection, *arguments, **options)
            server.kill()
            return connected

        monkeypatch.setattr(Connection, "ensure_connection", connect_and_die)
        with pytest.raises(OperationalError):
            count_hints(celery)
