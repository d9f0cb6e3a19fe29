"""The rule of the house on which accounts work: it is asked in one place."""

from pathlib import Path

ROOM = Path(__file__).resolve().parents[2] / "webapp" / "services" / "accounts"
# Those that switch accounts off and on and show it, and the reset, by which a frozen one thaws.
MAY_ASK = {"standing.py", "holders.py", "administration.py", "password_resets.py"}


def test_whether_an_account_works_is_asked_by_one_condition() -> None:
    """An account that is not switched off may be frozen: `holders.is_on()` knows both."""
    asking = {path.name for path in ROOM.glob("*.py") if "disabled_at" in path.read_text()}
    assert asking <= MAY_ASK
