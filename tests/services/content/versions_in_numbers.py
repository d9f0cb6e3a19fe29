"""Items with many versions, sealed and packed, for tests of what they are stored as."""

import random

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from tests.factories import make_actor, make_content
from webapp.models import BackfillState, ContentVersion
from webapp.services.accounts.actors import Actor
from webapp.services.content import content, sealing
from webapp.services.content.sealing import PACK_VERSIONS, Sealing

WORDS = ("river", "council", "market", "morning", "school", "bridge", "winter", "harbour", "light")


def switch_on(session: Session) -> None:
    """Let versions be packed, as the start of the backfill does."""
    session.execute(insert(BackfillState).values(name=PACK_VERSIONS, rows_total=0))


def long_text(chance: random.Random, words: int = 600) -> str:
    """Return a text that compresses no better than prose."""
    return " ".join(f"{chance.choice(WORDS)}{chance.randrange(1000)}" for _ in range(words))


def edited(text: str, chance: random.Random) -> str:
    """Return a text with some words changed."""
    words = text.split(" ")
    place = chance.randrange(len(words))
    words[place : place + chance.randrange(3)] = [chance.choice(WORDS) for _ in range(3)]
    return " ".join(words)


def make_versions(
    session: Session, number: int, *, actor: Actor | None = None, words: int = 600
) -> tuple[int, list[str]]:
    """Make an item with so many versions, not sealed yet; returns its id and their bodies."""
    chance = random.Random(number)
    actor = actor or make_actor(session)
    bodies = [long_text(chance, words)]
    content_id = make_content(session, actor, body=bodies[0], excerpt="In short.", tags=("a", "b"))
    while len(bodies) < number:
        bodies.append(edited(bodies[-1], chance))
        content.edit(session, actor, content_id, None, {"body": bodies[-1]})
    return content_id, bodies


def ids_of(session: Session, content_id: int) -> list[int]:
    """Return the ids of an item's versions, oldest first."""
    ids = select(ContentVersion.id).where(ContentVersion.content_id == content_id)
    return list(session.scalars(ids.order_by(ContentVersion.number)))


def seal_all(session: Session, content_id: int) -> Sealing:
    """Seal the versions of an item."""
    return sealing.seal_versions(session, ids_of(session, content_id), seconds=60)
