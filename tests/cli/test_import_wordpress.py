"""What a WordPress export holds is read back whole from the API, and what is not is counted."""

from pathlib import Path

import pytest
from flask.testing import FlaskClient, FlaskCliRunner
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import make_actor

HEAD = b"""<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"
 xmlns:excerpt="http://wordpress.org/export/1.2/excerpt/"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:wp="http://wordpress.org/export/1.2/">
<channel><title>A site</title><link>https://example.org</link><wp:wxr_version>1.2</wp:wxr_version>
"""
ITEM = """<item><title>{name}</title><guid>https://example.org/?p={number}</guid>
<dc:creator>anna</dc:creator><content:encoded><![CDATA[{body}]]></content:encoded>
<wp:post_id>{number}</wp:post_id><wp:post_date_gmt>2010-01-01 00:00:00</wp:post_date_gmt>
<wp:post_name>{name}</wp:post_name><wp:status>{status}</wp:status>
<wp:post_type>{kind}</wp:post_type>{rest}</item>
"""
COMMENT = "<wp:comment><wp:comment_id>1</wp:comment_id></wp:comment>"


def item(number: int, name: str, body: str, rest: str = "", kind: str = "post") -> bytes:
    """Give an item of an export."""
    status = "inherit" if kind == "attachment" else "publish"
    text = ITEM.format(number=number, name=name, body=body, rest=rest, kind=kind, status=status)
    return text.encode()


@pytest.fixture
def export(tmp_path: Path, sessions: sessionmaker[Session]) -> Path:
    """An export with content of many kinds, and one character that XML forbids."""
    with sessions.begin() as session:
        make_actor(session)
    address = "<wp:attachment_url>https://example.org/cat.jpg</wp:attachment_url>"
    path = tmp_path / "export.xml"
    path.write_bytes(
        HEAD
        + item(
            1, "code", '[code language="cpp"]\n#include <vector>\n    x;[/code]\n\nvector<int> it'
        )
        + item(2, "bad", "Be\x08ll")
        + item(3, "gallery", '[gallery ids="9,10"]', COMMENT * 3)
        + item(4, "frame", '<iframe src="https://www.youtube.com/embed/x"></iframe>')
        + item(5, "hollow", "[gallery ids='77']")
        + item(9, "cat", "", address, "attachment")
        + b"</channel></rss>"
    )
    return path


def test_an_export_is_read_back_from_the_api_and_its_losses_are_in_the_summary(
    commands: FlaskCliRunner, client: FlaskClient, export: Path
) -> None:
    result = commands.invoke(args=["content", "import", str(export), "--publish"])
    assert result.exit_code == 0, result.output
    for count, notice in (
        (3, "comment left out"),
        (1, "gallery without pictures"),
        (1, "picture of a gallery that is not in the file"),
        (1, "characters that XML forbids, taken out"),
    ):
        assert f"  {count} × {notice}: " in result.output

    def html(slug: str) -> str:
        document = client.get(f"/api/v1/published/{slug}").get_json()
        return str(document["html"])

    assert '<code class="language-cpp">#include &lt;vector&gt;\n    x;</code>' in html("code")
    assert html("code").endswith("it</p>")
    assert html("bad") == "<p>Bell</p>"
    assert '<img src="https://example.org/cat.jpg"' in html("gallery")
    assert 'href="https://www.youtube.com/embed/x"' in html("frame")
    hollow = client.get("/api/v1/published/hollow")
    assert hollow.status_code == 404
    for slug in ("code", "gallery"):
        assert "original_body" not in client.get(f"/api/v1/published/{slug}").text


def test_a_file_that_breaks_off_keeps_what_came_before_and_says_where(
    commands: FlaskCliRunner, client: FlaskClient, export: Path
) -> None:
    whole = export.read_bytes()
    export.write_bytes(whole[: whole.index(b"<title>gallery")])
    result = commands.invoke(args=["content", "import", str(export), "--publish"])
    assert result.exit_code == 1
    assert "after the item https://example.org/?p=2#2; what follows was not read" in result.output
    assert client.get("/api/v1/published/code").status_code == 200


def test_a_plain_feed_is_told_to_be_no_export(commands: FlaskCliRunner, export: Path) -> None:
    export.write_text("<rss><channel><item><title>A</title></item></channel></rss>")
    result = commands.invoke(args=["content", "import", str(export)])
    assert result.exit_code == 1
    assert "is an RSS feed and no WordPress export" in result.output


@pytest.mark.parametrize(("written", "state"), [("2010", "published"), ("2090", "scheduled")])
def test_what_was_thrown_away_there_is_taken_back_here(
    commands: FlaskCliRunner, sessions: sessionmaker[Session], tmp_path: Path, written: str,
    state: str,
) -> None:  # fmt: skip
    def load(status: str, name: str) -> str:
        path = tmp_path / "export.xml"
        one = item(1, name, "Text").replace(b">publish<", f">{status}<".encode())
        dated = one.replace(b"2010-01-01", f"{written}-01-01".encode())
        path.write_bytes(HEAD + dated + b"</channel></rss>")
        result = commands.invoke(args=["content", "import", str(path), "--publish"])
        assert result.exit_code == 0, result.output
        return result.output

    def count(table: str, condition: str = "true") -> int:
        with sessions() as session:
            return int(session.scalar(text(f"SELECT count(*) FROM {table} WHERE {condition}")) or 0)

    def is_open() -> int:
        return count("publications") + count("schedules", "state = 'pending'")

    with sessions.begin() as session:
        make_actor(session)
    load("trash", "post__trashed")
    assert count("content") == 0
    load("publish" if state == "published" else "future", "post")
    assert is_open() == 1
    output = load("trash", "post__trashed")
    assert ("withdrawn" if state == "published" else "schedule cancelled") in output
    assert "gone there" not in output
    assert is_open() == 0
    assert "has the status trash" in load("trash", "post__trashed")
    load("publish" if state == "published" else "future", "post")
    assert is_open() == 1
