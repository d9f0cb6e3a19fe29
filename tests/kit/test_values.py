"""Promises of the small values that everything stands on."""

import base64
import json
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.kit.backoff import LONGEST_SECONDS, ceiling_seconds, retry_delay_seconds
from webapp.kit.cursors import InvalidCursorError, decode_cursor, encode_cursor, split_page
from webapp.kit.json_values import check_json
from webapp.kit.passwords import hash_password, verify_password
from webapp.kit.redaction import without_addresses
from webapp.kit.roles import RoleName
from webapp.kit.tokens import hash_email, keyed_digest, new_token
from webapp.kit.word_changes import word_changes

MOMENTS = st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)).map(
    lambda moment: moment.replace(tzinfo=UTC)
)


@given(MOMENTS, st.integers(-(2**63) + 1, 2**63 - 1), st.text().filter(lambda t: "\x00" not in t))
def test_a_cursor_gives_back_the_key_that_made_it(moment: datetime, number: int, word: str) -> None:
    word = word.encode("utf-8", "replace").decode()
    cursor = encode_cursor(moment, number, word)
    assert decode_cursor(cursor, datetime, int, str) == (moment, number, word)


@given(st.text())
def test_any_other_text_is_no_cursor(text: str) -> None:
    try:
        decoded = decode_cursor(text, datetime, int)
    except InvalidCursorError:
        return
    assert isinstance(decoded[0], datetime)
    assert isinstance(decoded[1], int)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([True], int),
        ([1.0], int),
        ([2**63], int),
        (["2024-01-01T00:00:00"], datetime),
        (["0001-01-01T00:00:00+23:59"], datetime),
    ],
)
def test_a_cursor_with_a_value_of_another_kind_is_refused(values: list[object], kind: type) -> None:
    cursor = base64.urlsafe_b64encode(json.dumps(values).encode()).rstrip(b"=").decode()
    with pytest.raises(InvalidCursorError):
        decode_cursor(cursor, kind)


def test_the_time_in_a_cursor_has_an_offset_that_the_database_knows() -> None:
    odd = b'["2024-01-01T00:00:00+00:00:00.000001"]'
    (moment,) = decode_cursor(base64.urlsafe_b64encode(odd).rstrip(b"=").decode(), datetime)
    assert isinstance(moment, datetime)
    assert moment.tzinfo is UTC


def test_a_page_knows_whether_more_follows() -> None:
    assert split_page([1, 2, 3], 2) == ([1, 2], 2)
    assert split_page([1, 2], 2) == ([1, 2], None)


@given(st.integers(0, 10_000))
def test_a_wait_grows_to_an_hour_and_is_never_nothing(starts: int) -> None:
    ceiling = ceiling_seconds(starts)
    assert 2.0 <= ceiling <= LONGEST_SECONDS
    assert ceiling / 2 <= retry_delay_seconds(starts) <= ceiling


def test_roles_include_those_below_them() -> None:
    roles = list(RoleName)
    for position, role in enumerate(roles):
        assert [other for other in roles if role.includes(other)] == roles[: position + 1]


def test_tokens_do_not_repeat_and_digests_do() -> None:
    assert len({new_token() for _ in range(100)}) == 100
    assert keyed_digest(b"k", "a", "b") == keyed_digest(b"k", "a", "b")
    assert keyed_digest(b"k", "a", "b") != keyed_digest(b"k", "ab", "")
    assert hash_email(" A@b.C ") == hash_email("a@B.c")


def test_a_password_matches_its_own_hash_alone() -> None:
    hashed = hash_password("correct horse")
    assert verify_password(hashed, "correct horse")
    assert not verify_password(hashed, "correct horsf")
    assert not verify_password("no password", "no password")


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        ("", "a b", (2, 0)),
        ("a b c", "a x c d", (2, 1)),
        ("same", "same", (0, 0)),
        ("a b", "", (0, 2)),
        ("a a", "a", (0, 1)),
        ("a " * 9000, "a " * 9000 + "\nb c", (2, 0)),
        ("x " + "a b " * 500, "y " + "b a a " * 500, (501, 1)),
    ],
    ids=range(7),
)
def test_words_that_changed_are_counted(before: str, after: str, changes: tuple[int, int]) -> None:
    assert word_changes(before, after) == changes


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x y " * 1000, "y x x " * 667),
        ("x y " * 250, "y x x " * 167),
        ("a\nb\n" * 500_000, "b\na\na\n" * 333_333),
        ("a\n" * 1_000_000, "z\n" + "a\n" * 999_999),
        ("x", "y " * 1_000_000),
    ],
    ids=["2000 words", "500 words", "lines", "first line", "all new"],
)
def test_repetitive_texts_are_compared_within_seconds(before: str, after: str) -> None:
    started = time.process_time()
    word_changes(before, after)
    assert time.process_time() - started < 3


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), 2**60, 10**400, 1e300, -1e16, "\x00", "\ud800", {"\x00": 1},
     [[[[[[[[[[[1]]]]]]]]]]]],
)  # fmt: skip
def test_values_that_could_not_be_given_back_are_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        check_json(value)


@pytest.mark.parametrize("value", [0, True, None, 2**53 - 1, -2.0, 1e15, 0.1, 1e-300, "é", [{}]])
def test_values_that_can_be_given_back_are_taken(value: object) -> None:
    check_json(value)


def test_words_of_others_lose_the_addresses_in_them() -> None:
    told = "550 5.1.1 <a.b+c@example.org>: no; b@x, (c@d.org)"
    assert without_addresses(told) == "550 5.1.1 <(address)>: no; (address), ((address))"
    assert without_addresses("nothing @ here") == "nothing @ here"
