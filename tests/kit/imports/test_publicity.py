"""Front matter makes an article public by a clear yes alone."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from webapp.kit.imports.article import ImportedArticle, ImportProblem
from webapp.kit.imports.markdown_folder import parse_article

NOW = datetime(2024, 6, 1, tzinfo=UTC)


def parse(fields: str, source: str = "post.md", zone: str = "UTC") -> ImportedArticle:
    text = f"---\ntitle: A title\n{fields}\n---\n\nBody\n"
    return parse_article(text, source, now=NOW, zone=ZoneInfo(zone))


@pytest.mark.parametrize(
    "fields",
    [
        "Draft: true", "DRAFT: yes", "isDraft: true", "is-draft: on", "post_draft: 1", "draft:",
        "Published: false", "published: 'false'", "published: no", "published:", "publish: false",
        "public: false", "isPublished: off", "visible: n", "listed: false",
        "private: yes", "Hidden: true", "unlisted: true", "headless: true", "wip: true",
        "archived: true", "trash: true", "eleventyExcludeFromCollections: true",
        "status: draft", "status: in review", "Status: ''", "status: [published]", "status: 1",
        "post_status: pending", "draft_status: review", "visibility: private", "state: draft",
        "state: California", "access: members", "page-visibility: secret",
        "password: hunter2", "password: 1234",
        "build: {render: never}", "build: {render: false}", "_build: {list: never}",
        "build: {Render: link}", "permalink: false", "permalink: 'false'",
        "expiryDate: 2020-01-01", "unpublishdate: 2020-01-01", "expires: 2024-06-01",
        "expiryDate: true", "expiryDate: 2030-01-01\npublishDate: 2031-01-01",
        "status: future", "scheduled: true",
        "<<: {draft: true}",
    ],
)  # fmt: skip
@pytest.mark.parametrize("date", ["", "date: 2019-01-01"])
def test_whatever_is_no_clear_yes_is_a_draft_with_the_reason(fields: str, date: str) -> None:
    article = parse(f"{fields}\n{date}")
    if date and fields in ("status: future", "scheduled: true"):
        assert article.status == "published"
        return
    assert article.status == "draft"
    assert article.held_back


@pytest.mark.parametrize(
    "fields",
    [
        "draft: false", "Draft: no", "published: true", "Publish: yes", "status: published",
        "Status: Public", "visibility: public", "private: off", "hidden: 0", "password: ''",
        "build: {render: always, list: true}", "permalink: /a/b/", "expiryDate: 2030-01-01",
        "expiryDate:", "unlisted: false", "publisher: A house", "real_estate: yes",
        "draft: false\nisDraft: false", "publishDate: 2020-01-01", "publish: 2020-01-01",
    ],
)  # fmt: skip
def test_a_clear_yes_is_public(fields: str) -> None:
    article = parse(f"{fields}\ndate: 2019-01-01")
    assert (article.status, article.held_back) == ("published", None)


@pytest.mark.parametrize(
    "fields",
    [
        "extra: {draft: true}", "params: {private: yes}", "extra: {status: in review}",
        "params: {embargo: 2099-01-01}", "params: {hidden: perhaps}", "extra: {stage: draft}",
        "not_public: true", "unpublish: true", "isNotPublished: yes", "non-public: on",
        "live: false", "approved: no", "render: false", "members: true", "expired: yes",
        "stage: draft", "type: Private", "build: never", "protected: true",
        "d\u200braft: true", "ｄｒａｆｔ: true", "draft?: true",
    ],
)  # fmt: skip
def test_what_only_looks_like_a_state_holds_an_article_back(fields: str) -> None:
    article = parse(f"{fields}\ndate: 2019-01-01")
    assert article.status == "draft"
    assert article.held_back


@pytest.mark.parametrize(
    "fields",
    [
        "extra: {toc: true, draft: false}", "params: {hidden: }", "extra: {math: {render: false}}",
        "live: https://example.org", "released: 2030-01-01", "members: [Ann, Bob]", "review: 5",
        "render: html", "type: post", "build: true", "unpublish: false", "search_hidden: true",
    ],
)  # fmt: skip
def test_words_that_say_something_else_hold_nothing_back(fields: str) -> None:
    assert parse(f"{fields}\ndate: 2019-01-01").status == "published"


@pytest.mark.parametrize("folder", ["_drafts", "drafts", "Drafts", "a/_drafts/b"])
def test_what_lies_in_a_folder_of_drafts_is_one(folder: str) -> None:
    assert parse("date: 2019-01-01", f"{folder}/post.md").status == "draft"
    assert parse("date: 2019-01-01", "drafts.md").status == "published"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ("draft: perhaps", "neither true nor false"),
        ("private: [a]", "neither true nor false"),
        ("public: sometimes", "neither true nor false"),
        ("hidden: 2", "neither true nor false"),
        ("status: published\ndraft: perhaps", "neither true nor false"),
        ("draft: true\nDraft: false", "'Draft' stands in the front matter twice"),
        ("is_draft: true\ndraft: false", "stands in the front matter twice"),
        ("draft: true\ndraft: false", "stands twice and differs"),
        ("publishDate: 2020-01-01\npublish_date: 2031-01-01", "twice and differs"),
        ("publishDate: next week", "'publishdate' is not a time"),
        ("expiryDate: soon", "'expirydate' is not a time"),
        ("published: perhaps", "'published' is not a time"),
    ],
)
def test_what_can_be_read_in_two_ways_is_a_problem(fields: str, reason: str) -> None:
    with pytest.raises(ImportProblem, match=reason):
        parse(fields)


@pytest.mark.parametrize(
    ("fields", "status", "published_at"),
    [
        ("date: 2019-01-01\npublishDate: 2099-01-01", "scheduled", "2099-01-01"),
        ("date: 2099-01-01\npublishdate: 2019-01-01", "published", "2019-01-01"),
        ("date: 2019-01-01\nembargo: 2099-01-01", "scheduled", "2099-01-01"),
        ("publishDate: 2019-01-01\nembargo: 2099-01-01", "scheduled", "2099-01-01"),
        ("date: 2099-01-01\nstatus: scheduled", "scheduled", "2099-01-01"),
        ("pubDatetime: 2019-01-01T00:00:00Z", "published", "2019-01-01"),
        ("created: 2019-01-01", "published", "2019-01-01"),
        ("created_at: 2018-01-01\nDate: 2019-01-01", "published", "2019-01-01"),
    ],
)
def test_the_moment_of_release_goes_before_the_date(
    fields: str, status: str, published_at: str
) -> None:
    article = parse(fields)
    assert (article.status, article.published_at) == (
        status,
        datetime.fromisoformat(published_at).replace(tzinfo=UTC),
    )


def test_an_end_that_is_to_come_is_kept() -> None:
    assert parse("expiryDate: 2030-01-01").expires_at == datetime(2030, 1, 1, tzinfo=UTC)
    earliest = parse("expiryDate: 2031-01-01\nunpublishDate: 2030-01-01")
    assert earliest.expires_at == datetime(2030, 1, 1, tzinfo=UTC)


def test_unknown_keys_are_private_unless_they_are_named() -> None:
    text = "---\ntitle: x\ninternal_note: fire Bob\nlang: de\nCover: a.png\ndraft: false\n---\nBody"
    article = parse_article(text, "a.md", now=NOW)
    assert article.metadata == {"lang": "de"}
    assert article.private == {"internal_note": "fire Bob", "Cover": "a.png", "draft": False}
    named = parse_article(text, "a.md", now=NOW, public_keys={"cover"})
    assert named.metadata == {"lang": "de", "Cover": "a.png"}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("title: 12:30", "12:30"), ("title: 0123", "0123"), ("title: no", "no"),
        ("title: 1.10", "1.10"), ("title: 1e3", "1e3"), ("title: 2020-01-01", "2020-01-01"),
        ("title: 0x1F", "0x1F"), ("title: 1_000", "1_000"), ("title: =", "="),
    ],
)  # fmt: skip
def test_yaml_is_read_as_it_is_written(written: str, expected: str) -> None:
    text = f"---\n{written}\ntags: [no, 1.10, 010, 12:30:00]\n---\nBody"
    article = parse_article(text, "a.md", now=NOW)
    assert (article.title, article.tags) == (expected, ("no", "1.10", "010", "12:30:00"))


@pytest.mark.parametrize(
    ("written", "zone", "expected"),
    [
        ("2024-05-31 22:01:44", "Asia/Shanghai", "2024-05-31T14:01:44"),
        ("2024-05-31 22:01:44 +0000", "Asia/Shanghai", "2024-05-31T22:01:44"),
        ("2013/7/13 20:46:25", "Asia/Shanghai", "2013-07-13T12:46:25"),
        ("2024-4-09", "UTC", "2024-04-09T00:00:00"),
        ("2013-11-22 5:00:00 +0000", "UTC", "2013-11-22T05:00:00"),
        ("2013-11-22 5:00 +08", "UTC", "2013-11-21T21:00:00"),
        ("2024-01-01", "America/New_York", "2024-01-01T05:00:00"),
        # The clocks skip this hour: it is read as the later of its two readings.
        ("2024-03-10 02:30:00", "America/New_York", "2024-03-10T07:30:00"),
        # And this one they show twice.
        ("2023-11-05 01:30:00", "America/New_York", "2023-11-05T06:30:00"),
    ],
)
def test_times_without_a_zone_are_of_the_zone_that_is_given(
    written: str, zone: str, expected: str
) -> None:
    article = parse(f"date: {written}", zone=zone)
    assert article.published_at == datetime.fromisoformat(expected).replace(tzinfo=UTC)
    assert article.has_zoneless_times is ("+" not in written)


def test_a_day_in_the_path_is_of_the_zone_as_well() -> None:
    article = parse("weight: 1", "_posts/2024-05-15-x.md", zone="America/New_York")
    assert article.published_at == datetime(2024, 5, 15, 4, tzinfo=UTC)
    assert article.has_zoneless_times
