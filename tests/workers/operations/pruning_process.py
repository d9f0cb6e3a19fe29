"""A process for one test: it prunes versions chain by chain, and sleeps before it commits."""

import time
from collections.abc import Sequence

from sqlalchemy.orm import Session

from tests.services.content.aged_versions import RULE
from webapp.bootstrap import worker_context
from webapp.services.content import retention, version_pruning
from webapp.services.content.repacked_rows import RepackedRow, write_repacked
from webapp.services.content.retention import Place
from webapp.settings import Settings

SECONDS_BEFORE_COMMIT = 0.3


def write_and_sleep(session: Session, rows: Sequence[RepackedRow]) -> set[int]:
    """Write, and leave time for a kill."""
    written = write_repacked(session, rows)
    time.sleep(SECONDS_BEFORE_COMMIT)
    return written


def main() -> None:
    """Prune all."""
    setattr(version_pruning, "write_repacked", write_and_sleep)  # noqa: B010 - it is imported there
    setattr(retention, "_FOUND_AT_ONCE", 1)  # noqa: B010 - one chain in a transaction
    context = worker_context(Settings.from_environment(), application_name="imprint-worker")
    place: Place | None = Place()
    while place is not None:
        with context.transaction() as session:
            place = version_pruning.prune(session, RULE, place).following


if __name__ == "__main__":
    main()
