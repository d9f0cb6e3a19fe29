"""The codes of a second step: those of an authenticator app, and those for when it is lost."""

import re
import secrets

import pyotp
from pyotp.utils import strings_equal

from webapp.kit.tokens import hash_token

# RFC 6238 with what every app takes: SHA-1, six digits, thirty seconds.
STEP_SECONDS = 30
# The clock of a telephone may differ, and a code takes time to type: RFC 6238, 5.2.
STEPS_AROUND = (0, -1, 1)
RECOVERY_CODES = 10
# 120 random bits: nobody finds one by trying, even with the hashes at hand. A plain hash is enough
# from 112 on (OWASP ASVS 5, 6.5.2).
_RECOVERY_BYTES = 15
_BETWEEN = re.compile(r"[\s-]+")


def new_totp_secret() -> str:
    """Return the secret of an app, 160 random bits in base 32."""
    return pyotp.random_base32()


def totp_address(secret: str, *, login: str, issuer: str) -> str:
    """Return the otpauth address of a secret, which apps read from a picture of it."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=issuer)


def totp_code(secret: str, step: int) -> str:
    """Return the code of one time step."""
    return pyotp.TOTP(secret).generate_otp(step)


def step_of(secret: str, code: str, moment: float) -> int | None:
    """Return which time step around a moment (in seconds of the epoch) a code is of, or None."""
    now = int(moment) // STEP_SECONDS
    steps = [now + distance for distance in STEPS_AROUND]
    matching = [step for step in steps if strings_equal(totp_code(secret, step), code)]
    return matching[0] if matching else None


def new_recovery_codes() -> list[str]:
    """Return ten codes of six groups of five hexadecimal digits each, which nobody misreads."""
    return [_grouped(secrets.token_hex(_RECOVERY_BYTES)) for _ in range(RECOVERY_CODES)]


def hash_recovery_code(code: str) -> bytes:
    """Return what a recovery code is kept as, whatever case and gaps it is typed with."""
    return hash_token(_BETWEEN.sub("", code).lower())


def _grouped(digits: str) -> str:
    return "-".join(digits[start : start + 5] for start in range(0, len(digits), 5))
