"""No draft through what is no route: others' conflicts and replays, mails, logs, commands."""

import click
import pytest

from dev.mail_sink import MailSink
from tests.matrix.routes import NOBODY
from tests.matrix.search_routes import asked_of_each_item
from tests.matrix.world import (
    ADMIN,
    ANONYMOUS,
    COLLEAGUE,
    EDITOR,
    OWNER,
    PEOPLE,
    PUBLIC_WORD,
    READER,
    World,
    may_see,
    may_see_shelves,
    stored_texts,
)
from webapp.cli.app import COMMANDS, create_app
from webapp.cli.database import SESSIONS
from webapp.cli.preparation import prepare
from webapp.kit.permissions import Scope
from webapp.kit.roles import RoleName
from webapp.settings import Settings

# What each command is called with to make it talk about what is in the database; None for one that
# says nothing of any item, whatever is in there.
COMMANDS_ASKED: dict[str, list[str] | None] = {
    "accounts create-admin": None,
    "accounts disable": ["999999999", "--reason", "none", "--yes"],
    "accounts enable": ["999999999"],
    "accounts erase": ["999999999", "--yes"],
    "accounts erasures": [],
    "accounts forget-guest": ["999999999"],
    "accounts list": ["--limit", "1000"],
    "accounts replay-erasures": None,
    "accounts reset-factors": ["999999999", "--yes"],
    "accounts reset-password": ["999999999", "--yes"],
    "accounts revoke-sessions": ["999999999", "--yes"],
    "accounts show": ["owner"],
    "activity list": ["--limit", "1000"],
    "activity prune": ["--days", "36000", "--yes"],
    "activity verify": [],
    "content import": None,
    "content origins": [],
    "content prune-versions": ["--dry-run"],
    "content verify": [],
    "db": None,
    "demo seed": None,
    "dispatcher": None,
    "jobs discard": ["999999999"],
    "jobs list": ["--state", "done"],
    "jobs pause": ["--event", "1", "--reason", "a test", "--by", "a test"],
    "jobs resume": ["--event", "1", "--by", "a test"],
    "jobs show": ["1"],
    "jobs retry": ["--all-failed"],
    "schedules list": ["--state", "pending", "--state", "fired", "--state", "cancelled"],
    "schedules retry": ["1"],
    "schedules why": ["1", "--json"],
}
# The tables that operators read and that outlive a draft: they hold ids, never words.
OPERATORS_TABLES = {
    "activity_logs": "SELECT action, details::text, changes::text FROM activity_logs",
    "jobs": "SELECT kind, dedupe_key, payload::text, last_error FROM jobs",
    "job_attempts": "SELECT ended_as, reason FROM job_attempts",
    "job_pauses": "SELECT scope, target FROM job_pauses",
    "backfills": "SELECT * FROM backfills",
}


def test_a_conflict_over_a_slug_tells_nothing_of_the_draft_that_has_it(world: World) -> None:
    for state, item in world.items.items():
        # That something was public under a name is known to everybody.
        expected = 409 if state == "withdrawn" else 201
        asked = {"title": "Mine", "slug": item.slug}
        answer = world.call(COLLEAGUE, "POST", "/content", asked)
        assert answer.status_code == expected, (state, answer.text)
        named_alike = world.succeed(COLLEAGUE, "POST", "/content", {"title": item.slug}).json()
        assert (named_alike["slug"] == item.slug) == (expected == 201), state
        renamed = world.call(
            COLLEAGUE, "PATCH", f"/content/{named_alike['id']}", {"slug": item.slug}, If_Match="*"
        )
        assert renamed.status_code == {201: 200, 409: 409}[expected], (state, renamed.text)


def test_what_stands_in_the_place_of_a_retracted_item_holds_no_word_of_it(world: World) -> None:
    item = world.items["retracted"]
    stub = world.call(ANONYMOUS, "GET", f"/published/plain-{item.word[2:]}")
    assert (stub.status_code, stub.json()["detail"]) == (410, "It was wrong.")
    assert item.words_in(stub.text) == []
    assert PUBLIC_WORD not in stub.text


