"""A worker that erases one account and ends when all but the last look is done."""

from tests.workers.operations.killed_worker import work


def main() -> None:
    """Run the job of the erasure whenever it is ready, until nothing is left for it to do now."""
    work(
        "SELECT id FROM jobs WHERE kind = 'account.erase' AND state IN ('ready', 'running')"
        " AND run_at < clock_timestamp() + interval '10 seconds'"
    )


if __name__ == "__main__":
    main()
