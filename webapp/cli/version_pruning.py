"""`flask content prune-versions`: let versions go that have outlived their use."""

from collections import Counter

import click
import orjson
from flask.cli import with_appcontext

from webapp.cli.database import command_session, command_settings
from webapp.services.content import version_pruning
from webapp.services.content.retention import FEWEST_DAYS, KeepRule, Place
from webapp.services.content.version_pruning import Pruning

DAMAGED = 3
"""The exit code that tells of damaged versions, as that of `verify` does."""
DEFAULT_DAYS = 30
_LONGEST_DAYS = 36_500
TOLD_ITEMS = 100

_days = click.IntRange(FEWEST_DAYS, _LONGEST_DAYS)


class _Sum:
    """What all transactions of a run came to."""

    def __init__(self) -> None:
        self.versions: Counter[int] = Counter()
        self.bytes: Counter[int] = Counter()
        self.freed = self.repacked = 0
        self.busy: set[int] = set()
        self.damaged: set[tuple[int, int]] = set()

    def add(self, pruning: Pruning) -> None:
        """Add those of one transaction."""
        self.versions.update(pruning.versions)
        self.bytes.update(pruning.sizes)
        self.freed += pruning.freed
        self.repacked += pruning.repacked
        self.busy |= pruning.busy
        self.damaged |= set(pruning.damaged)


@click.command("prune-versions")
@click.option("--dry-run", is_flag=True, help="Show what would go and change nothing.")
@click.option("--keep-days", type=_days, help="For how many days every version is kept.  "
              f"[default: IMPRINT_KEEP_ALL_VERSIONS_DAYS, or {DEFAULT_DAYS}]")  # fmt: skip
@click.option("--daily-days", type=click.IntRange(0, _LONGEST_DAYS), help="For how many days the "
              "last version of each day is kept, and after that the last of each month.  "
              "[default: IMPRINT_KEEP_DAILY_VERSIONS_DAYS]")  # fmt: skip
@click.option("--item", "content_id", type=click.IntRange(min=1), help="Of this item alone.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@with_appcontext
def prune_versions(
    dry_run: bool,
    keep_days: int | None,
    daily_days: int | None,
    content_id: int | None,
    as_json: bool,
) -> None:
    """Delete versions, but for the last of each day, and later the last of each month.

    Kept whatever their age are the first, the newest, and those that are or were public, were
    scheduled or submitted to a review, have a label, were restored, or are read by a link. Days are
    those of UTC. Numbers are not given again. Ends with 3 where a damaged version keeps others.
    """
    settings = command_settings()
    rule = KeepRule(
        keep_days or settings.keep_all_versions_days or DEFAULT_DAYS,
        settings.keep_daily_versions_days if daily_days is None else daily_days,
    )
    total = _run(rule, content_id, dry_run=dry_run, tells=not as_json)
    if as_json:
        click.echo(orjson.dumps(_as_json(total, dry_run=dry_run)).decode())
    else:
        _print(total, dry_run=dry_run)
    if total.damaged:
        raise click.exceptions.Exit(DAMAGED)


def _run(rule: KeepRule, content_id: int | None, *, dry_run: bool, tells: bool) -> _Sum:
    work = version_pruning.foresee if dry_run else version_pruning.prune
    total = _Sum()
    following: Place | None = Place()
    while following is not None:
        with command_session() as session:
            pruning = work(session, rule, following, content_id=content_id)
        total.add(pruning)
        if tells and not dry_run and pruning.versions:
            so_far = f"{total.versions.total():,} versions gone, {total.freed:,} bytes freed"
            click.echo(f"{so_far}, up to item {max(pruning.versions)} …", err=True)
        following = pruning.following
    return total


def _print(total: _Sum, *, dry_run: bool) -> None:
    would = "would go" if dry_run else "gone"
    for content_id, versions in total.versions.most_common(TOLD_ITEMS):
        click.echo(f"Item {content_id}: {versions:,} versions, {total.bytes[content_id]:,} bytes.")
    if len(total.versions) > TOLD_ITEMS:
        click.echo(f"… and {len(total.versions) - TOLD_ITEMS:,} items more; --json has all.")
    for content_id, number in sorted(total.damaged):
        click.echo(f"Version {number} of item {content_id} is damaged: what is beside it stays.")
    for content_id in sorted(total.busy):
        click.echo(f"Somebody is at work on item {content_id}; it is left for the next run.")
    packed = "" if dry_run else f", {total.repacked:,} packed anew"
    click.echo(
        f"{total.versions.total():,} versions of {len(total.versions):,} items {would}: "
        f"{total.freed:,} bytes{packed}."
    )


def _as_json(total: _Sum, *, dry_run: bool) -> dict[str, object]:
    items = [
        {"content_id": content_id, "versions": versions, "bytes": total.bytes[content_id]}
        for content_id, versions in sorted(total.versions.items())
    ]
    return {
        "dry_run": dry_run,
        "versions": total.versions.total(),
        "bytes": total.freed,
        "repacked": total.repacked,
        "items": items,
        "busy": sorted(total.busy),
        "damaged": [{"content_id": one, "number": number} for one, number in sorted(total.damaged)],
    }
