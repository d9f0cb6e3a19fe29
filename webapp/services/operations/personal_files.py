"""All that is kept of a person, as zips of JSON lines: a file of each for every table.

What is theirs follows from `webapp/models/personal_data.py`. Hashes stand in no export.
"""

import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from zipfile import ZIP_DEFLATED, ZipFile

from sqlalchemy import LargeBinary, text
from sqlalchemy.orm import Session

from webapp.models import Base, ContentVersion
from webapp.models.arrays import is_one_of
from webapp.models.held import Held
from webapp.models.personal_data import HELD
from webapp.services.content.version_texts import StoredVersion, read_stored, stored
from webapp.services.errors import DamagedVersionError

# A file is ended beyond this many bytes, so that neither a worker nor an answer holds more.
FILE_BYTES = 16 * 1024 * 1024
# So many rows are fetched at once: a version of an item may be 2 MB.
ROWS_AT_ONCE = 10
# A sign of life goes out after so much text, or so many rows.
PIECE_BYTES = 4 * 1024 * 1024
PIECE_ROWS = 1_000

# A line by somebody else about this account tells what was done, and not from where they did it.
_LINES = """
    SELECT id, created_at, actor_id, action, subject_kind, subject_id, erased_at, agent_session,
        CASE WHEN actor_id = :account_id THEN address END AS address,
        CASE WHEN actor_id = :account_id THEN user_agent END AS user_agent,
        CASE WHEN actor_id = :account_id THEN request_id END AS request_id,
        CASE WHEN actor_id = :account_id THEN session_id END AS session_id,
        CASE WHEN actor_id = :account_id THEN api_key_id END AS api_key_id,
        CASE WHEN actor_id = :account_id THEN details END AS details,
        CASE WHEN actor_id = :account_id THEN changes END AS changes
    FROM activity_logs
    WHERE actor_id = :account_id OR (subject_kind = 'user' AND subject_id = :account_id)
"""
# Found by the inbox, because an index by reader would make telling slower.
_MAILS = """
    SELECT mail.event_id, mail.user_id, mail.state, mail.attempts, mail.next_attempt_at,
        mail.created_at, mail.sent_at, mail.answer
    FROM notifications AS told JOIN mail_deliveries AS mail
        ON mail.event_id = told.event_id AND mail.user_id = told.user_id
    WHERE told.user_id = :account_id
"""
_OF_THEIR_OWN = {"activity_logs": _LINES, "mail_deliveries": _MAILS}


@dataclass(frozen=True)
class Piece:
    """How far the copy has come: so many rows more, and a finished file, where one is."""

    rows: int
    file: bytes | None = None


def pieces(session: Session, account_id: int) -> Iterator[Piece]:
    """Yield the copy of what is kept of an account, in pieces that bound the memory it takes.

    The session is read from end to end in one transaction: let it be one that sees one moment.
    """
    file = _File()
    file.add("README.txt", [_about().encode()])
    for table, query in _queries():
        rows, size = 0, 0
        found = session.execute(
            text(f"SELECT row_to_json(mine)::text FROM ({query}) AS mine"),  # noqa: S608
            {"account_id": account_id},
            execution_options={"yield_per": ROWS_AT_ONCE},
        )
        for batch in found.scalars().partitions(ROWS_AT_ONCE):
            whole = _with_texts(session, batch) if table == "content_versions" else batch
            lines = [f"{line}\n".encode() for line in whole]
            file.add(f"{table}.jsonl", lines)
            rows, size = rows + len(lines), size + sum(map(len, lines))
            if file.size >= FILE_BYTES:
                yield Piece(rows, file.end())
                file, rows, size = _File(), 0, 0
            elif rows >= PIECE_ROWS or size >= PIECE_BYTES:
                yield Piece(rows)
                rows, size = 0, 0
        yield Piece(rows)
    yield Piece(0, file.end())


class _File:
    """A zip in the making, in memory; each table is a member that grows until the next begins."""

    def __init__(self) -> None:
        self._buffer = io.BytesIO()
        self._archive = ZipFile(self._buffer, "w", ZIP_DEFLATED)
        self._name = ""
        self._member: io.BufferedIOBase | None = None

    @property
    def size(self) -> int:
        """How large it is so far; what is not compressed yet is not in it."""
        return self._buffer.tell()

    def add(self, name: str, lines: list[bytes]) -> None:
        """Write lines into the member with this name."""
        if self._member is None or name != self._name:
            self._end_member()
            self._name = name
            self._member = self._archive.open(name, "w", force_zip64=True)  # type: ignore[assignment]
        assert self._member is not None  # noqa: S101 - it was opened above
        self._member.writelines(lines)

    def end(self) -> bytes:
        """Return the whole."""
        self._end_member()
        self._archive.close()
        return self._buffer.getvalue()

    def _end_member(self) -> None:
        if self._member is not None:
            self._member.close()


def _exported() -> Iterator[tuple[str, Held]]:
    for table, held in HELD.items():
        if held.is_exported and (held.people or table == "users"):
            yield table, held


def _queries() -> Iterator[tuple[str, str]]:
    """Yield each table with what is theirs in it."""
    for table, held in _exported():
        if table in _OF_THEIR_OWN:
            yield table, _OF_THEIR_OWN[table]
            continue
        hidden = held.hidden.split()
        columns = [
            f'"{column.name}"'
            for column in Base.metadata.tables[table].columns
            if column.name not in hidden and not isinstance(column.type, LargeBinary)
        ]
        link = next(iter(held.people), "id")
        yield table, f"SELECT {', '.join(columns)} FROM {table} WHERE {link} = :account_id"  # noqa: S608


def _with_texts(session: Session, lines: Sequence[str]) -> list[str]:
    """Put the texts of packed versions into their lines. What is damaged says so in its place."""
    rows = [json.loads(line) for line in lines]
    packed = [row["id"] for row in rows if row["body"] is None]
    if not packed:
        return list(lines)
    found = read_stored(session, stored(is_one_of(ContentVersion.id, packed)))
    texts = {version.row.id: version for version in found}
    return [
        line if row["body"] is not None else json.dumps({**row, **_text_of(texts[row["id"]])})
        for line, row in zip(lines, rows, strict=True)
    ]


def _text_of(version: StoredVersion) -> dict[str, str]:
    try:
        whole = version.read()
    except DamagedVersionError as error:
        return {"body": str(error)}
    return {"body": whole.body, "excerpt": whole.excerpt}


def _about() -> str:
    """Return what the files are, for whoever opens the zip."""
    lines = [f"{table}.jsonl: {held.why}. Kept {held.until}.\n" for table, held in _exported()]
    return (
        "What is kept of your account, one JSON object a line, as it was when this was made.\n"
        "A large copy has several files, which go on with the same tables.\n\n" + "".join(lines)
    )
