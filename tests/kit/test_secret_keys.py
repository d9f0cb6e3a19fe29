"""Promises about secret keys: what nobody made at random is refused."""

import secrets

import pytest

from webapp.kit.secret_keys import MINIMUM_LENGTH, weakness_of


@pytest.mark.parametrize(
    ("key", "word"),
    [
        ("", "32 characters"),
        ("x8Kq2", "32 characters"),
        ("c26a064292f28f42246af51d0f4f6b", "32 characters"),
        ("a" * 32, "distinct"),
        ("ababababababababababababababababab", "distinct"),
        ("abcdefghijklabcdefghijklabcdefghijkl", "repeated"),
        ("k3y9zq1wm" * 4 + "k3y", "repeated"),
        ("passwordpasswordpasswordpassword1", "repeated"),
        ("1-password-2-password-3-password-4", "repeated"),
        ("X7-" + "Imprint2031!" * 3, "repeated"),
        ("abcdefghijklmnopqrstuvwxyz0123456789", "order"),
        ("changemechangemechangemechangeme", "placeholder"),
        ("Change-Me, please: 8412 5937 6501 zq", "placeholder"),
        ("development-only-secret-key-do-not-deploy", "placeholder"),
        ("django-insecure-9f8s7df98s7df98s7df", "placeholder"),
    ],
)
def test_what_could_be_guessed_is_refused_with_the_reason(key: str, word: str) -> None:
    assert word in (weakness_of(key) or "")


def test_what_was_made_at_random_is_taken() -> None:
    for _ in range(300):
        for key in (secrets.token_hex(32), secrets.token_urlsafe(48), secrets.token_hex(16)):
            assert weakness_of(key) is None, key
    digits = "".join(secrets.choice("0123456789") for _ in range(80))
    assert len(digits) >= MINIMUM_LENGTH
    assert weakness_of(digits) is None, digits
