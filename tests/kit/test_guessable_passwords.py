"""Promises about which passwords are refused, and what is said of them."""

import pytest

from webapp.kit.guessable_passwords import GuessablePasswordError, refuse_guessable

CONTEXT = ("maria", "Maria.Gonzalez@example.org", "news.example.net", "imprint")
COMMON, PATTERN, OWN = "common", "pattern", "login, the address or the name"


@pytest.mark.parametrize(
    ("password", "rule"),
    [
        ("password1234", COMMON),
        ("Password1234!", COMMON),
        ("administrator", COMMON),
        ("1q2w3e4r5t6y", COMMON),
        ("\uff50\uff41\uff53\uff53word1234", COMMON),
        ("aaaaaaaaaaaa", PATTERN),
        (" " * 12, PATTERN),
        ("abcdefghijkl", PATTERN),
        ("株式会社" * 3, PATTERN),
        ("mariamaria12", OWN),
        ("Gonzalez2024", OWN),
        ("imprintimprint", OWN),
        ("a" * 128, PATTERN),
    ],
)
def test_what_would_be_guessed_is_refused_by_the_rule_that_it_breaks(
    password: str, rule: str
) -> None:
    with pytest.raises(GuessablePasswordError, match=rule):
        refuse_guessable(password, CONTEXT)


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "a new and better one",
        "x8fj2kq9vbz1",
        "maria has 3 grey cats",
        "我们在海边喝了三杯咖啡然后回家",
        "Σὲ γνωρίζω ἀπὸ τὴν κόψη",
    ],
)
def test_what_would_not_be_guessed_passes_in_any_script(password: str) -> None:
    refuse_guessable(password, CONTEXT)
