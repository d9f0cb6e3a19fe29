"""A newsroom on a real server: every role, and one author's items in every state.

Each item that is not public has a word of its own in everything that it says: a word that must not
appear where its item may not be seen.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session, sessionmaker

from dev.ports import LOOPBACK, free_port
from dev.programs import programs
from dev.run_options import child_environment
from tests.chaos.process_keeper import KeptProcess
from tests.chaos.real_worker import wait_until
from tests.chaos.rig import ROOT
from tests.factories import PASSWORD
from tests.patience import HANG_SECONDS
from webapp.kit.clock import utc_now
from webapp.kit.permissions import Scope
from webapp.kit.roles import RoleName
from webapp.models import Content, ImportRecord, Role, Tag, User
from webapp.services.content import taxonomy
from webapp.services.interchange import sources
from webapp.settings import Settings

STATES = (
    "draft",
    "scheduled",
    "public with newer draft",
    "withdrawn",
    "retracted",
    "trashed",
    "archived",
    "reviewed",
)
ANONYMOUS, READER, OWNER, COLLEAGUE, EDITOR, MANAGER, ADMIN = PEOPLE = (
    "anonymous", "reader", "owner", "colleague", "editor", "manager", "admin",
)  # fmt: skip
ROLE_OF = {
    READER: RoleName.READER,
    OWNER: RoleName.AUTHOR,
    COLLEAGUE: RoleName.AUTHOR,
    EDITOR: RoleName.EDITOR,
    MANAGER: RoleName.MANAGER,
    ADMIN: RoleName.ADMIN,
}
PUBLIC_WORD = "openword"


@dataclass
class Item:
    """One item of the owner; `word` is in its draft alone, `slug` is its draft's.

    `shelf_word` names the category of its draft, which an import has made; authors choose among all
    categories, and nobody else may know of it. None where something in it was public.
    """

    id: int
    state: str
    word: str
    slug: str
    tag_id: int
    schedule_id: int | None = None
    review_id: int | None = None
    thread_id: int | None = None
    shelf_word: str | None = None
    category_id: int | None = None

    def words_in(self, told: str) -> list[str]:
        """Return those of its words that something tells."""
        return [word for word in (self.word, self.shelf_word) if word and word in told]


@dataclass
class World:
    """The server's address, everybody's token, and the items by their states."""

    api: str
    root: str
    sessions: sessionmaker[Session]
    log_path: Path
    tokens: dict[str, str] = field(default_factory=dict)
    ids: dict[str, int] = field(default_factory=dict)
    items: dict[str, Item] = field(default_factory=dict)

    def call(
        self, who: str, method: str, path: str, json: Any = None, **headers: str
    ) -> requests.Response:
        """Call the API as somebody; underscores in header names stand for hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if who != ANONYMOUS:
            named.setdefault("Authorization", f"Bearer {self.tokens[who]}")
        base = self.root if path.startswith("!") else self.api
        return requests.request(
            method, base + path.removeprefix("!"), json=json, headers=named, timeout=HANG_SECONDS,
            allow_redirects=False,
        )  # fmt: skip

    def succeed(
        self, who: str, method: str, path: str, json: Any = None, **headers: str
    ) -> requests.Response:
        """Call the API, which has to say yes."""
        answer = self.call(who, method, path, json, **headers)
        assert answer.ok, (method, path, answer.status_code, answer.text)
        return answer

    def key_of(self, who: str, scope: Scope) -> str:
        """Return the name under which `call` comes with a key of somebody, with one scope."""
        name = f"{who}'s key to {scope.value}"
        if name not in self.tokens:
            asked = {"name": name, "scopes": [scope], "expires_in_days": 1, "password": PASSWORD}
            made = self.succeed(who, "POST", "/auth/api-keys", asked)
            self.tokens[name] = made.json()["key"]
        return name

    def arrive(self, who: str, role: RoleName) -> int:
        """Let somebody register, get a role and log in; returns the account's id."""
        account = {"login": who, "email": f"{who}@example.org", "password": PASSWORD}
        user_id: int = self.succeed(ANONYMOUS, "POST", "/accounts", account).json()["id"]
        with self.sessions.begin() as session:
            role_id = select(Role.id).where(Role.name == role.value).scalar_subquery()
            session.execute(update(User).where(User.id == user_id).values(role_id=role_id))
        credentials = {"login": who, "password": PASSWORD}
        answer = self.succeed(ANONYMOUS, "POST", "/auth/token", credentials)
        self.tokens[who] = answer.json()["access_token"]
        self.ids[who] = user_id
        return user_id


def may_see_shelves(who: str) -> bool:
    """Say whether somebody may see the categories that drafts alone have: authors and above."""
    return who in ROLE_OF and ROLE_OF[who].includes(RoleName.AUTHOR)


def may_see(who: str) -> bool:
    """Say whether somebody may see the owner's drafts: the owner, and editors and above."""
    return who == OWNER or (who in ROLE_OF and ROLE_OF[who].includes(RoleName.EDITOR))


