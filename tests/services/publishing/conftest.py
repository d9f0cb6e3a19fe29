"""Who comes to the desk, and what they come for."""

import pytest
from sqlalchemy.orm import Session

from tests.factories import make_actor, make_content
from webapp.kit.roles import RoleName
from webapp.services.accounts.actors import Actor


@pytest.fixture
def author(session: Session) -> Actor:
    """An author."""
    return make_actor(session, RoleName.AUTHOR)


@pytest.fixture
def editor(session: Session) -> Actor:
    """An editor."""
    return make_actor(session, RoleName.EDITOR)


@pytest.fixture
def item(session: Session, author: Actor) -> int:
    """A draft of the author."""
    return make_content(session, author)
