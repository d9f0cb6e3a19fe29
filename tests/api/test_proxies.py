"""Promises behind proxies: what they add is understood, and what a client adds is not believed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from flask.testing import FlaskClient

from dev.ports import LOOPBACK
from tests.factories import Caller
from tests.nginx import NGINX, behind_nginx
from webapp.api.clients import client_address, client_network
from webapp.api.edge import ImprintApp
from webapp.app import create_app
from webapp.kit.roles import RoleName
from webapp.settings import Settings

Asker = Callable[..., FlaskClient]


@pytest.fixture
def behind(settings: Settings) -> Asker:
    """A maker of clients of an API with some settings, which tells who it takes them for."""

    def behind(**changes: Any) -> FlaskClient:
        app: ImprintApp = create_app(settings.model_copy(update=changes))
        view: Any = lambda: {"address": client_address(), "network": client_network()}  # noqa: E731
        app.add_url_rule("/who", "who", view)
        return app.test_client()

    return behind


def who(client: FlaskClient, seen: str = "", peer: str = "10.0.0.1", **headers: str) -> Any:
    """Return the address and the network that the API takes a client for."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if seen:
        named["X-Forwarded-For"] = seen
    answer = client.get("/who", headers=named, environ_overrides={"REMOTE_ADDR": peer})
    return tuple(answer.get_json().values())


def test_a_client_is_its_address_without_port_and_brackets(behind: Asker) -> None:
    client = behind(trusted_proxies=1)
    for seen in ("203.0.113.6", "203.0.113.6:40001", " 203.0.113.6:40002",
                 "::ffff:203.0.113.6", "[::ffff:203.0.113.6]:443",
                 '"203.0.113.6:1"', "9.9.9.9, 203.0.113.6"):  # fmt: skip
        assert who(client, seen) == ("203.0.113.6", "203.0.113.6"), seen
    for seen in ("2001:db8:1:2:3::4", "[2001:db8:1:2:3::4]", "[2001:db8:1:2:3::4]:4711"):
        assert who(client, seen) == ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"), seen
    assert who(client, "fe80::1%eth0")[0] == "fe80::1"
    assert who(behind(), peer="::ffff:10.0.0.9")[0] == "10.0.0.9"


def test_what_a_client_says_of_itself_is_not_believed(behind: Asker) -> None:
    assert who(behind(), "203.0.113.6")[0] == "10.0.0.1"
    one, two = behind(trusted_proxies=1), behind(trusted_proxies=2)
    for claim in ("1.1.1.1", '"', '"1.1.1.1', "a, b", "", ","):
        assert who(one, f"{claim}, 203.0.113.6")[0] == "203.0.113.6", claim
        assert who(two, f"{claim}, 203.0.113.6, 10.0.0.2")[0] == "203.0.113.6", claim
    assert who(two, "203.0.113.6")[0] == "10.0.0.1"
    for odd in ("unknown", "_hidden", "1.2.3", "203.0.113.6.7", "x" * 9000, "1.2.3.4:"):
        assert who(one, odd)[0] in {"10.0.0.1", "1.2.3.4"}, odd


def test_addresses_of_one_subscriber_share_a_limit(settings: Settings) -> None:
    limited = settings.model_copy(update={"rate_limits": True, "trusted_proxies": 1})
    client = create_app(limited).test_client()

    def ask(seen: str) -> int:
        reset = {"email": "nobody@example.org"}
        headers = {"X-Forwarded-For": seen}
        path = "/api/v1/auth/password-reset"
        return client.post(path, json=reset, headers=headers).status_code

    assert [ask(f"198.51.100.7:{40_000 + n}") for n in range(11)] == [202] * 10 + [429]
    assert [ask(f"[2001:db8:5:6::{n}]:1") for n in range(11)] == [202] * 10 + [429]
    assert ask("2001:db8:5:7::1") == 202


def test_a_proxy_that_is_not_trusted_is_told_of_once(
    behind: Asker, capsys: pytest.CaptureFixture[str]
) -> None:
    client = behind()
    who(client)
    assert "proxies.not_trusted" not in capsys.readouterr().err
    for _ in range(3):
        who(client, "203.0.113.6")
    assert capsys.readouterr().err.count("proxies.not_trusted") == 1
    who(behind(trusted_proxies=1), "203.0.113.6")
    assert "proxies.not_trusted" not in capsys.readouterr().err


def test_what_is_told_of_a_proxy_has_the_id_of_its_own_request(
    behind: Asker, capsys: pytest.CaptureFixture[str]
) -> None:
    client = behind()
    before = client.get("/nowhere", headers={"X-Request-ID": "the-one-before"})
    for headers in ({}, {"X-Request-ID": "the-one-after"}):
        answer = behind().get("/nowhere", headers={**headers, "X-Forwarded-For": "203.0.113.6"})
        lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
        (told,) = [line for line in lines if line["event"] == "proxies.not_trusted"]
        assert told["request_id"] == answer.headers["X-Request-ID"]
        assert told["request_id"] != before.headers["X-Request-ID"]