@contextmanager
def running_world(
    settings: Settings, sessions: sessionmaker[Session], folder: Path
) -> Iterator[World]:
    """Run the API as a process inside the block, with everybody and every item in it."""
    port = free_port()
    environment = child_environment(
        {
            "DATABASE_URL": settings.database_url,
            "REDIS_URL": settings.redis_url,
            "SMTP_URL": settings.smtp_url,
            "SECRET_KEY": settings.secret_key.get_secret_value(),
            "IMPRINT_RATE_LIMITS": "false",
            "IMPRINT_LOG_LEVEL": "DEBUG",
        }
    )
    web = next(program for program in programs(port, None, folder) if program.name == "web")
    process = KeptProcess("web", web, environment, ROOT, folder)
    process.start()
    try:
        root = f"http://{LOOPBACK}:{port}"
        world = World(f"{root}/api/v1", root, sessions, process.log_path)
        wait_until(lambda: _answers(root))
        for who, role in ROLE_OF.items():
            world.arrive(who, role)
        world.succeed(READER, "PUT", f"/follows/author/{world.ids[OWNER]}")
        for state in STATES:
            world.items[state] = _write_item(world, state)
        _came_from_elsewhere(world, world.items["draft"])
        yield world
    finally:
        process.end()


def _answers(root: str) -> bool:
    try:
        return requests.get(f"{root}/health", timeout=HANG_SECONDS).ok
    except requests.ConnectionError:
        return False


def _write_item(world: World, state: str) -> Item:
    """Write an item of the owner, in which nothing but its present draft holds its word."""
    word = "zq" + state.split()[0]
    slug = f"hush-{word[2:]}"
    secret: dict[str, Any] = {
        "title": f"Title {word}", "slug": slug, "body": f"Body {word}", "excerpt": f"Ex {word}",
        "tags": [f"tag {word}"], "metadata": {word: word},
    }  # fmt: skip
    shelf_word = None if state == "withdrawn" else f"zk{word[2:]}"
    if shelf_word is not None:
        with world.sessions.begin() as session:
            secret["category_id"] = taxonomy.ensure_category(session, shelf_word)
    is_public_before = state in ("public with newer draft", "retracted")
    first = {"title": f"Title {PUBLIC_WORD}", "slug": f"plain-{word[2:]}", "body": PUBLIC_WORD}
    made = world.succeed(OWNER, "POST", "/content", first if is_public_before else secret).json()
    path = f"/content/{made['id']}"
    item = Item(made["id"], state, word, slug, tag_id=0, shelf_word=shelf_word)
    item.category_id = secret.get("category_id")
    said = {"body": f"About {word}", "version": 1, "line": 1}
    item.thread_id = world.succeed(OWNER, "POST", f"{path}/comments", said).json()["id"]
    _bring_about(world, item, path, secret)
    with world.sessions() as session:
        item.tag_id = session.scalars(select(Tag.id).where(Tag.name == f"tag {word}")).one()
    return item


def _bring_about(world: World, item: Item, path: str, secret: dict[str, Any]) -> None:
    """Take a new item to the state that it is to be in."""
    if item.state == "scheduled":
        at = (utc_now() + timedelta(days=30)).isoformat()
        plan = {"action": "publish", "at": at}
        planned = world.succeed(EDITOR, "POST", f"{path}/schedule", plan, If_Match="*")
        item.schedule_id = planned.json()["id"]
    elif item.state == "public with newer draft":
        world.succeed(EDITOR, "POST", f"{path}/publish", {}, If_Match="*")
        world.succeed(OWNER, "PATCH", path, secret, If_Match="*")
    elif item.state == "retracted":
        world.succeed(EDITOR, "POST", f"{path}/publish", {}, If_Match="*")
        why = {"reason": "It was wrong."}
        world.succeed(EDITOR, "POST", f"{path}/retract", why, If_Match="*")
        world.succeed(OWNER, "PATCH", path, secret, If_Match="*")
    elif item.state == "withdrawn":
        world.succeed(EDITOR, "POST", f"{path}/publish", {}, If_Match="*")
        world.succeed(EDITOR, "POST", f"{path}/unpublish", If_Match="*")
    elif item.state == "trashed":
        world.succeed(OWNER, "POST", f"{path}/trash", If_Match="*")
    elif item.state == "archived":
        world.succeed(OWNER, "POST", f"{path}/archive", If_Match="*")
    elif item.state == "reviewed":
        asked = world.succeed(OWNER, "POST", f"{path}/reviews", {}, If_Match="*")
        item.review_id = asked.json()["id"]


def _came_from_elsewhere(world: World, item: Item) -> None:
    """Make an item one that an import has brought, with its word in what its source keeps back."""
    with world.sessions.begin() as session:
        source = {"import_source": f"{item.word}:1"}
        session.execute(update(Content).where(Content.id == item.id).values(source))
        said = sources.Said(
            title=item.word, slug=item.slug, status="draft", published_at=None, expires_at=None,
            author=None,
        )  # fmt: skip
        session.add(
            ImportRecord(
                content_id=item.id,
                collection="there",
                said=said.as_json(),
                private={"note": item.word},
                slug=item.slug,
            )
        )


def stored_texts(session: Session, statement: str) -> str:
    """Return all that a query finds, as one text."""
    return "\n".join(str(row) for row in session.execute(text(statement)))
