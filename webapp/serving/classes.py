"""The classes of requests: what belongs to each, and how much of a process it may take.

A class has threads of its own, so that one in which every request hangs takes none from another.
The sum of the threads that take a session from the pool of connections is what a process keeps
and may open at the default IMPRINT_DATABASE_POOL_SIZE, so no class waits for the connections of
another either. What the public reads has connections beside that pool.
"""

from dataclasses import dataclass

from webapp.api.blueprint import API_PREFIX

PUBLISHED = f"{API_PREFIX}/published"
CONTENT = f"{API_PREFIX}/content"
# Reads for which texts may have to be rendered.
RENDERED = ("/comparison", "/checks")
# It shows a version with what changed in it marked.
REVIEW_PAGE = "/review"
AGENT_SESSIONS = f"{API_PREFIX}/activity/sessions/"
BULK_ACTIONS = f"{API_PREFIX}/bulk-actions"
RELEASES = f"{API_PREFIX}/releases"


@dataclass(frozen=True)
class RequestClass:
    """Requests that share threads; docs/operations.md shows the same table to operators.

    At most `threads` run at once and `places` wait for one of these threads, `wait_seconds` long;
    one more is refused at once. After `answer_seconds` from its start a request is answered with
    503 whatever its thread is at. That is longer than PostgreSQL gives a statement, so it is the
    last resort, and the thread stays taken until what holds it up has ended.
    """

    name: str
    threads: int
    places: int
    wait_seconds: float
    answer_seconds: float


HEALTH = RequestClass("health", threads=1, places=64, wait_seconds=2, answer_seconds=5)
PUBLIC = RequestClass("public reads", threads=4, places=256, wait_seconds=5, answer_seconds=20)
LISTS = RequestClass("public lists", threads=2, places=64, wait_seconds=5, answer_seconds=20)
# Each of these holds 19 MiB for its Argon2 hash and a core for 25 ms.
PASSWORDS = RequestClass("passwords", threads=2, places=64, wait_seconds=5, answer_seconds=30)
# Texts are rendered and compared here, which can take seconds of a core.
CONTENTS = RequestClass("content changes", threads=2, places=32, wait_seconds=10, answer_seconds=60)
READY = RequestClass("ready", threads=1, places=64, wait_seconds=5, answer_seconds=10)
METRICS = RequestClass("metrics", threads=1, places=8, wait_seconds=5, answer_seconds=20)
OTHERS = RequestClass("everything else", threads=4, places=64, wait_seconds=5, answer_seconds=30)

CLASSES = (HEALTH, PUBLIC, LISTS, PASSWORDS, CONTENTS, READY, METRICS, OTHERS)
# Those whose threads take a session from the pool of connections.
WITH_SESSIONS = (PASSWORDS, CONTENTS, READY, METRICS, OTHERS)

_BY_PATH = {"/health": HEALTH, "/ready": READY, "/metrics": METRICS}
_WITH_PASSWORD = {
    ("POST", f"{API_PREFIX}/auth/token"),
    ("POST", f"{API_PREFIX}/accounts"),
    ("POST", f"{API_PREFIX}/auth/api-keys"),
    ("PUT", f"{API_PREFIX}/accounts/me/password"),
    ("PUT", f"{API_PREFIX}/accounts/me/email"),
    ("POST", f"{API_PREFIX}/auth/passkeys/creation-options"),
    ("POST", f"{API_PREFIX}/auth/second-factors/totp"),
    ("POST", f"{API_PREFIX}/auth/second-factors/totp/remove"),
    ("POST", f"{API_PREFIX}/auth/second-factors/recovery-codes"),
    ("POST", f"{API_PREFIX}/accounts/me/deletion"),
    ("POST", f"{API_PREFIX}/auth/password-reset/confirm"),
    ("POST", "/reset-password"),
}
_READS = {"GET", "HEAD"}
_HARMLESS = {*_READS, "OPTIONS"}


def class_of(method: str, path: str, query: str) -> RequestClass:
    """Return the class of a request, by what its first line says and nothing else.

    The first line is read as the router reads it, so that no other spelling leads to the same view
    in another class.
    """
    method, path = method.upper(), f"/{path.lstrip('/')}"
    if path.startswith(PUBLISHED) and method in _READS:
        return LISTS if query else PUBLIC
    if path in _BY_PATH:
        return _BY_PATH[path]
    if (method, path) in _WITH_PASSWORD:
        return PASSWORDS
    if path == REVIEW_PAGE:
        return CONTENTS
    if path.startswith(CONTENT) and (method not in _HARMLESS or path.endswith(RENDERED)):
        return CONTENTS
    if path.startswith((AGENT_SESSIONS, BULK_ACTIONS, RELEASES)) and method not in _HARMLESS:
        return CONTENTS
    return OTHERS
