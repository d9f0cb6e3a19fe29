"""Promises of the rules for Prometheus: each asks for figures that there are."""

import re
from pathlib import Path
from typing import Any

import yaml
from flask.testing import FlaskClient

from webapp.services.operations import clocks

RULES = Path(__file__).resolve().parents[2] / "deploy" / "alerts.yml"


def rules() -> list[dict[str, Any]]:
    """Return the rules of the file."""
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def test_each_rule_asks_for_a_figure_that_there_is(client: FlaskClient) -> None:
    figures = client.get("/metrics").text
    told = set(re.findall(r"^# TYPE (\S+)", figures, re.M))
    asked = {name for rule in rules() for name in re.findall(r"imprint_\w+", rule["expr"])}
    assert {name.removesuffix("_bucket") for name in asked} <= told
    for rule in rules():
        assert rule["annotations"]["summary"]


def test_the_rule_about_clocks_has_the_limit_of_the_code() -> None:
    (rule,) = (rule for rule in rules() if rule["alert"] == "ImprintClockOff")
    assert float(rule["expr"].rpartition(">")[2]) == clocks.LIMIT_SECONDS
