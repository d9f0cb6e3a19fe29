"""Promises of one-time codes: those of RFC 6238, taken around their moment alone."""

import base64

import pytest

from webapp.kit.one_time_codes import (
    hash_recovery_code,
    new_recovery_codes,
    new_totp_secret,
    step_of,
    totp_code,
)

# RFC 6238, appendix B, for SHA-1; an app shows the last six of the eight digits.
SECRET = base64.b32encode(b"12345678901234567890").decode()
VECTORS = [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (20000000000, "353130")]


@pytest.mark.parametrize(("moment", "code"), VECTORS)
def test_the_codes_are_those_of_the_standard(moment: int, code: str) -> None:
    assert totp_code(SECRET, moment // 30) == code
    assert step_of(SECRET, code, moment) == moment // 30


def test_a_code_is_taken_one_step_around_its_moment() -> None:
    moment, code = VECTORS[1]
    step = moment // 30
    found = {distance: step_of(SECRET, code, (step + distance) * 30) for distance in range(-3, 4)}
    assert found == {-3: None, -2: None, -1: step, 0: step, 1: step, 2: None, 3: None}


def test_recovery_codes_are_read_however_they_are_typed() -> None:
    codes = new_recovery_codes()
    assert len({hash_recovery_code(code) for code in codes}) == len(codes) == 10
    for code in codes:
        assert [len(group) for group in code.split("-")] == [5, 5, 5, 5, 5, 5]
        for typed in (code.upper(), code.replace("-", ""), f" {code.replace('-', ' ')}\n"):
            assert hash_recovery_code(typed) == hash_recovery_code(code)
    assert new_totp_secret() != new_totp_secret()
