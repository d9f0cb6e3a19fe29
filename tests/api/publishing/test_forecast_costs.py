"""What forecasts cost: how many statements they send, besides the one that says who asks."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from tests.api.publishing.foreseen import asked, make_site
from tests.factories import Caller
from tests.statements import noting_executions
from webapp.kit.roles import RoleName


def test_a_forecast_is_few_statements(client: FlaskClient) -> None:
    editor = Caller(client, RoleName.EDITOR)
    site = make_site(editor, Caller(client, RoleName.ADMIN), client)
    at = site.moments[2] + timedelta(days=1)
    # The first read opens the connection.
    editor.call("GET", asked(at, "/published"))
    # Who asks, what a filter names, what will stand where, and how it will read; of a single item
    # also whether the moment lies ahead.
    for path, number in (("/published", 3), ("/published?tag=tide", 4), ("/published/changed", 4)):
        with noting_executions() as noted:
            assert editor.call("GET", asked(at, path)).status_code == 200
        assert len(noted) == number, (path, noted)


@pytest.mark.parametrize("path", ["/published?limit=20", "/published?tag=tide"])
def test_the_present_costs_nobody_a_look_at_who_they_are(client: FlaskClient, path: str) -> None:
    reader = Caller(client, RoleName.READER)
    client.get(f"/api/v1{path}")
    with noting_executions() as of_reader:
        reader.call("GET", path)
    with noting_executions() as of_anybody:
        client.get(f"/api/v1{path}")
    assert of_reader == of_anybody
