"""Promises about the form of a mail: no name and no title breaks it, and every server takes it."""

import email
import random
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import default
from email.utils import getaddresses

import pytest

from webapp.adapters.mail import MailText, build_message
from webapp.adapters.mail_headers import WRITTEN, UnmailableAddressError, mailbox_header
from webapp.adapters.mail_templates import render_mail
from webapp.kit.visible_lines import make_line

SIGNS = list(
    "abc ABC,;:\"\\()<>[]@.'=?_-+éüßłжあ中👩\u200d👧\u202e\u2028\n\r\t\x00\x7f\ufeff\u0301١"
)
HEADERS = [
    "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "X-Auto-Response-Suppress",
    "Precedence", "List-Unsubscribe", "List-Unsubscribe-Post",
]  # fmt: skip


def build(name: str, title: str = "title", sender: str = '"Néws, x" <a@x.org>') -> bytes:
    """Return the bytes of a mail of an event."""
    return build_message(
        MailText(title, "t" * 2000 + title, "<p>é</p>" + "h" * 2000),
        sender=sender,
        address="b@example.org",
        name=name,
        message_id="<1@x.org>",
        unsubscribe_url="http://127.0.0.1:8000/unsubscribe?reader=1&key=k",
    ).as_bytes()


def name_in(raw: bytes) -> str:
    """Return the name of the reader, as RFC 2047 has it: no space between two encoded words."""
    value = email.message_from_bytes(raw)["To"].replace("\n", "").replace("\r", "")
    return str(make_header(decode_header(value.rpartition(" <")[0])))


@pytest.mark.parametrize("name", ["Александра Константинопольская", "名" * 60, "é" * 60])
def test_a_long_name_of_any_script_stays_in_its_header(name: str) -> None:
    assert name_in(build(name)) == name


@pytest.mark.parametrize("seed", range(8))
def test_headers_of_any_name_and_title_are_read_as_they_were_meant(seed: int) -> None:
    chance, shown = random.Random(seed), 0
    for _ in range(250):
        name = "".join(chance.choices(SIGNS, k=chance.randint(0, chance.choice([5, 30, 200]))))
        raw = build(name, name)
        read = email.message_from_bytes(raw, policy=default)
        assert [key for key in read if key not in {"MIME-Version", "Content-Type"}] == HEADERS
        (reader,) = read["To"].addresses
        assert reader.addr_spec == "b@example.org"
        if reader.display_name:
            assert name_in(raw) == make_line(name, 60)
        assert str(read["Subject"]) == make_line(name, 150)
        plain = email.message_from_bytes(raw)
        assert [address for _, address in getaddresses([plain["To"]])] == ["b@example.org"]
        shown += reader.display_name != ""
    assert shown > 50


def test_a_mail_is_plain_seven_bit_text_of_short_lines() -> None:
    raw = build("Ünï " * 80, "中" * 300)
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 100
    assert max(len(line) for line in raw.split(b"\r\n") if b"=?utf-8" in line) <= 76
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert b"8bit" not in raw


@pytest.mark.parametrize(
    "address", ["jörg@example.com", "a b@x.org", "a@x.org\r\nBcc: c@x.org", ""]
)
def test_an_address_that_no_header_bears_is_refused_without_telling_it(address: str) -> None:
    with pytest.raises(UnmailableAddressError) as refused:
        mailbox_header("name", address)
    assert not address or address[:3] not in str(refused.value)


def test_a_sender_that_no_header_bears_is_no_fault_of_the_reader() -> None:
    with pytest.raises(RuntimeError, match="IMPRINT_MAIL_FROM"):
        build("name", sender="jörg@example.com")


@pytest.mark.parametrize("value", ["a\r\nBcc: c@x.org", "a\nb", "a\rb", "ä", "a\x00b"])
def test_no_header_begins_another_one(value: str) -> None:
    with pytest.raises(ValueError, match="not written"):
        EmailMessage(policy=WRITTEN)["Subject"] = value


def test_old_rows_make_no_lines_of_their_own_in_a_mail() -> None:
    mail = render_mail(
        "content_event", "s", name="x\n\nWe moved: y", is_new=True, author_name="a\u2028b\u202e",
        title="News\r\n\r\nhttp://evil.example", url="http://x.org/a", unsubscribe_url="http://x.org/u",
    )  # fmt: skip
    assert mail.text.splitlines()[:3] == [
        "Hello x We moved: y,", "", "a b has published: News http://evil.example",
    ]  # fmt: skip
    assert "\u202e" not in mail.html
