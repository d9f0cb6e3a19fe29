"""What requests about items cost: how many statements they may send at most."""

from flask.testing import FlaskClient

from tests.factories import Caller
from tests.statements import noting_executions
from webapp.kit.roles import RoleName


def test_an_item_is_read_by_one_statement_besides_who_asks(client: FlaskClient) -> None:
    author = Caller(client, RoleName.AUTHOR)
    made = author.call("POST", "/content", {"title": "Read", "tags": ["One", "two"]}).get_json()
    path = f"/content/{made['id']}"
    author.call("POST", f"{path}/reviews", {}, If_Match='"1"')
    with noting_executions() as noted:
        item = author.call("GET", path).get_json()
    assert item["state"] == "in_review"
    assert [tag["name"] for tag in item["tags"]] == ["One", "two"]
    assert len(noted) == 2, noted
