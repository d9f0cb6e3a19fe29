"""Promises about the other URLs and the sender: checked at start, a sentence without the value."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from webapp.kit.mail_sender import mailable_sender
from webapp.settings import Settings


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("DATABASE_URL", "postgresql://u:hidden%zz%41@h/d", "write each % as %25"),
        ("IMPRINT_DATABASE_DIRECT_URL", "postgresql://u:hidden@h:0/d", "port"),
        ("SMTP_URL", "smtp://user:Hidden2/hidden@mail:587", "port"),
        ("SMTP_URL", "smtp://user:2/hidden@mail:587", "%2F"),
        ("SMTP_URL", "smtp://mail:99999", "port"),
        ("SMTP_URL", "smtp:hidden", "smtp://"),
        ("SMTP_URL", "smtp://", "no host"),
        ("SMTP_URL", "smtp://mail..example", "host"),
        ("SMTP_URL", "smtp://:hidden@mail", "no user"),
        ("SMTP_URL", "smtp://u:hidden%zz%41@mail", "%25"),
        ("SMTP_URL", "smtp://u:hiddenß@mail", "ASCII"),
        ("SMTP_URL", "", "smtp://"),
        ("IMPRINT_ACCOUNT_SMTP_URL", "smtps://u:hidden#1@mail", "port"),
        ("REDIS_URL", "redis://:a/hidden@h", "host"),
        ("REDIS_URL", "redis://u:1/hidden@h", "number"),
        ("REDIS_URL", "redis://h:6379/hidden", "number"),
        ("REDIS_URL", "memcached://hidden", "redis://"),
        ("IMPRINT_BROKER_URL", "amqp://u:p/hidden@h", "port"),
        ("IMPRINT_BROKER_URL", "amqp://u:1/hidden@h", "@"),
        ("IMPRINT_BROKER_URL", "amqp://u:p@h:70000//", "port"),
        ("IMPRINT_BROKER_URL", "sqs://hidden", "amqp://"),
        ("IMPRINT_BASE_URL", "ftp://hidden", "https://"),
        ("IMPRINT_BASE_URL", "https://u:hidden@h", "no password"),
        ("IMPRINT_BASE_URL", "https://h/?hidden", "no ?"),
        ("IMPRINT_CONTENT_URL", "javascript:hidden{slug}", "https://"),
        ("IMPRINT_CONTENT_URL", "https://hidden/{slug.x}", "no other braces"),
        ("IMPRINT_CONTENT_URL", "https://hidden/{", "no other braces"),
        ("IMPRINT_CONTENT_URL", "https://hidden/", "{slug}"),
        ("IMPRINT_PASSWORD_RESET_URL", "https://hidden/#reset", "no #"),
        ("IMPRINT_MAIL_FROM", "Newsroom hidden@example.org", "must be an address"),
        ("IMPRINT_MAIL_FROM", "a@example.org, hidden@example.org", "must be an address"),
        ("IMPRINT_MAIL_FROM", "hiddenß@example.org", "ASCII"),
        ("IMPRINT_MAIL_FROM", "hidden@straße.example", "xn--"),
        ("IMPRINT_NEW_ACCOUNT_ROLE", "admin", "reader or author"),
        ("IMPRINT_NEW_ACCOUNT_ROLE", "editor", "reader or author"),
    ],
)
def test_a_wrong_value_ends_the_start_with_a_sentence_that_does_not_show_it(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, reason: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        Settings.from_environment()
    _, sentence = str(ended.value).splitlines()
    assert sentence.startswith(f"{name}: ")
    assert reason in sentence
    assert "hidden" not in sentence.lower()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("smtp_url", "smtp+starttls://user:a%40b@mail.example:587"),
        ("smtp_url", "smtps://bücher.example"),
        ("smtp_url", "smtp://[::1]:25"),
        ("redis_url", "rediss://:p%2Fw@h:6379/0?ssl_cert_reqs=required"),
        ("broker_url", "amqp://user:password@127.0.0.1:5672//"),
        ("broker_url", "amqps://u:p@a/host;amqps://u:p@b/host"),
        ("broker_url", ""),
        ("content_url", "https://www.example.org/{slug}"),
        ("password_reset_url", "{base_url}/reset"),
        ("new_account_role", "author"),
    ],
)
def test_what_is_right_is_kept_as_it_is(name: str, value: str) -> None:
    assert getattr(Settings.model_validate({name: value}), name) == value


def test_a_base_url_does_not_double_the_slash_behind_it() -> None:
    settings = Settings(_env_file=None, base_url="https://example.org/cms/")
    assert settings.link_to_content("a") == "https://example.org/cms/api/v1/published/a"


@pytest.mark.parametrize(
    ("text", "sender"),
    [
        ("Bücher <news@bücher.example>", "Bücher <news@xn--bcher-kva.example>"),
        ("<a@b.example>", "a@b.example"),
        ('"A, B" <a@b.example>', '"A, B" <a@b.example>'),
        ("Imprint <no-reply@localhost>", "Imprint <no-reply@localhost>"),
    ],
)
def test_a_sender_is_one_that_every_server_can_be_given(text: str, sender: str) -> None:
    assert mailable_sender(text) == sender
    assert mailable_sender(sender) == sender


def test_the_settings_show_no_password() -> None:
    settings = Settings(
        _env_file=None,
        database_url="postgresql://u:hidden@h/d",
        database_direct_url="postgresql://u:hidden@h/d",
        redis_url="redis://:hidden@h",
        broker_url="amqp://u:hidden@h",
        smtp_url="smtp://u:hidden@h",
        account_smtp_url="smtp://u:hidden@h",
    )
    assert "hidden" not in repr(settings)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("database_url", "postgresql:///imprint?host=there"),
        ("redis_url", "redis://there:6379/0"),
        ("smtp_url", "smtp://there:25"),
        ("secret_key", "Sy7_kf2-Qm9xTz4-Lw8vRb1-Nc6pJd3-Hg5a"),
    ],
)
def test_an_empty_value_hides_none_under_the_other_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, field: str, value: str
) -> None:
    def read() -> str:
        found = getattr(Settings(), field)
        return str(found.get_secret_value() if isinstance(found, SecretStr) else found)

    monkeypatch.chdir(tmp_path)
    names = Settings.names_of(field)
    assert len(names) == 2
    for empty, full in (names, names[::-1]):
        monkeypatch.setenv(empty, "")
        monkeypatch.setenv(full, value)
        assert read() == value
        # Nor does it hide what stands in the file.
        monkeypatch.delenv(full)
        (tmp_path / ".env").write_text(f"{full}={value}\n")
        assert read() == value
        (tmp_path / ".env").unlink()
        monkeypatch.delenv(empty)
