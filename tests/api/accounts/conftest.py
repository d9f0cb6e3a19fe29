"""What the tests of accounts over the API share."""

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from redis import Redis

from webapp.app import create_app
from webapp.settings import Settings


@pytest.fixture
def braked(settings: Settings) -> Iterator[FlaskClient]:
    """A client of an API that limits its costly doors, at which nobody has knocked yet."""
    with Redis.from_url(settings.redis_url) as counts:
        counts.flushdb()
    app = create_app(settings.model_copy(update={"rate_limits": True}))
    yield app.test_client()
    assert app.context is not None
    app.context.readers.close()
    app.context.engine.dispose()
