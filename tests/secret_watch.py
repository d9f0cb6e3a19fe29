"""No secret in any log: what the tests make is looked for in all that was logged meanwhile.

Secrets are noted where they are made or used: by `secrets.token_urlsafe`, from which all tokens of
Imprint come, by what makes the secrets of apps and the recovery codes, by the password hasher, and
in the Authorization of each request. What is logged is
noted where it leaves the application, whatever the level, and in the log files of the processes
that the tests start.
"""

import http.client
import logging
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import argon2
import pyotp
import pytest
import structlog
from flask.testing import FlaskClient

from dev.process import TetheredProcess

# Anything shorter is as likely to be a word of some line as a secret.
SHORTEST = 12
ROOT = Path(__file__).resolve().parents[1]
LONG_WORD = re.compile(rf"[A-Za-z0-9_-]{{{SHORTEST},}}")


class SecretWatch:
    """Notes secrets and log lines while `watching`, and finds the ones in the others."""

    def __init__(self, folder: Path, *known: str) -> None:
        """Keep the lines of this process in a folder; `known` are secrets from before."""
        self._lines = folder / "lines.log"
        self._logs: set[Path] = {self._lines}
        self._secrets: set[str] = set()
        for secret in known:
            self.note(secret)

    def note(self, secret: str) -> None:
        """Take a secret, unless it is too short to be told from a word."""
        if len(secret) >= SHORTEST:
            self._secrets.add(secret)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Note all that this process makes and logs inside the block."""
        with pytest.MonkeyPatch.context() as patch, self._lines.open("a") as lines:
            self._watch_secrets(patch)
            self._watch_factors(patch)

            def keep(line: str) -> None:
                if not lines.closed:  # A logger keeps what it was configured with for longer.
                    lines.write(f"{line}\n")

            self._watch_lines(patch, keep)
            yield

    def find_leaks(self) -> list[str]:
        """Return a sentence for each secret in a log, without the secret."""
        # What stands in the code is no secret, and a test that tries made-up input draws on it.
        search = _Search(self._secrets - _words_of_code())
        leaks = []
        for path in sorted(path for path in self._logs if path.exists()):
            for number, line in enumerate(path.open(errors="replace"), 1):
                if search.finds_one_in(line):
                    leaks.append(f"{path.name}:{number} holds a secret: {self._hide(line)[:200]}")
        return leaks

    def _hide(self, line: str) -> str:
        for secret in self._secrets:
            line = line.replace(secret, "…")
        return line.strip()

    def _watch_secrets(self, patch: pytest.MonkeyPatch) -> None:
        connection, hasher = http.client.HTTPConnection, argon2.PasswordHasher
        make_token, client, put = secrets.token_urlsafe, FlaskClient.open, connection.putheader
        hash_password, verify = hasher.hash, hasher.verify

        def noting_token(nbytes: int | None = None) -> str:
            token = make_token(nbytes)
            self.note(token)
            return token

        def noting_hash(own: Any, password: Any, **options: Any) -> str:
            self._note_password(password)
            return hash_password(own, password, **options)

        def noting_verify(own: Any, hashed: Any, password: Any) -> Any:
            self._note_password(password)
            return verify(own, hashed, password)

        def noting_call(own: Any, *args: Any, **options: Any) -> Any:
            self._note_authorization(dict(options.get("headers") or {}).get("Authorization", ""))
            return client(own, *args, **options)

        def noting_header(own: Any, header: Any, *values: Any) -> None:
            if str(header).lower() == "authorization" and isinstance(values[0], str):
                self._note_authorization(values[0])
            put(own, header, *values)

        patch.setattr(secrets, "token_urlsafe", noting_token)
        patch.setattr(hasher, "hash", noting_hash)
        patch.setattr(hasher, "verify", noting_verify)
        patch.setattr(FlaskClient, "open", noting_call)
        patch.setattr(connection, "putheader", noting_header)

    def _watch_factors(self, patch: pytest.MonkeyPatch) -> None:
        make_digits, make_secret = secrets.token_hex, pyotp.random_base32

        def noting_digits(nbytes: int | None = None) -> str:
            digits = make_digits(nbytes)
            self.note(digits)
            # As recovery codes are shown.
            self.note("-".join(digits[start : start + 5] for start in range(0, len(digits), 5)))
            return digits

        def noting_secret(*args: Any, **options: Any) -> str:
            secret = make_secret(*args, **options)
            self.note(secret)
            return secret

        patch.setattr(secrets, "token_hex", noting_digits)
        patch.setattr(pyotp, "random_base32", noting_secret)

    def _watch_lines(self, patch: pytest.MonkeyPatch, keep: Callable[[str], Any]) -> None:
        formatter = structlog.stdlib.ProcessorFormatter
        wrap, shape, start = formatter.wrap_for_formatter, logging.Handler.format, TetheredProcess

        def noting_event(logger: Any, name: str, event: Any) -> Any:
            keep(repr(event))
            return wrap(logger, name, event)

        def noting_record(own: Any, record: logging.LogRecord) -> str:
            line = shape(own, record)
            keep(line)
            return line

        begin = start.__init__

        def noting_process(own: Any, *args: Any, **options: Any) -> None:
            if options.get("log_path") is not None:
                self._logs.add(Path(options["log_path"]))
            begin(own, *args, **options)

        patch.setattr(formatter, "wrap_for_formatter", staticmethod(noting_event))
        patch.setattr(logging.Handler, "format", noting_record)
        patch.setattr(TetheredProcess, "__init__", noting_process)

    def _note_password(self, password: Any) -> None:
        self.note(password.decode() if isinstance(password, bytes) else str(password))

    def _note_authorization(self, value: str) -> None:
        scheme, _, token = value.partition(" ")
        if scheme.lower() == "bearer":
            self.note(token.strip())


class _Search:
    """Looks for secrets in lines; most of what is in a line was in one before."""

    def __init__(self, wanted: set[str]) -> None:
        words = {secret for secret in wanted if LONG_WORD.fullmatch(secret)}
        self._phrases = sorted(wanted - words)
        self._by_beginning: dict[str, list[str]] = {}
        for word in words:
            self._by_beginning.setdefault(word[:SHORTEST], []).append(word)
        self._harmless: set[str] = set()

    def finds_one_in(self, line: str) -> bool:
        """Say whether a secret is a part of a line."""
        for word in LONG_WORD.findall(line):
            if word not in self._harmless:
                if self._is_around_a_secret(word):
                    return True
                self._harmless.add(word)
        return any(phrase in line for phrase in self._phrases)

    def _is_around_a_secret(self, word: str) -> bool:
        return any(
            word.startswith(secret, start)
            for start in range(len(word) - SHORTEST + 1)
            for secret in self._by_beginning.get(word[start : start + SHORTEST], ())
        )


def _words_of_code() -> set[str]:
    """Return the long words of all that ships."""
    return {
        word
        for package in ("webapp", "workers")
        for path in (ROOT / package).rglob("*.py")
        for word in LONG_WORD.findall(path.read_text(encoding="utf-8"))
    }
