"""Who has to say yes to a version before it may go public, as the settings say it."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import lru_cache

from webapp.kit.roles import RoleName

STEP_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
MOST_STEPS = 10
DEFAULT_STEPS = "review:editor"
TAKEN_BACK = "taken back"
"""Stands in the place of a step's name where an approval was taken back."""


@dataclass(frozen=True)
class Step:
    """One yes that is needed, and the least role of whoever says it."""

    name: str
    role: RoleName


@dataclass(frozen=True)
class Steps:
    """The steps of a review, in their order, or each at any time; `text` is how a setting says it.

    A review keeps the text that it began under.
    """

    text: str
    steps: tuple[Step, ...]
    in_order: bool

    def open_to(self, role: RoleName, done: Collection[str]) -> list[Step]:
        """Return the steps that may be decided now, by somebody of this role."""
        left = [step for step in self.steps if step.name not in done]
        return [step for step in (left[:1] if self.in_order else left) if role.includes(step.role)]

    def are_done(self, done: Collection[str]) -> bool:
        """Say whether every step has been decided."""
        return all(step.name in done for step in self.steps)


@lru_cache(maxsize=64)
def read_steps(setting: str) -> Steps:
    """Return the steps that a setting names: `copy:editor > legal:manager`, or with commas.

    With `>` each waits for the one before it, with commas they come in any order. Raises ValueError
    for what cannot be read.
    """
    if ">" in setting and "," in setting:
        raise ValueError("must have either > or commas between its steps")
    steps = tuple(_read_step(part) for part in re.split("[>,]", setting))
    names = {step.name for step in steps}
    if len(names) < len(steps):
        raise ValueError("must not name a step twice")
    if len(steps) > MOST_STEPS:
        raise ValueError(f"must have {MOST_STEPS} steps at most")
    in_order = "," not in setting
    text = (" > " if in_order else ", ").join(f"{step.name}:{step.role}" for step in steps)
    return Steps(text, steps, in_order)


def _read_step(part: str) -> Step:
    name, _, role = (each.strip() for each in part.partition(":"))
    if STEP_NAME.fullmatch(name) is None:
        raise ValueError(f"{part.strip()!r} must be a name in small letters, a colon and a role")
    if role not in RoleName.__members__.values() or not RoleName(role).includes(RoleName.EDITOR):
        raise ValueError(f"{part.strip()!r} must name the role editor, manager or admin")
    return Step(name, RoleName(role))


@dataclass(frozen=True)
class ReviewPolicy:
    """What the settings want of reviews.

    `roles_that_need_one` may publish nothing without an approval, whatever else they may.
    """

    steps: Steps = field(default_factory=lambda: read_steps(DEFAULT_STEPS))
    roles_that_need_one: frozenset[RoleName] = frozenset()
