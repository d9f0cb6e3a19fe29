"""A worker process for one test: it packs versions, and sleeps before it commits."""

import time
from collections.abc import Sequence

from sqlalchemy.orm import Session

from tests.workers.operations.killed_worker import work
from webapp.services.content import sealing
from webapp.services.content.sealed_rows import SealedRow, write_sealed

SECONDS_BEFORE_COMMIT = 0.3


def write_and_sleep(session: Session, rows: Sequence[SealedRow]) -> None:
    """Write, and leave time for a kill."""
    write_sealed(session, rows)
    time.sleep(SECONDS_BEFORE_COMMIT)


def main() -> None:
    """Run jobs of the backfill and of sealing whenever one is ready, as long as there is one."""
    setattr(sealing, "write_sealed", write_and_sleep)  # noqa: B010 - it is imported there
    work(
        "SELECT id FROM jobs WHERE kind IN ('backfill.run', 'version.seal')"
        " AND state NOT IN ('done', 'failed') ORDER BY random() LIMIT 1"
    )


if __name__ == "__main__":
    main()
