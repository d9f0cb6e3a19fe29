"""A worker that makes one copy, slowly, and ends when it is made."""

import time
from collections.abc import Iterator

from sqlalchemy.orm import Session

from tests.workers.operations.killed_worker import work
from webapp.services.operations import personal_files
from webapp.services.operations.personal_files import Piece

_pieces = personal_files.pieces


def slowly(session: Session, account_id: int) -> Iterator[Piece]:
    """Leave time between two pieces, so that a kill finds the copy half made."""
    for piece in _pieces(session, account_id):
        yield piece
        time.sleep(0.05)


def main() -> None:
    """Run the job until no copy is wanted any more."""
    personal_files.pieces = slowly
    personal_files.FILE_BYTES = 20_000
    work("SELECT id FROM jobs WHERE kind = 'account_export.make' AND state <> 'done'")


if __name__ == "__main__":
    main()
