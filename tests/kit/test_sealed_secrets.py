"""Promises of sealed secrets: they open for their owner, their purpose and their key alone."""

import pytest

from webapp.kit.sealed_secrets import UnreadableSecretError, seal, unseal

KEY, OTHER = "a secret key for these tests, long enough", "another secret key, of the same length.."


def test_a_secret_is_read_again_and_is_never_sealed_alike() -> None:
    first, second = (seal(KEY, "purpose", 7, "JBSWY3DPEHPK3PXP") for _ in range(2))
    assert first != second
    assert b"JBSWY3DPEHPK3PXP" not in first
    assert {unseal(KEY, "purpose", 7, sealed) for sealed in (first, second)} == {"JBSWY3DPEHPK3PXP"}


def test_whatever_else_it_is_opened_with_opens_nothing() -> None:
    sealed = seal(KEY, "purpose", 7, "secret")
    turned = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for key, purpose, owner_id, text in (
        (OTHER, "purpose", 7, sealed), (KEY, "another", 7, sealed), (KEY, "purpose", 8, sealed),
        (KEY, "purpose", 7, turned), (KEY, "purpose", 7, b""), (KEY, "purpose", 7, sealed[:5]),
        (KEY, "purpose", 7, b"\x02" + sealed[1:]),
    ):  # fmt: skip
        with pytest.raises(UnreadableSecretError):
            unseal(key, purpose, owner_id, text)
