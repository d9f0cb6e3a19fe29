"""Promises of the benchmark: it measures what it says, at any size, and knows a missed target."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from bench.__main__ import MEASURES, main, run
from bench.articles import PATTERNS, count_public, fill, publish_some
from bench.results import Result, percentile, table
from bench.sizes import TINY
from bench.testbed import Testbed
from webapp.models import ContentVersion
from webapp.services.content.version_texts import digest_of

COMPARED = {
    "content": "author_id, category_id, body, body_format, metadata, status, version, revision",
    "content_versions": "number, author_id, category_id, body, tags, metadata, reason, words",
    "renderings": "html, excerpt",
    "schedules": "action, due_at, if_missed, state, revision, created_by_id",
}


@pytest.fixture(scope="module")
def bed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Testbed]:
    """Servers of the benchmark's own."""
    with Testbed(tmp_path_factory.mktemp("bench"), lambda _step: None) as bed:
        yield bed


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({"reads"}, {"read one article", "read newest 20"}),
        ({"writes"}, {"creates of 4 KB", "edits of 4 KB"}),
        (
            {"hanging"},
            {"/health beside 50 stalled bodies, p99", "public read beside 50 hanging logins, p50"},
        ),
        ({"latency"}, {"job's commit to handler's start, p50"}),
        (
            {"reset_answers"},
            {f"reset of a {kind} address, median" for kind in ("known", "disabled", "frozen")},
        ),
        ({"commands"}, {"flask --help", "flask db upgrade, base to head"}),
        (
            {"versions"},
            {"a version of 20 KB, indexes included", "reading the version 20 of 20 KB"},
        ),
        ({"signins"}, {"GET /accounts/me: server CPU", "sign-ins"}),
        ({"comparisons"}, {"comparison of 400 words"}),
        ({"bulk"}, {"bulk archive of 60 items, each"}),
        ({"search"}, {"search of two words in 100 items, p95"}),
        ({"future"}, {"forecast of 20 of 100, everything; planned: a third each"}),
        ({"fanout", "memory"}, {"fan-out to 500, inbox", "memory of dispatcher (main)"}),
        (
            {"due"},
            {
                "60 due at once, one publishing process, a good day",
                "60 due at once, one publishing process, a site's second day",
                "single schedule, lateness p99",
            },
        ),
        (
            {"release"},
            {
                "a release of 60 items goes live",
                "60 new items put back to not public",
                "60 withdrawn items put back to public",
            },
        ),
    ],
    ids=lambda value: "-".join(sorted(value)) if value <= set(MEASURES) else "",
)
def test_each_measure_runs_and_has_a_value(
    bed: Testbed, chosen: set[str], expected: set[str]
) -> None:
    results = run(bed, TINY, chosen)
    assert expected <= {result.measure for result in results}
    assert all(result.value > 0 for result in results)
    assert all(result.floor > 0 for result in results if result.floor is not None)


def test_copied_articles_are_what_the_services_would_have_made(
    sessions: sessionmaker[Session],
) -> None:
    with sessions() as session:
        fill(session, 3 * PATTERNS)
        for table_name, columns in COMPARED.items():
            copied_twice = f"SELECT 1 FROM {table_name} GROUP BY {columns} HAVING count(*) = 3"
            kinds = session.scalars(text(f"SELECT count(*) FROM ({copied_twice}) AS kinds"))
            assert kinds.one() == PATTERNS, table_name
        versions = session.query(ContentVersion).all()
        assert all(version.digest == digest_of(version, version.tags) for version in versions)
        owned = "SELECT count(*) FROM content JOIN slugs USING (slug) WHERE content_id = content.id"
        assert session.scalars(text(owned)).one() == 3 * PATTERNS
        assert len(publish_some(session, 50)) == count_public(session) == 50


def test_a_missed_target_is_told() -> None:
    slow = Result("speed", 40, "req/s", 100, 0.45, more_is_better=True, target_is_ratio=True)
    quick = Result("speed", 46, "req/s", 100, 0.45, more_is_better=True, target_is_ratio=True)
    late, in_time = (Result("delay", value, "s", target=3) for value in (3.1, 3.0))
    untold = Result("memory", 5, "MiB")
    assert [r.is_missed for r in (slow, quick, late, in_time, untold)] == [
        True, False, True, False, False,
    ]  # fmt: skip
    assert "MISSED" in table([slow])
    assert "MISSED" not in table([quick, in_time, untold])


def test_a_percentile_is_one_of_the_values() -> None:
    assert percentile([5.0, 1.0, 3.0], 50) == 3.0
    assert percentile([float(value) for value in range(1, 201)], 99) == 198.0
    assert percentile([7.0], 99) == 7.0


def test_an_unknown_measure_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--only", "reads,nothing"])
    assert ended.value.code == 2
    assert "fanout" in capsys.readouterr().err
