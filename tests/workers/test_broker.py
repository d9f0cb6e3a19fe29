"""What the dispatcher asks the broker."""

from pathlib import Path

from dev.redis import RedisServer
from webapp.jobs.messages import Queue
from webapp.settings import Settings
from workers.broker import RUN_JOBS, find_empty_queues, make_celery


def test_a_queue_is_empty_until_it_holds_a_hint(tmp_path: Path) -> None:
    with RedisServer(tmp_path) as server:
        celery = make_celery(Settings(_env_file=None, redis_url=server.url))
        assert find_empty_queues(celery) == set(Queue)
        celery.send_task(RUN_JOBS, args=[[1]], queue=Queue.MAIL.value, ignore_result=True)
        assert find_empty_queues(celery) == set(Queue) - {Queue.MAIL}
