"""A worker process for one test: it lets a release go live until it is done or killed."""

from tests.workers.operations.killed_worker import work


def main() -> None:
    """Run the job of a release whenever it is ready, as long as there is one."""
    work("SELECT id FROM jobs WHERE kind = 'release.publish' AND state <> 'done'")


if __name__ == "__main__":
    main()
