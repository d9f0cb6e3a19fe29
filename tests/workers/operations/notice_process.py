"""A worker process for one test: it mails notices until it is killed."""

from tests.workers.operations.killed_worker import work


def main() -> None:
    """Run the jobs of notices as long as there is one."""
    work("SELECT id FROM jobs WHERE kind = 'notices.mail' AND state <> 'done' ORDER BY id LIMIT 1")


if __name__ == "__main__":
    main()