def test_a_tag_of_a_draft_is_spelt_for_its_author_alone(world: World) -> None:
    for item in world.items.values():
        mine = f"Tag {item.word.upper()}"
        made = world.succeed(COLLEAGUE, "POST", "/content", {"title": "Tagged", "tags": [mine]})
        assert [tag["name"] for tag in made.json()["tags"]] == [mine]
        world.succeed(COLLEAGUE, "DELETE", f"/content/{made.json()['id']}", If_Match="*")


def test_a_category_that_drafts_alone_have_is_there_for_authors_alone(world: World) -> None:
    shelves = [item for item in world.items.values() if item.shelf_word]
    nowhere = world.call(ANONYMOUS, "GET", f"/categories/{NOBODY}").json()["detail"]
    for who in PEOPLE:
        listed = world.succeed(who, "GET", "/categories?limit=100")
        assert len(listed.json()["items"]) == (len(shelves) if may_see_shelves(who) else 0), who
        for item in shelves:
            assert (str(item.shelf_word) in listed.text) == may_see_shelves(who), (who, item.state)
            alone = world.call(who, "GET", f"/categories/{item.category_id}")
            assert alone.status_code == (200 if may_see_shelves(who) else 404), (who, item.state)
            assert alone.ok or alone.json()["detail"] == nowhere


@pytest.mark.parametrize("scope", ["mine", "all"])
@pytest.mark.parametrize("who", PEOPLE)
def test_a_search_finds_the_drafts_that_one_may_see_and_tells_of_no_other(
    world: World, who: str, scope: str
) -> None:
    sees = may_see(who) and (scope == "all" or who == OWNER)
    heard: set[str] = set()
    for request in asked_of_each_item(world, f"&in={scope}&status=draft"):
        answer = world.call(who, "GET", request.path)
        if who == ANONYMOUS:
            assert answer.status_code == 401
            continue
        items = answer.json()["items"]
        assert sees or items == [], request.path
        heard |= {state for state, item in world.items.items() if item.slug in answer.text}
        assert answer.headers["Cache-Control"] == "no-store"
    assert heard == ({"draft", "scheduled", "reviewed"} if sees else set())


@pytest.mark.parametrize("who", [OWNER, EDITOR])
def test_a_search_by_a_key_that_only_sends_finds_no_draft(world: World, who: str) -> None:
    key = world.key_of(who, Scope.SEND)
    for request in asked_of_each_item(world, "&in=all"):
        answer = world.succeed(key, "GET", request.path)
        assert [item for item in world.items.values() if item.slug in answer.text] == []


def test_a_key_of_idempotency_gives_nobody_anothers_answer(world: World) -> None:
    word = world.items["draft"].word
    body, key = {"title": word, "body": word}, {"Idempotency_Key": "a-key-that-all-use"}
    mine = world.succeed(OWNER, "POST", "/content", body, **key).json()["id"]
    for who in (COLLEAGUE, READER, EDITOR):
        answer = world.call(who, "POST", "/content", body, **key)
        assert answer.status_code in {201, 403}, who
        assert answer.json().get("id") != mine, who
    assert world.succeed(OWNER, "POST", "/content", body, **key).json()["id"] == mine


def test_who_may_no_longer_see_an_item_gets_no_kept_answer_about_it(world: World) -> None:
    word = "zqkept"
    made = world.succeed(OWNER, "POST", "/content", {"title": word, "body": word}).json()
    path = f"/content/{made['id']}/versions/1/restore"
    user_id = world.arrive("demoted", RoleName.EDITOR)
    asked = {"If_Match": "*", "Idempotency_Key": "key-of-demoted"}
    assert word in world.succeed("demoted", "POST", path, **asked).text

    world.succeed(ADMIN, "PUT", f"/users/{user_id}/role", {"role": "author"}, If_Match="*")

    replayed = world.call("demoted", "POST", path, **asked)
    assert replayed.status_code >= 400
    assert word not in replayed.text


