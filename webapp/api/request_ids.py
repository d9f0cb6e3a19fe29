"""The id that each request has, in its answer, in the log and in the jobs that it causes."""

import re
from uuid import uuid4

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


def choose_request_id(given: str) -> str:
    """Return the id that the client gave its request where that is a sane one, else a new one."""
    return given if REQUEST_ID.fullmatch(given) else uuid4().hex
