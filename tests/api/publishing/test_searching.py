"""Promises of the search: what is found, by whom, in which order, and shown how."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import text

from tests.api.publishing.test_published import publish
from tests.factories import Caller, run_ready_jobs
from webapp.kit.roles import RoleName
from workers.context import WorkerContext

SEALED = {"version.seal"}

# What a document says, and what it is found by.
AS_A_READER_EXPECTS = [
    ("About TCP/IP today", ["TCP/IP", "tcp", "ip", "IP"]),
    ("Salt and/or pepper", ["and/or", "and", "or", "pepper"]),
    ("All news/views here", ["news", "views", "news/views"]),
    ("The covid-19 years", ["covid-19", "covid 19", "covid19", "covid", "COVID‑19"]),
    ("The covid 19 years", ["covid-19", "covid 19", "covid"]),
    ("Jean-Luc writes", ["Jean-Luc", "Jean Luc", "jeanluc", "luc", '"jean luc"']),
    ("Jean Luc writes", ["Jean-Luc", "Jean Luc", '"jean-luc"']),
    ("Send an e-mail now", ["e-mail", "email", "mail", '"an email"', '"email now"']),
    ("Send an email now", ["e-mail", "email"]),
    ("A naïve idea", ["naive", "naïve", "NAÏVE"]),
    ("A naive idea", ["naïve", "naive"]),
    ("We write C++ here", ["C++", "c++", "C"]),
    ("See pages 5-7 of it", ["pages 5-7", "5-7", "5", "7", '"pages 5"']),
    ("The end.Next one", ["end", "next", "end.Next", '"the end"', '"next one"']),
    ("Don't go to O’Brien", ["don't", "dont", "don’t", "obrien", "O'Brien"]),
    ("The U.S.A. and me", ["usa", "U.S.A.", "USA"]),
    ("Straße nach Øresund", ["strasse", "oresund", "ØRESUND"]),
    ("東京の天気は晴れ", ["東京", "天気", "京", "れ", "天気は"]),
    ("مَكتبة المدينة", ["مكتبة"]),
    ("snake_case, #tagged @name", ["snake", "case", "snake_case", "tagged", "@name"]),
]


@pytest.fixture
def editor(client: FlaskClient) -> Caller:
    """A logged-in editor."""
    return Caller(client, RoleName.EDITOR)


@pytest.fixture
def author(client: FlaskClient) -> Caller:
    """A logged-in author."""
    return Caller(client, RoleName.AUTHOR)


def draft(caller: Caller, **fields: Any) -> int:
    """Write an item and return its id."""
    made = caller.call("POST", "/content", fields)
    assert made.status_code == 201, made.get_json()
    found: int = made.get_json()["id"]
    return found


def ask(caller: FlaskClient | Caller, q: str, **more: Any) -> dict[str, Any]:
    """Search, and return the page."""
    parameters = {"q": q, **{name.rstrip("_"): value for name, value in more.items()}}
    if isinstance(caller, Caller):
        headers = {"Authorization": f"Bearer {caller.token}"}
        answer = caller.client.get("/api/v1/search", query_string=parameters, headers=headers)
    else:
        answer = caller.get("/api/v1/search", query_string=parameters)
    assert answer.status_code == 200, (q, answer.get_json())
    page: dict[str, Any] = answer.get_json()
    return page


def found(caller: FlaskClient | Caller, q: str, **more: Any) -> list[int]:
    """Search, and return the ids of the hits in their order."""
    return [hit["id"] for hit in ask(caller, q, **more)["items"]]


@pytest.mark.parametrize(("said", "asked"), AS_A_READER_EXPECTS, ids=lambda case: str(case)[:20])
def test_what_a_reader_expects_is_found_in_public_and_in_a_draft(
    client: FlaskClient, editor: Caller, author: Caller, worker: WorkerContext, said: str,
    asked: list[str],
) -> None:  # fmt: skip
    public = publish(editor, title="One", body=f"Before it. {said}")["id"]
    in_html = publish(editor, title="Two", body=f"<p>{said}</p>", body_format="html")["id"]
    mine = draft(author, title=said)
    run_ready_jobs(worker, kinds=SEALED)
    for q in asked:
        assert found(client, q) == [in_html, public], q
        assert found(author, q, in_="mine") == [mine], q
        assert sorted(found(author, q, in_="all")) == [public, in_html, mine], q
        listed = client.get("/api/v1/published", query_string={"q": q}).get_json()["items"]
        assert [item["id"] for item in listed] == [in_html, public], q


def test_phrases_exclusion_beginnings_and_either_of_two(
    client: FlaskClient, editor: Caller
) -> None:
    one = publish(editor, title="Red harbour lights", body="by night")["id"]
    two = publish(editor, title="Lights of the red harbour", body="by day")["id"]
    assert sorted(found(client, "red lights")) == [one, two]
    assert found(client, '"harbour lights"') == [one]
    assert found(client, "harbour -night") == [two]
    assert found(client, 'lights -"red harbour"') == []
    assert sorted(found(client, "harb*")) == [one, two]
    assert sorted(found(client, "h*")) == [one, two]
    assert found(client, "harbo") == []
    assert sorted(found(client, "red harbo", typing="true")) == [one, two]
    assert found(client, '"by da', typing="true") == []
    assert sorted(found(client, "night OR day")) == [one, two]
    assert found(client, "zebra OR day") == [two]


def test_words_are_found_by_their_stem_and_as_they_are(
    client: FlaskClient, editor: Caller, worker: WorkerContext
) -> None:
    german = publish(
        editor, title="Die Häuser am Fluss", metadata={"language": "de-AT"}, body="Sie liefen."
    )["id"]
    english = publish(editor, title="Two libraries", metadata={"language": "en"})["id"]
    other = publish(editor, title="Many runways")["id"]
    run_ready_jobs(worker, kinds=SEALED)
    assert found(client, "Haus") == [german]
    assert found(client, "hauser") == [german]
    assert found(client, "Häuser") == [german]
    assert found(client, "library") == [english]
    assert found(client, "libraries", language="en") == [english]
    assert found(client, "libraries", language="de") == []
    assert found(client, "runways", language="simple") == [other]
    assert found(client, "runway") == []
    (hit,) = ask(client, "library")["items"]
    assert hit["title_html"] == "Two <mark>libraries</mark>"
    assert hit["language"] == "en"


def test_a_title_counts_more_than_a_body(client: FlaskClient, editor: Caller) -> None:
    titled = publish(editor, title="Lanterns", body="Something else entirely.")["id"]
    publish(editor, title="Else", body="Something of lanterns in it.")
    hits = ask(client, "lanterns")["items"]
    assert hits[0]["id"] == titled
    assert [hit["position"] for hit in hits] == [1, 2]


def test_a_hit_says_what_was_found_and_where(
    client: FlaskClient, editor: Caller, worker: WorkerContext
) -> None:
    item = publish(editor, title="A <b>bold</b> & plain", body="x " * 300 + "the *lantern* shines")
    (hit,) = ask(client, "lantern plain")["items"]
    assert hit["title_html"] == "A &lt;b&gt;bold&lt;/b&gt; &amp; <mark>plain</mark>"
    assert hit["snippet"].startswith("…")
    assert "<mark>lantern</mark>" in hit["snippet"]
    assert (hit["slug"], hit["status"], hit["version"]) == (item["slug"], "published", 1)
    assert hit["url"].endswith(f"/api/v1/published/{item['slug']}")
    assert hit["is_public"]

    editor.call("PATCH", f"/content/{item['id']}", {"title": "Lantern anew"}, If_Match="*")
    run_ready_jobs(worker, kinds=SEALED)
    (mine,) = ask(editor, "anew", in_="mine")["items"]
    assert (mine["version"], mine["is_public"], mine["url"]) == (2, False, None)
    assert mine["status"] == "published"
    assert found(client, "anew") == []


def test_pages_go_on_behind_the_last_hit(client: FlaskClient, editor: Caller) -> None:
    made = [publish(editor, title=f"Lantern {number}")["id"] for number in range(7)]
    seen: list[tuple[int, int]] = []
    cursor: dict[str, str] = {}
    while True:
        page = ask(client, "lantern", limit=3, **cursor)
        seen += [(hit["position"], hit["id"]) for hit in page["items"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert [position for position, _ in seen] == list(range(1, 8))
    assert sorted(item for _, item in seen) == made


def test_filters_leave_out_what_is_not_wanted(
    client: FlaskClient, editor: Caller, author: Caller, worker: WorkerContext
) -> None:
    manager = Caller(client, RoleName.MANAGER)
    shelf = manager.call("POST", "/categories", {"name": "Shelf"}).get_json()
    one = publish(editor, title="Lantern one", tags=["Glass"], category_id=shelf["id"])["id"]
    two = publish(editor, title="Lantern two")["id"]
    mine = draft(author, title="Lantern three", tags=["Glass"], category_id=shelf["id"])
    run_ready_jobs(worker, kinds=SEALED)
    for filters in ({"tag": "glass"}, {"category": shelf["slug"]}):
        assert found(client, "lantern", **filters) == [one]
        assert sorted(found(author, "lantern", in_="all", **filters)) == [one, mine]
    assert sorted(found(client, "lantern", author=editor.login)) == [one, two]
    assert found(author, "lantern", in_="all", author=author.login) == [mine]
    for unknown in ({"author": "nobody"}, {"category": "nowhere"}, {"tag": "nothing"}):
        assert ask(client, "lantern", **unknown)["items"] == []
        assert ask(author, "lantern", in_="all", **unknown)["items"] == []
    assert found(client, "lantern", from_="2100-01-01T00:00:00Z") == []
    assert found(author, "lantern", in_="mine", to="2100-01-01T00:00:00Z") == [mine]
    assert found(author, "lantern", in_="all", status="draft") == [mine]
    assert found(client, "lantern", status="draft") == []
    assert found(author, "lantern", in_="mine", status="trashed") == []


def test_a_tag_is_filtered_by_under_its_former_slug_as_well(
    client: FlaskClient, editor: Caller, author: Caller, worker: WorkerContext
) -> None:
    manager = Caller(client, RoleName.MANAGER)
    public = publish(editor, title="Lantern", tags=["Glass"])["id"]
    made = author.call("POST", "/content", {"title": "Lantern", "tags": ["Glass", "Secret"]}).json
    run_ready_jobs(worker, kinds=SEALED)
    ids = {tag["slug"]: tag["id"] for tag in made["tags"]}
    for slug, name in (("glass", "Crystal"), ("secret", "Hidden")):
        renamed = {"name": name, "slug": name.lower()}
        path = f"/tags/{ids[slug]}"
        assert manager.call("PUT", path, renamed, If_Match="*").status_code == 200
    for slug in ("glass", "crystal"):
        assert found(client, "lantern", tag=slug) == [public]
        assert sorted(found(author, "lantern", in_="all", tag=slug)) == [public, made["id"]]
    for slug in ("secret", "hidden", "nothing"):
        assert found(client, "lantern", tag=slug) == []
    assert found(author, "lantern", in_="mine", tag="secret") == [made["id"]]


def test_a_draft_is_found_by_who_may_see_it_as_it_stands_now(
    client: FlaskClient, editor: Caller, author: Caller, worker: WorkerContext
) -> None:
    item = draft(author, title="Zebra", body="secretword")
    run_ready_jobs(worker, kinds=SEALED)
    others: list[FlaskClient | Caller] = [client]
    others += [Caller(client, RoleName.READER), Caller(client, RoleName.AUTHOR)]
    assert found(author, "secretword", in_="mine") == [item]
    assert found(editor, "secretword", in_="all") == [item]
    assert found(editor, "secretword", in_="mine") == []
    for other in others:
        assert found(other, "secretword") == []
        if isinstance(other, Caller):
            assert found(other, "secretword", in_="all") == []
            assert found(other, "secretword", in_="mine") == []
    author.call("DELETE", f"/content/{item}", If_Match="*")
    assert found(author, "secretword", in_="mine") == []
    assert found(author, "secretword", in_="mine", status="trashed") == [item]
    author.call("POST", f"/content/{item}/untrash", If_Match="*")
    author.call("PATCH", f"/content/{item}", {"body": "another"}, If_Match="*")
    run_ready_jobs(worker, kinds=SEALED)
    assert found(author, "secretword", in_="mine") == []
    assert found(author, "another", in_="mine") == [item]
    author.call("POST", f"/content/{item}/versions/1/restore", If_Match="*")
    run_ready_jobs(worker, kinds=SEALED)
    assert found(author, "secretword", in_="mine") == [item]


@pytest.mark.parametrize(
    "q",
    ["", " ", "???", "-without", "***", '""', "a " * 33, "x" * 401, "- - -", "' \\ | &", "\x00"],
)
def test_what_cannot_be_looked_for_is_refused_with_a_reason(client: FlaskClient, q: str) -> None:
    for path in ("search", "published"):
        answer = client.get(f"/api/v1/{path}", query_string={"q": q})
        assert answer.status_code == 422, (path, answer.get_json())
        assert answer.content_type == "application/problem+json"


def test_in_more_than_what_is_public_searches_who_has_signed_in(client: FlaskClient) -> None:
    for scope in ("mine", "all"):
        answer = client.get("/api/v1/search", query_string={"q": "x", "in": scope})
        assert answer.status_code == 401
    assert client.get("/api/v1/search?q=x&in=drafts").status_code == 422
    assert client.get("/api/v1/search?q=x&language=xx").status_code == 422
    assert client.get("/api/v1/search?q=x&cursor=nonsense").status_code == 422


def test_what_a_former_release_rendered_is_found_as_ever_until_it_is_filled(
    client: FlaskClient, editor: Caller, worker: WorkerContext
) -> None:
    old = publish(editor, title="Old harbour", body="lantern")["id"]
    new = publish(editor, title="New harbour", body="lantern")["id"]
    with worker.transaction() as session:
        session.execute(
            text(
                "UPDATE renderings SET words = NULL, language = NULL FROM publications"
                " WHERE publications.version_id = renderings.version_id AND content_id = :id"
            ),
            {"id": old},
        )
    assert sorted(found(client, "harbour lantern")) == [old, new]
    listed = client.get("/api/v1/published?q=lantern").get_json()["items"]
    assert [item["id"] for item in listed] == [new, old]


def test_the_answer_to_a_search_in_public_is_kept_by_its_etag(
    client: FlaskClient, editor: Caller
) -> None:
    publish(editor, title="Lantern")
    first = client.get("/api/v1/search?q=lantern")
    assert first.headers["Cache-Control"] == "public, max-age=0, must-revalidate"
    again = client.get("/api/v1/search?q=lantern", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304


def test_who_hits_a_wrong_key_is_told_what_finds_something_public(
    client: FlaskClient, editor: Caller, author: Caller, worker: WorkerContext
) -> None:
    publish(editor, title="Lights of the harbour")
    publish(editor, title="The harbour again")
    draft(author, title="Lantern")
    run_ready_jobs(worker, kinds=SEALED)
    for typed, meant in (
        ("harbuor", "harbour"), ("Harbor", "harbour"), ("harbour ligths", "harbour lights"),
        ("harbours", "harbour"), ("zebra", None), ("lantren", None), ("har", None),
    ):  # fmt: skip
        page = ask(client, typed)
        assert (page["items"], page["did_you_mean"]) == ([], meant), typed
    assert ask(author, "lantren", in_="mine")["did_you_mean"] is None
    assert ask(client, "harbour")["did_you_mean"] is None


@hypothesis_settings(max_examples=150, deadline=None,
                     suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(q=st.one_of(
    st.text(min_size=1, max_size=200),
    st.lists(st.sampled_from(
        ['"', "-", "*", "OR", "(", ")", ":*", "&", "|", "!", "<->", "\\", "'", "$$", "%s", ":q",
         "\u202e", "\u0301", "C++", "the", "日本", "שלום", "a" * 90, "e-mail", "5-7", "--",
         "\ud83d"]
    ), min_size=1, max_size=12).map(" ".join),
))  # fmt: skip
def test_whatever_is_typed_is_answered_or_refused(client: FlaskClient, q: str) -> None:
    typed = q.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    for path in ("search", "published"):
        answer = client.get(f"/api/v1/{path}", query_string={"q": typed})
        assert answer.status_code in {200, 422}, (path, typed, answer.get_json())