def test_no_mail_and_no_inbox_holds_a_word_of_what_is_not_public(
    world: World, mails: MailSink
) -> None:
    sent = "\n".join(str(message) for message in mails.messages())
    inbox = world.succeed(READER, "GET", "/notifications?limit=100").text
    assert PUBLIC_WORD in sent
    assert PUBLIC_WORD in inbox
    for item in world.items.values():
        assert item.words_in(sent) == []
        assert item.words_in(inbox) == []


def test_the_log_of_the_server_holds_no_word_of_any_item(world: World) -> None:
    log = world.log_path.read_text()
    assert "request.done" in log
    for item in world.items.values():
        # What is in an address that somebody asked for is what they knew already.
        lines = [line for line in log.splitlines() if '"path": "/api/v1/published' not in line]
        assert [line for line in lines if item.words_in(line)] == []


@pytest.mark.parametrize("table", OPERATORS_TABLES)
def test_what_operators_read_holds_ids_and_no_words(world: World, table: str) -> None:
    with world.sessions() as session:
        found = stored_texts(session, OPERATORS_TABLES[table])
    for item in world.items.values():
        assert item.words_in(found) == [], item.state


def test_every_command_has_its_row() -> None:
    found = {name for command in COMMANDS for name in names_of(command.load(), str(command.name))}
    assert found == set(COMMANDS_ASKED)


def test_no_command_tells_a_word_of_a_draft(world: World, world_settings: Settings) -> None:
    app = prepare(create_app(), world_settings)
    runner = app.test_cli_runner()
    for name, arguments in COMMANDS_ASKED.items():
        if arguments is not None:
            output = runner.invoke(args=[*name.split(), *arguments]).output
            told = [item.state for item in world.items.values() if item.words_in(output)]
            assert told == [], name
    app.extensions[SESSIONS].kw["bind"].dispose()


def names_of(command: click.Command, name: str) -> list[str]:
    """Return the names of a command's own commands, or its own; those of `db` are one surface."""
    if name == "db" or not isinstance(command, click.Group):
        return [name]
    return [
        found
        for part, below in command.commands.items()
        for found in names_of(below, f"{name} {part}")
    ]


def test_a_bulk_action_tells_who_may_not_see_its_items_nothing_of_them(world: World) -> None:
    ids = [item.id for item in world.items.values()]
    trial = {"action": "tag", "tags": ["x"], "dry_run": True, "content_ids": [*ids, NOBODY]}
    answer = world.succeed(COLLEAGUE, "POST", "/bulk-actions", trial).json()
    assert {(one["state"], one["reason"]) for one in answer["sample"]} == {("skipped", "not_found")}
    assert len({str({**one, "content_id": 0}) for one in answer["sample"]}) == 1
    for word in (f"tag-{item.word}" for item in world.items.values()):
        fitting = {"action": "trash", "dry_run": True, "filter": {"tag": word}}
        assert world.succeed(COLLEAGUE, "POST", "/bulk-actions", fitting).json()["matched"] == 0


def test_who_may_no_longer_see_an_item_is_told_nothing_by_the_bulk_action_of_before(
    world: World,
) -> None:
    user_id = world.arrive("former", RoleName.EDITOR)
    made = world.succeed(OWNER, "POST", "/content", {"title": "zqbulk"}).json()["id"]
    asked = {"action": "tag", "tags": ["zqbulktag"], "content_ids": [made]}
    path = world.succeed("former", "POST", "/bulk-actions", asked).headers["Location"]
    path = path.partition("/api/v1")[2]
    world.succeed(ADMIN, "PUT", f"/users/{user_id}/role", {"role": "author"}, If_Match="*")
    (line,) = world.succeed("former", "GET", f"{path}/items").json()["items"]
    assert (line["reason"], line["revision_after"]) == ("not_found", None)
    for who in (COLLEAGUE, EDITOR, OWNER):
        assert world.call(who, "GET", f"{path}/items").status_code == 404