def test_no_answer_leads_to_the_host_that_a_client_names(behind: Asker) -> None:
    named = {"Host": "evil.example", "X-Forwarded-Host": "evil.example",
             "X-Forwarded-Proto": "gopher", "X-Forwarded-Port": "1"}  # fmt: skip
    for proxies in (0, 1):
        client = behind(trusted_proxies=proxies)
        for path in ("/api/v1//published", "//", "/docs/", "//evil.example/..", "/docs",
                     "/openapi.json", "/api/v1/published/", "/reset-password"):  # fmt: skip
            answer = client.get(path, headers=named, base_url="http://evil.example")
            assert answer.status_code in {200, 404}, path
            assert "evil.example" not in answer.headers.get("Location", "")
            assert b"evil.example" not in answer.data


def test_the_path_in_front_stands_in_every_address(behind: Asker, client: FlaskClient) -> None:
    editor = Caller(client, RoleName.EDITOR)
    token = {"Authorization": f"Bearer {editor.token}"}
    by_header, by_setting = behind(trusted_proxies=1), behind(base_url="https://h/cms/")
    for asker, prefix, headers in (
        (by_header, "/sites/one", {"X-Forwarded-Prefix": "/sites/one"}),
        (by_header, "/sites/one", {"X-Forwarded-Prefix": "/evil, /sites/one/"}),
        (by_header, "", {"X-Forwarded-Prefix": "//evil.example"}),
        (by_header, "", {"X-Forwarded-Prefix": "https://evil.example"}),
        (by_header, "", {"X-Forwarded-Prefix": '/"><script>'}),
        (behind(), "", {"X-Forwarded-Prefix": "/sites/one"}),
        (by_setting, "/cms", {}),
    ):
        sent = token | headers
        made = asker.post("/api/v1/content", json={"title": "x"}, headers=sent)
        assert made.headers["Location"] == f"{prefix}/api/v1/content/{made.get_json()['id']}"
        document = asker.get("/openapi.json", headers=sent).get_json()
        assert document["servers"] == [{"url": prefix or "/"}]
        page = asker.get("/docs", headers=sent).get_data(as_text=True)
        assert f'data-url="{prefix}/openapi.json"' in page
        assert "evil" not in page


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
def test_behind_a_proxy_that_compresses_and_adds_a_path(
    client: FlaskClient, settings: Settings, tmp_path: Path
) -> None:
    editor = Caller(client, RoleName.EDITOR)
    more = {"IMPRINT_TRUSTED_PROXIES": "1", "IMPRINT_BASE_URL": "https://h.example/cms"}
    with behind_nginx(settings, tmp_path, **more) as port, requests.Session() as web:
        web.headers["Authorization"] = f"Bearer {editor.token}"
        root = f"http://{LOOPBACK}:{port}"
        for prefix in ("/cms", "/sites/one"):
            _edit_and_read(web, root, prefix)
        page = web.get(f"{root}/cms/reset-password")
        assert 'src="page.js"' in page.text
        assert web.get(f"{root}/cms/page.js").status_code == 200
        assert web.get(f"{root}/cms/docs/scalar.standalone.js").status_code == 200
        preflight = web.options(f"{root}/cms/api/v1/content", headers={"Authorization": ""})
        assert (preflight.status_code, preflight.content) == (204, b"")


def _edit_and_read(web: requests.Session, root: str, prefix: str) -> None:
    api, old = f"{root}{prefix}/api/v1", f"old-{prefix.count('/')}"
    made = web.post(f"{api}/content", json={"title": "First", "slug": old, "body": "a " * 500})
    path = f"{prefix}/api/v1/content/{made.json()['id']}"
    assert (made.status_code, made.headers["Location"]) == (201, path)
    read = web.get(root + path)
    assert read.headers["Content-Encoding"] == "gzip"
    assert read.headers["ETag"] == 'W/"1"'
    seen = {"If-Match": read.headers["ETag"]}
    edited = web.patch(root + path, json={"title": "Second"}, headers=seen)
    assert edited.status_code == 200, edited.text
    assert web.patch(root + path, json={"title": "Third"}, headers=seen).status_code == 412
    assert web.get(root + path, headers={"If-None-Match": 'W/"2"'}).status_code == 304
    web.post(f"{root}{path}/publish", json={}, headers={"If-Match": "*"})
    for address in (f"{api}/published/{old}", f"{api}/published", f"{api}/published?limit=3"):
        whole = web.get(address)
        assert whole.headers["ETag"].startswith("W/")
        again = web.get(address, headers={"If-None-Match": whole.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b""), address
        assert again.headers["Cache-Control"] == whole.headers["Cache-Control"]
        head = web.head(address)
        assert (head.status_code, head.content) == (200, b"")
    web.patch(root + path, json={"slug": f"new-{old}"}, headers={"If-Match": "*"})
    web.post(f"{root}{path}/publish", json={}, headers={"If-Match": "*"})
    moved = web.get(f"{api}/published/{old}", allow_redirects=False)
    assert moved.headers["Location"] == f"{prefix}/api/v1/published/new-{old}"
    assert web.get(f"{api}/published/{old}").json()["slug"] == f"new-{old}"
