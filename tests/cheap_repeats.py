"""What each test would do again at a price, done cheaply: hashing passwords, compiling routes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import pytest
from argon2 import PasswordHasher
from werkzeug.routing import Rule

from webapp.kit import passwords

# As the application hashes, for the tests that look at how.
REAL_HASHER = passwords._hasher


@contextmanager
def cheap_hashes() -> Iterator[None]:
    """Hash passwords with Argon2id as ever inside the block, with the least work that it can do."""

    @cache
    def hasher() -> PasswordHasher:
        return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", hasher)
        yield


@contextmanager
def routes_compiled_once() -> Iterator[None]:
    """Keep what werkzeug compiles of a rule, which is half of what it takes to make the API.

    The function that it compiles builds addresses. It depends on the text of the rule alone, where
    the rule has no defaults.
    """
    compile_builder: Callable[[Rule, bool], Any] = Rule._compile_builder
    compiled: dict[tuple[Any, ...], Any] = {}

    def recalling(rule: Rule, append_unknown: bool = True) -> Any:
        if rule.defaults:
            return compile_builder(rule, append_unknown)
        key = (rule.rule, tuple(rule._trace), append_unknown)
        if key not in compiled:
            compiled[key] = compile_builder(rule, append_unknown)
        return compiled[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Rule, "_compile_builder", recalling)
        yield
