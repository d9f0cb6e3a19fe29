"""Promises about comparisons of versions."""

from itertools import pairwise

import pytest
from flask.testing import FlaskClient

from tests.factories import Caller
from webapp.kit.roles import RoleName


@pytest.fixture
def editor(client: FlaskClient) -> Caller:
    """A logged-in editor."""
    return Caller(client, RoleName.EDITOR)


@pytest.fixture
def path(editor: Caller) -> str:
    """An item of three versions."""
    first = {"title": "First", "body": "The quick *fox* jumps.", "tags": ["a"]}
    made = editor.call("POST", "/content", first)
    path = f"/content/{made.get_json()['id']}"
    later = {"title": "Second", "body": "The slow *fox* jumps.", "metadata": {"k": 1}}
    editor.call("PATCH", path, later, If_Match="*")
    editor.call("PATCH", path, {"body": "The slow *fox* jumps high."}, If_Match="*")
    return path


def test_a_version_is_compared_with_the_one_before_word_by_word(editor: Caller, path: str) -> None:
    found = editor.call("GET", f"{path}/versions/2/comparison").get_json()

    assert found == {
        "former": 1,
        "latter": 2,
        "fields": {
            "title": {"former": "First", "latter": "Second"},
            "metadata": {"former": {}, "latter": {"k": 1}},
        },
        "body": [
            {"operation": "equal", "text": "The "},
            {"operation": "removed", "text": "quick "},
            {"operation": "added", "text": "slow "},
            {"operation": "equal", "text": "*fox* jumps."},
        ],
        "words_added": 1,
        "words_removed": 1,
        "is_exact": True,
        "html": None,
    }


def test_any_two_versions_are_compared_as_they_are_read(editor: Caller, path: str) -> None:
    found = editor.call("GET", f"{path}/versions/3/comparison?former=1&html=true").get_json()

    assert found["html"].strip() == (
        '<p>The <del class="removed">quick</del> <ins class="added">slow</ins> <em>fox</em> jumps '
        '<ins class="added">high</ins>.</p>'
    )
    assert (found["former"], found["latter"]) == (1, 3)
    backwards = editor.call("GET", f"{path}/versions/1/comparison?former=3").get_json()
    assert (backwards["words_added"], backwards["words_removed"]) == (1, 2)


def test_what_there_is_not_is_not_compared(editor: Caller, path: str) -> None:
    first = editor.call("GET", f"{path}/versions/1/comparison")
    assert first.status_code == 404
    assert "before the first" in first.get_json()["detail"]
    assert editor.call("GET", f"{path}/versions/2/comparison?former=9").status_code == 404
    assert editor.call("GET", f"{path}/versions/2/comparison?former=x").status_code == 422


def test_comparing_changes_neither_the_item_nor_its_versions(editor: Caller, path: str) -> None:
    before = editor.call("GET", path)

    editor.call("GET", f"{path}/versions/3/comparison?html=true")

    assert editor.call("GET", path).headers["ETag"] == before.headers["ETag"]


@pytest.mark.parametrize(
    ("former", "latter"),
    [
        ("one\ntwo three", "one two three four"),
        ("", "something"),
        ("  leading", "leading  \n\n"),
        ("the same", "the same"),
    ],
)
def test_both_bodies_are_read_off_the_runs_to_the_last_blank(
    editor: Caller, former: str, latter: str
) -> None:
    made = editor.call("POST", "/content", {"title": "T", "body": former})
    path = f"/content/{made.get_json()['id']}"
    editor.call("PATCH", path, {"title": "U", "body": latter}, If_Match="*")

    runs = editor.call("GET", f"{path}/versions/2/comparison").get_json()["body"]
    operations = [run["operation"] for run in runs]

    assert "".join(run["text"] for run in runs if run["operation"] != "added") == former
    assert "".join(run["text"] for run in runs if run["operation"] != "removed") == latter
    assert all(one != following for one, following in pairwise(operations))
