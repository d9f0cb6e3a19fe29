"""A worker process for one test: it works on bulk actions until they are done or it is killed."""

from tests.workers.operations.killed_worker import work


def main() -> None:
    """Run the job of a bulk action whenever it is ready, as long as there is one."""
    work("SELECT id FROM jobs WHERE kind = 'bulk_action.run' AND state <> 'done'")


if __name__ == "__main__":
    main()
