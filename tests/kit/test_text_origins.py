"""Promises of what an edit makes of who wrote a text."""

import pytest

from webapp.kit.text_origins import TextOrigin, origin_after

HUMAN, ASSISTED, GENERATED = TextOrigin


@pytest.mark.parametrize(
    ("former", "writer", "after"),
    [
        (HUMAN, HUMAN, HUMAN),
        (ASSISTED, HUMAN, ASSISTED),
        (GENERATED, HUMAN, ASSISTED),
        (None, HUMAN, None),
        (HUMAN, GENERATED, ASSISTED),
        (ASSISTED, GENERATED, ASSISTED),
        (GENERATED, GENERATED, GENERATED),
        (None, GENERATED, ASSISTED),
        (HUMAN, None, None),
        (ASSISTED, None, ASSISTED),
        (GENERATED, None, GENERATED),
        (None, None, None),
    ],
)
def test_an_edit_claims_nothing_that_nobody_knows_and_hides_no_tool(
    former: TextOrigin | None, writer: TextOrigin | None, after: TextOrigin | None
) -> None:
    assert origin_after(former, writer) is after
