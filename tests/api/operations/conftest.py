"""An agent and its owner."""

import pytest
from flask.testing import FlaskClient

from tests.agents import ALL, Agent
from tests.factories import Caller
from webapp.kit.roles import RoleName


@pytest.fixture
def manager(client: FlaskClient) -> Caller:
    """Somebody who may do everything that is undone here."""
    return Caller(client, RoleName.MANAGER)


@pytest.fixture
def agent(manager: Caller) -> Agent:
    """An agent of theirs with all scopes."""
    return Agent(manager, *ALL)
