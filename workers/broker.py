"""The Celery application: a transport for hints, and nothing that has to be remembered."""

from typing import Any

from celery import Celery
from kombu import Connection
from kombu import Queue as BrokerQueue
from kombu.exceptions import OperationalError

from webapp.jobs.queues import Queue
from webapp.settings import Settings
from workers import redis_transport

RUN_JOBS = "imprint.run_jobs"


_UNCHANGING: dict[str, Any] = {
    "task_publish_retry": False,
    "task_ignore_result": True,
    "result_backend": None,
    "task_serializer": "json",
    "accept_content": ["json"],
    "task_acks_late": True,
    # True would run a job that kills its worker for ever; the lease and the start counter
    # decide about such jobs.
    "task_reject_on_worker_lost": False,
    # How long a result of a process that died may still come in. Until then the worker takes
    # no other hint, and there is no result to wait for.
    "worker_lost_wait": 1.0,
    "worker_prefetch_multiplier": 1,
    "worker_cancel_long_running_tasks_on_connection_loss": False,
    "task_time_limit": 300,
    "task_create_missing_queues": False,
    "task_default_queue": Queue.HOUSEKEEPING.value,
    # The default exchange knows each queue by its name, so there is no binding that a broker
    # could lose, or refuse because it is full.
    "task_default_exchange": "",
    "worker_detect_quorum_queues": True,
    "worker_max_memory_per_child": 262_144,
    "worker_enable_remote_control": False,
    "worker_send_task_events": False,
    "worker_hijack_root_logger": False,
    "worker_redirect_stdouts": False,
    "enable_utc": True,
}


def make_celery(settings: Settings) -> Celery:
    """Return a Celery application for the broker in the settings; connects nowhere yet.

    There is one task, which takes job ids. Results, ETA, retries and beat stay unused: state,
    time and repetition belong to the `jobs` table.
    """
    redis_transport.install()
    celery = Celery("imprint")
    celery.conf.update(
        broker_url=settings.celery_broker_url,
        broker_connection_timeout=4,
        broker_connection_retry=True,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_heartbeat=30,
        broker_transport_options=_transport_options(settings.celery_broker_url),
        **_UNCHANGING,
        task_queues=[_queue(queue, settings.celery_broker_url) for queue in Queue],
    )
    return celery


def count_hints(celery: Celery) -> dict[Queue, int]:
    """Return how many hints the broker holds for each queue, 0 for one that it does not know.

    Raises kombu's OperationalError while the broker is away, or cannot say.
    """
    with celery.connection_for_write() as connection:
        connection.ensure_connection(max_retries=1, interval_start=0)
        try:
            return {queue: _count_hints(connection, queue) for queue in Queue}
        except connection.connection_errors as error:
            # Only where it connects does kombu turn the errors of each broker into its own.
            raise OperationalError(str(error)) from error


def _count_hints(connection: Connection, queue: Queue) -> int:
    """Return how many hints a queue holds, 0 for one that the broker does not know."""
    with connection.channel() as channel:
        try:
            declared = channel.queue_declare(queue=queue.value, passive=True)
        except connection.connection_errors:
            raise
        except connection.channel_errors:
            return 0
        return int(declared.message_count)


def _queue(queue: Queue, url: str) -> BrokerQueue:
    arguments = None
    if url.startswith("amqp"):
        arguments = {"x-queue-type": "quorum", "x-delivery-limit": 10}
    return BrokerQueue(queue.value, routing_key=queue.value, queue_arguments=arguments)


def _transport_options(url: str) -> dict[str, Any]:
    if url.startswith("amqp"):
        return {"confirm_publish": True, "read_timeout": 10, "write_timeout": 10}
    return {
        "visibility_timeout": 300,
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 1,
        "socket_timeout": 10,
        "socket_connect_timeout": 3,
        "socket_keepalive": True,
        "health_check_interval": 10,
        "retry_on_timeout": False,
        "global_keyprefix": "imprint:",
        "max_retries": 2,
        "interval_start": 0,
        "interval_step": 0.2,
        "interval_max": 0.5,
    }
