"""The steps of a review, as a setting says them."""

import pytest

from webapp.kit.review_policy import ReviewPolicy, Step, read_steps
from webapp.kit.roles import RoleName
from webapp.settings import Settings


@pytest.mark.parametrize(
    ("setting", "text", "in_order"),
    [
        ("review:editor", "review:editor", True),
        (" copy : editor>legal:manager ", "copy:editor > legal:manager", True),
        ("copy:editor,legal:admin", "copy:editor, legal:admin", False),
    ],
)
def test_what_is_read_is_written_the_same(setting: str, text: str, in_order: bool) -> None:
    steps = read_steps(setting)
    assert (steps.text, steps.in_order) == (text, in_order)
    assert read_steps(steps.text) == steps


@pytest.mark.parametrize(
    "setting",
    [
        "", "review", "review:", ":editor", "review:reader", "review:author", "review:boss",
        "a:editor > b:editor, c:editor", "a:editor,a:manager", "A:editor", "a:editor >",
        ",".join(f"s{n}:editor" for n in range(11)),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(setting: str) -> None:
    with pytest.raises(ValueError, match="must"):
        read_steps(setting)
    with pytest.raises(ValueError, match="must"):
        Settings(_env_file=None, review_steps=setting)


def test_steps_open_in_their_order_or_all_at_once() -> None:
    copy, legal = Step("copy", RoleName.EDITOR), Step("legal", RoleName.MANAGER)
    one_by_one, as_they_come = (read_steps(f"copy:editor{by}legal:manager") for by in ">,")
    assert one_by_one.open_to(RoleName.MANAGER, ()) == [copy]
    assert one_by_one.open_to(RoleName.EDITOR, ["copy"]) == []
    assert as_they_come.open_to(RoleName.MANAGER, ()) == [copy, legal]
    assert as_they_come.open_to(RoleName.EDITOR, ()) == [copy]
    assert not as_they_come.are_done(["legal"])
    assert as_they_come.are_done(["legal", "copy"])


def test_the_settings_say_who_needs_an_approval() -> None:
    assert Settings(_env_file=None).review_policy == ReviewPolicy()
    named = Settings(_env_file=None, approval_required_roles="editor, manager")
    assert named.review_policy.roles_that_need_one == {RoleName.EDITOR, RoleName.MANAGER}
    with pytest.raises(ValueError, match="boss"):
        Settings(_env_file=None, approval_required_roles="boss")
