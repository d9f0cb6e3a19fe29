"""What the tests of accounts over the API share."""

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from webapp.app import create_app
from webapp.settings import Settings


@pytest.fixture
def braked(settings: Settings) -> Iterator[FlaskClient]:
    """A client of an API that limits its costly doors."""
    app = create_app(settings.model_copy(update={"rate_limits": True}))
    yield app.test_client()
    assert app.context is not None
    app.context.readers.close()
    app.context.engine.dispose()
