"""Any edits, sealed, packed, unpacked and deleted in any order, read as they were saved."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from tests.factories import make_actor, make_content
from tests.services.content.versions_in_numbers import ids_of, switch_on
from webapp.models import ContentVersion
from webapp.services.content import content, sealing, versions

# PostgreSQL keeps no NUL, and a save takes no half of a pair.
characters = st.characters(exclude_characters="\x00", exclude_categories=["Cs"])
bodies = st.text(characters, max_size=200) | st.text(characters, max_size=8).map(
    lambda word: f"{word} and so on, " * 300
)
edits = st.fixed_dictionaries(
    {"body": bodies}, optional={"excerpt": st.text(characters, max_size=20)}
)
acts = st.lists(
    st.tuples(st.sampled_from(["save", "seal", "pack", "unpack", "delete"]), edits, st.integers(0)),
    max_size=25,
)


@pytest.fixture
def packing(session: Session) -> Session:
    """A session in which versions are packed."""
    switch_on(session)
    return session


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(acts=acts, first=bodies)
def test_whatever_is_done_to_versions_each_says_what_was_saved(
    packing: Session, acts: list[tuple[str, dict[str, Any], int]], first: str
) -> None:
    session = packing
    actor = make_actor(session)
    content_id = make_content(session, actor, body=first)
    saved = {1: (first, "")}
    for act, changes, chosen in acts:
        ids = ids_of(session, content_id)
        version_id = ids[chosen % len(ids)]
        if act == "save":
            content.edit(session, actor, content_id, None, changes)
            item = content.get(session, actor, content_id).content
            saved[item.version] = (item.body, item.excerpt)
        elif act == "seal":
            sealing.seal_versions(session, ids[: 1 + chosen % len(ids)], seconds=60)
        elif act == "pack":
            sealing.pack_range(session, version_id - 1, ids[-1])
        elif act == "unpack":
            sealing.unpack_range(session, version_id - 1, version_id + chosen % 5)
        elif version_id != ids[-1]:
            _delete(session, version_id, saved)
    for number, text in saved.items():
        version = versions.get_version(session, content_id, number)
        assert (version.body, version.excerpt) == text


def _delete(session: Session, version_id: int, saved: dict[int, tuple[str, str]]) -> None:
    """Delete a version, unless others hang on it."""
    number = session.scalars(
        select(ContentVersion.number).where(ContentVersion.id == version_id)
    ).one()
    try:
        with session.begin_nested():
            session.execute(delete(ContentVersion).where(ContentVersion.id == version_id))
    except IntegrityError:
        return
    del saved[number]
