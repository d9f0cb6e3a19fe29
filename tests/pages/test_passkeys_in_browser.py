"""Passkeys as a real browser makes and uses them, with the scripts that a front end would run."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy.orm import Session, sessionmaker

from dev.ports import LOOPBACK, free_port
from tests.factories import PASSWORD, make_actor, password_hash
from tests.pages.pressed_browser import CHROMIUM, PressedBrowser, ProtocolError
from tests.patience import HANG_SECONDS
from tests.running_api import running_api
from webapp.kit.roles import RoleName
from webapp.settings import Settings

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="wants chromium on this machine")

MAKE = "navigator.credentials.create({publicKey: PublicKeyCredential.parseCreationOptionsFromJSON"
SAY = "navigator.credentials.get({publicKey: PublicKeyCredential.parseRequestOptionsFromJSON"


def run(browser: PressedBrowser, script: str, options: dict[str, Any]) -> dict[str, Any]:
    """Let the browser make or ask a passkey, and return what a front end would send."""
    done: dict[str, Any] = browser.run(f"{script}({json.dumps(options)})}}).then(c => c.toJSON())")
    return done


def post(port: int, path: str, body: Any = None, token: str | None = None) -> Any:
    """Ask the API for something, which has to say yes."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    address = f"http://{LOOPBACK}:{port}/api/v1/auth{path}"
    answer = requests.post(address, json=body, headers=headers, timeout=HANG_SECONDS)
    assert answer.ok, answer.text
    return answer.json()


def test_a_browser_adds_a_passkey_and_signs_in_with_it_in_both_ways(
    settings: Settings, sessions: sessionmaker[Session], tmp_path: Path
) -> None:
    with sessions.begin() as session:
        login = make_actor(session, RoleName.READER, password_hash()).login
    port = free_port()
    site = f"http://localhost:{port}"

    call = partial(post, port)
    credentials = {"login": login, "password": PASSWORD}
    with (
        running_api(settings, tmp_path, port=port, IMPRINT_BASE_URL=site),
        PressedBrowser(tmp_path / "profile") as browser,
    ):
        browser.add_authenticator()
        browser.open(f"{site}/health")
        token = call("/token", credentials)["access_token"]
        asked = call("/passkeys/creation-options", {"password": PASSWORD}, token)["options"]
        made = run(browser, MAKE, asked)
        added = call("/passkeys", {"name": "This browser", "credential": made}, token)
        assert len(added["recovery_codes"]) == 10
        # The device knows by what it is asked that it has a passkey here already.
        again = call("/passkeys/creation-options", {"password": PASSWORD}, token)["options"]
        with pytest.raises(ProtocolError, match="InvalidStateError"):
            run(browser, MAKE, again)

        half = call("/token", credentials)["second_factor_token"]
        step = {"second_factor_token": half}
        said = run(browser, SAY, call("/second-factor/passkey-options", step)["options"])
        assert call("/second-factor", {**step, "passkey": said})["access_token"]

        said = run(browser, SAY, call("/passkeys/sign-in-options")["options"])
        assert call("/passkeys/sign-in", {"passkey": said})["access_token"]
