"""A real issuer of OpenID Connect for the tests, and a person who signs in at its pages."""

import html
import json
import re
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

import httpx2
import pytest
from flask.testing import FlaskClient
from joserfc.jwk import ECKey, RSAKey
from werkzeug.test import TestResponse

from dev.ports import LOOPBACK, free_port
from dev.process import TetheredProcess, log_tail
from tests.patience import HANG_SECONDS

FOLDER = Path(__file__).with_name("issuer")
INSTALL = "npm ci --prefix tests/issuer --ignore-scripts"
SECRET = "the secret of a client of the tests"
# Nobody listens there: the tests read the address that a browser would be sent to.
RETURN_URL = "http://127.0.0.1:9/signed-in"
FORM = re.compile(r'<form[^>]* action="([^"]+)"')
PROMPT = re.compile(r'name="prompt" value="(\w+)"')


def new_keys() -> dict[str, Any]:
    """Return new private keys of an issuer."""
    keys: list[RSAKey | ECKey] = [
        RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}, auto_kid=True),
        ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True),
    ]
    return {"keys": [key.as_dict(private=True) for key in keys]}


@dataclass
class RunningIssuer:
    """An issuer that runs, whom it knows, and how to stop and start it."""

    folder: Path
    port: int = field(default_factory=free_port)
    keys: dict[str, Any] = field(default_factory=new_keys)
    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    claims_in_id_token: bool = True
    _process: TetheredProcess | None = None

    @property
    def url(self) -> str:
        """Who it is."""
        return f"http://{LOOPBACK}:{self.port}"

    def start(self) -> None:
        """Start it with the present keys and people, and wait until it answers."""
        file = self.folder / f"issuer-{self.port}.json"
        file.write_text(json.dumps(self._configuration()))
        log = self.folder / f"issuer-{self.port}.log"
        node = shutil.which("node")
        assert node is not None
        self._process = TetheredProcess(
            [node, str(FOLDER / "server.mjs"), str(file)],
            log_path=log,
            farewell=signal.SIGKILL,
            folder=FOLDER,
        )
        deadline = time.monotonic() + HANG_SECONDS
        while not self._answers():
            assert self._process.is_running(), log_tail(log)
            assert time.monotonic() < deadline, log_tail(log)
            time.sleep(0.05)

    def stop(self) -> None:
        """End it; nothing listens on its port from here on."""
        if self._process is not None:
            self._process.end(signal.SIGKILL, HANG_SECONDS)
            self._process = None

    def setting(self, name: str = "company", **fields: Any) -> dict[str, Any]:
        """Return what IMPRINT_OIDC_ISSUERS says of it, with some fields of one's own."""
        return {
            "name": name,
            "url": self.url,
            "client_id": "imprint",
            "client_secret": SECRET,
            "return_urls": [RETURN_URL],
            **fields,
        }

    def _configuration(self) -> dict[str, Any]:
        common = {"redirect_uris": [RETURN_URL], "client_secret": SECRET}
        public = {"redirect_uris": [RETURN_URL], "token_endpoint_auth_method": "none"}
        return {
            "issuer": self.url,
            "port": self.port,
            "jwks": self.keys,
            "people": self.people,
            "claimsInIdToken": self.claims_in_id_token,
            "clients": [
                {"client_id": "imprint", **common},
                {"client_id": "imprint-public", **public},
                {"client_id": "imprint-es256", "id_token_signed_response_alg": "ES256", **common},
                {"client_id": "imprint-hs256", "id_token_signed_response_alg": "HS256", **common},
                {
                    "client_id": "imprint-post",
                    "token_endpoint_auth_method": "client_secret_post",
                    **common,
                },
            ],
        }

    def _answers(self) -> bool:
        try:
            return httpx2.get(f"{self.url}/jwks", trust_env=False).status_code == 200
        except httpx2.HTTPError:
            return False


@contextmanager
def running_issuer(folder: Path, **options: Any) -> Iterator[RunningIssuer]:
    """Run an issuer until the end of the block; skip the test where it cannot be had."""
    if shutil.which("node") is None:
        pytest.skip("wants Node.js, for a real issuer of OpenID Connect")
    if not (FOLDER / "node_modules").is_dir():
        pytest.skip(f"wants a real issuer of OpenID Connect: {INSTALL}")
    issuer = RunningIssuer(folder, **options)
    issuer.start()
    try:
        yield issuer
    finally:
        issuer.stop()


@dataclass(frozen=True)
class Returned:
    """What the browser brought back to the app."""

    handle: str
    state: str
    code: str
    iss: str

    def body(self, **other: str) -> dict[str, str]:
        """Return what the app sends on."""
        return {"handle": self.handle, "state": self.state, "code": self.code, "iss": self.iss,
                **other}  # fmt: skip


def begin(client: FlaskClient, name: str = "company") -> Any:
    """Begin a sign-in as an app does, and return the answer."""
    return client.post(f"/api/v1/auth/issuers/{name}/sign-ins", json={"return_url": RETURN_URL})


def sign_in_at_issuer(begun: Any, login: str, **changed: str) -> Returned:
    """Go where the answer says, as a browser does, sign in there and come back.

    `changed` are parameters of the address that somebody changes on the way.
    """
    came_back = follow(with_parameters(begun["authorization_url"], **changed), login)
    return Returned(begun["handle"], came_back["state"], came_back["code"], came_back["iss"])


def follow(url: str, login: str) -> dict[str, str]:
    """Fill in the issuer's forms until it sends the browser back; return what it brings."""
    with httpx2.Client(trust_env=False, timeout=HANG_SECONDS) as browser:
        answer = browser.get(url)
        while True:
            if answer.is_redirect:
                target = urljoin(str(answer.url), answer.headers["Location"])
                if target.startswith(RETURN_URL):
                    return dict(parse_qsl(urlsplit(target).query))
                answer = browser.get(target)
                continue
            form, prompt = FORM.search(answer.text), PROMPT.search(answer.text)
            assert form is not None, answer.text
            assert prompt is not None, answer.text
            filled = {"prompt": prompt[1], "login": login, "password": "any"}
            action = urljoin(str(answer.url), html.unescape(form[1]))
            answer = browser.post(action, data=filled)


def with_parameters(url: str, **changed: str) -> str:
    """Return an address with other parameters."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query=urlencode({**dict(parse_qsl(parts.query)), **changed})))


def finish(client: FlaskClient, body: dict[str, str], name: str = "company") -> TestResponse:
    """Bring back what the browser brought, as an app does."""
    return client.post(f"/api/v1/auth/issuers/{name}/token", json=body)


def sign_in(client: FlaskClient, login: str, name: str = "company") -> TestResponse:
    """Sign in, from the first step to the last, and return the last answer."""
    begun = begin(client, name)
    assert begun.status_code == 201, begun.get_data(as_text=True)
    return finish(client, sign_in_at_issuer(begun.get_json(), login).body(), name)
