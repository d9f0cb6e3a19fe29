"""A Celery application that knows the jobs of the last release."""

from celery_app import app
from tests.releases.press import handlers_of
from workers.handlers import HANDLERS

__all__ = ["app"]

HANDLERS.clear()
HANDLERS.update(handlers_of("last"))
