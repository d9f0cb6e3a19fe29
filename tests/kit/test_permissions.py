"""The one table of permissions."""

from itertools import pairwise

import pytest

from webapp.kit.permissions import (
    PERMISSIONS_OF_ROLE,
    PERMISSIONS_OF_SCOPE,
    Permission,
    Scope,
    permissions_of_scopes,
)
from webapp.kit.roles import RoleName
from webapp.services.accounts.actors import Actor
from webapp.services.errors import ForbiddenError

DECIDES_FOR_OTHERS = {
    Permission.CONTENT_PUBLISH, Permission.CONTENT_PUBLISH_APPROVED, Permission.CONTENT_APPROVE,
    Permission.SCHEDULE_MANAGE, Permission.MESSAGE_SEND,
    Permission.CREDENTIAL_MANAGE, Permission.ACCOUNT_EDIT, Permission.USER_SET_ROLE,
    Permission.TAXONOMY_MANAGE, Permission.CONTENT_PREVIEW,
    Permission.REVIEW_INVITE, Permission.SCHEDULE_RECUR,
}  # fmt: skip


def test_each_role_may_do_all_that_the_ones_before_it_may() -> None:
    roles = list(RoleName)
    for lower, higher in pairwise(roles):
        assert PERMISSIONS_OF_ROLE[lower] <= PERMISSIONS_OF_ROLE[higher]
    assert PERMISSIONS_OF_ROLE[RoleName.ADMIN] == set(Permission)


def test_a_scope_to_propose_decides_nothing() -> None:
    assert not permissions_of_scopes([Scope.READ, Scope.PROPOSE]) & DECIDES_FOR_OTHERS


def test_no_scope_holds_the_credentials_of_an_account() -> None:
    assert set(PERMISSIONS_OF_SCOPE) == set(Scope)
    assert Permission.CREDENTIAL_MANAGE not in permissions_of_scopes(Scope)


def test_no_scope_lets_a_machine_approve() -> None:
    assert Permission.CONTENT_APPROVE not in permissions_of_scopes(Scope)


def test_a_scope_of_another_release_allows_nothing() -> None:
    assert permissions_of_scopes(["approve"]) == frozenset()
    assert permissions_of_scopes([]) == frozenset()


def test_a_key_may_do_what_its_owner_and_its_scopes_both_allow() -> None:
    everything = permissions_of_scopes(Scope)
    author = Actor(1, "author", RoleName.AUTHOR, key_permissions=everything)
    assert {p for p in Permission if author.may(p)} == (
        PERMISSIONS_OF_ROLE[RoleName.AUTHOR] & everything
    )
    with pytest.raises(ForbiddenError, match=r"role author"):
        author.require(Permission.CONTENT_PUBLISH)
    with pytest.raises(ForbiddenError, match=r"scopes of this API key"):
        author.require(Permission.CREDENTIAL_MANAGE)
