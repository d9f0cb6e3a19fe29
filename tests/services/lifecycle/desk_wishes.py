"""What is drawn of the acts at the desk."""

from dataclasses import dataclass

from hypothesis import strategies as st

from tests.services.lifecycle.desk_model import Act, Model, Name, Verdict, Who

EVERYBODY: tuple[Who, ...] = ("author", "colleague", "editor", "bound", "machine", "press")


@dataclass(frozen=True)
class Wish:
    """What is drawn of an act. Two at once come in either order, so it knows nothing of the item.

    `back` counts versions and reviews from the newest backwards.
    """

    who: Who
    name: Name
    title: str
    back: int
    decision: Verdict
    has_seen: bool

    def on(self, model: Model) -> Act:
        """Return the act that this is on an item; what there is no review for is to ask for one."""
        number = None if self.back == 0 else max(1, model.newest + 1 - self.back)
        review = max(0, len(model.reviews) - 1 - self.back // 2)
        if self.name in ("withdraw", "decide", "guest") and not model.reviews:
            return Act(self.who, "submit")
        return Act(
            self.who,
            self.name,
            self.title,
            number or (model.newest if self.name == "restore" else None),
            review,
            self.decision,
            self.has_seen,
        )


NAMES: tuple[Name, ...] = (
    "edit", "edit", "restore", "submit", "submit", "withdraw", "decide", "decide", "decide",
    "guest", "guest",
    "publish", "publish", "schedule", "schedule", "cancel", "fire", "unpublish", "correct",
    "retract", "archive", "unarchive", "trash", "untrash",
)  # fmt: skip
VERDICTS: tuple[Verdict, ...] = ("approve", "approve", "changes_wanted", "reject")
WISHES = st.builds(
    Wish,
    st.sampled_from(EVERYBODY),
    st.sampled_from(NAMES),
    st.sampled_from(["Alpha", "Beta", "Gamma"]),
    st.sampled_from([0, 0, 0, 1, 2, 3, 4]),
    st.sampled_from(VERDICTS),
    st.sampled_from([True, True, True, False]),
)
