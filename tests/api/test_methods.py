"""Promises of methods: HEAD where GET is, OPTIONS for everybody, and no series for made-up ones."""

import re

import pytest
from flask.testing import FlaskClient
from prometheus_client import REGISTRY

from webapp.api.edge import ImprintApp

DOCUMENTED = re.compile(r"<[^>]*>")


def series() -> set[tuple[str, ...]]:
    """Return the values of the labels of all that was counted."""
    names = ("method", "endpoint", "status")
    return {
        tuple(sample.labels.get(name, "") for name in names)
        for metric in REGISTRY.collect()
        if metric.name in {"imprint_requests", "imprint_request_seconds"}
        for sample in metric.samples
    }


def test_options_says_what_may_be_done_before_it_asks_for_a_token(
    client: FlaskClient, app: ImprintApp
) -> None:
    for rule in app.url_map.iter_rules():
        path = DOCUMENTED.sub("1", rule.rule)
        headers = {"Origin": "https://front.example", "Access-Control-Request-Method": "PATCH"}
        answer = client.options(path, headers=headers)
        assert (answer.status_code, answer.data) == (204, b""), path
        allowed = set(answer.headers["Allow"].split(", "))
        assert (rule.methods or set()) <= allowed
    assert client.options("/api/v1/nothing").status_code == 404


def test_head_is_answered_wherever_get_is(client: FlaskClient, app: ImprintApp) -> None:
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or set()):
            continue
        path = DOCUMENTED.sub("1", rule.rule)
        get, head = client.get(path), client.head(path)
        assert (head.status_code, head.data) == (get.status_code, b""), path
        assert head.content_type == get.content_type


def test_a_made_up_method_adds_no_series(client: FlaskClient) -> None:
    paths = ("/api/v1/published", "/api/v1/published/x", "/api/v1/content", "/health", "/nothing")
    for path in paths:
        client.open(path, method="BREW")
    before = series()
    for method in ("BREWING", "X" * 1000, "BREW-2", "PROPFIND"):
        for path in paths:
            assert client.open(path, method=method).status_code in {404, 405}
    assert series() == before
    assert {labels[0] for labels in before} <= {
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE", "other"
    }  # fmt: skip


@pytest.mark.parametrize("path", ["/a/b", "/api/v1/a", "/%00", "/api/v1/content/x", "//", "/é"])
def test_a_made_up_path_adds_no_series(client: FlaskClient, path: str) -> None:
    client.get("/nothing")
    before = series()
    assert client.get(path).status_code == 404
    assert series() == before
