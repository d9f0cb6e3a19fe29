"""What `flask content import` tells of what it did."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import click

from webapp.kit.imports.article import ImportedArticle
from webapp.services.interchange.content_import import Imported, Result

NAMED = 3
"""How many sources stand beside each reason as examples."""


@dataclass
class Summary:
    """What became of everything that was found; each line with the source that it is of."""

    results: Counter[Result] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    acts: list[tuple[str, str]] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    not_applied: list[tuple[str, str]] = field(default_factory=list)
    notices: list[tuple[str, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    new_authors: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def add(self, article: ImportedArticle, imported: Imported) -> None:
        """Count what became of one article."""
        self.add_item(article.source, imported)
        notices = (*_notices(article), *imported.notices)
        self.notices += [(article.source, notice) for notice in notices]

    def add_item(self, source: str, imported: Imported) -> None:
        """Count what became of one item, whatever its source is by now."""
        self.results[imported.result] += 1
        self.states[imported.state] += 1
        self.acts += [(source, act) for act in imported.acts]
        told = self.skipped if imported.result is Result.SKIPPED else self.not_applied
        told += [(source, reason) for reason in imported.not_applied]
        self.new_authors += imported.new_authors

    def add_all(self, part: "Summary") -> None:
        """Count what became of one batch."""
        self.results += part.results
        self.states += part.states
        self.acts += part.acts
        self.skipped += part.skipped
        self.not_applied += part.not_applied
        self.notices += part.notices
        self.problems += part.problems
        # A run that changes nothing makes the account of an author once for each batch.
        known = set(self.new_authors)
        self.new_authors += [name for name in part.new_authors if name not in known]
        self.seen |= part.seen

    def print(self, *, dry_run: bool) -> None:
        """Print it: problems to the standard error, all else to the standard output."""
        if dry_run:
            click.echo("Nothing was changed; this is what would happen.")
        for result in (Result.CREATED, Result.UPDATED, Result.UNCHANGED):
            click.echo(f"{result.value:<12} {self.results[result]:>6}")
        _print_reasons("skipped", self.skipped)
        for state in ("public", "scheduled", "draft"):
            click.echo(f"{state:<12} {self.states[state]:>6}")
        for heading in ("acts", "not applied", "notices"):
            lines = getattr(self, heading.replace(" ", "_"))
            if lines or heading == "notices":
                _print_reasons("done" if heading == "acts" else heading, lines)
        if self.new_authors:
            click.echo(f"new authors  {len(self.new_authors):>6}: {', '.join(self.new_authors)}")
        if self.gone:
            click.echo(f"gone there   {len(self.gone):>6}: {_some(self.gone)} (they stay here)")
        for line in self.left_out:
            click.echo(f"left out: {line}")
        click.echo(f"{'failed':<12} {len(self.problems):>6}")
        for problem in self.problems:
            click.echo(f"  {problem}", err=True)


def _notices(article: ImportedArticle) -> list[str]:
    notices = list(article.notices)
    if article.held_back is not None:
        notices.append(f"kept as a draft: {article.held_back}")
    if article.has_zoneless_times:
        notices.append("its time names no zone (see --timezone)")
    if article.status == "published" and article.published_at is None:
        notices.append("has no date and shows the moment at which it is published here")
    return notices


def _print_reasons(heading: str, lines: list[tuple[str, str]]) -> None:
    click.echo(f"{heading:<12} {len(lines):>6}")
    grouped: dict[str, list[str]] = {}
    for source, reason in lines:
        grouped.setdefault(reason, []).append(source)
    for reason, sources in grouped.items():
        click.echo(f"  {len(sources)} × {reason}: {_some(dict.fromkeys(sources))}")


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:NAMED]) + (", …" if len(listed) > NAMED else "")
