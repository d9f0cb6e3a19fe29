"""Promise: settings with which no browser would make a passkey end the start with a sentence."""

import pytest

from webapp.settings import Settings

DOMAIN, ORIGINS = "IMPRINT_PASSKEY_DOMAIN", "IMPRINT_PASSKEY_ORIGINS"


@pytest.mark.parametrize(
    ("given", "name", "reason"),
    [
        ({DOMAIN: "https://example.org"}, DOMAIN, "without a scheme"),
        ({DOMAIN: "example.org:443"}, DOMAIN, "without a scheme"),
        ({DOMAIN: "Example.org"}, DOMAIN, "small letters"),
        ({DOMAIN: ".example.org"}, DOMAIN, "must be a domain"),
        ({DOMAIN: "192.0.2.1"}, DOMAIN, "no passkeys for an address"),
        ({DOMAIN: "example.org", ORIGINS: "https://www.example.com"}, ORIGINS, "must lie in"),
        ({DOMAIN: "example.org", ORIGINS: "https://badexample.org"}, ORIGINS, "must lie in"),
        ({DOMAIN: "www.example.org", ORIGINS: "https://example.org"}, ORIGINS, "must lie in"),
        ({ORIGINS: "https://www.example.com"}, ORIGINS, "must lie in"),
        ({DOMAIN: "example.com"}, ORIGINS, "must lie in"),
        ({ORIGINS: "*"}, ORIGINS, "must name each origin"),
        ({ORIGINS: "https://example.org/"}, ORIGINS, "not even a /"),
        ({ORIGINS: "ftp://example.org"}, ORIGINS, "something else than https://host"),
    ],
)
def test_what_every_browser_would_refuse_ends_the_start(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], name: str, reason: str
) -> None:
    monkeypatch.setenv("IMPRINT_BASE_URL", "https://example.org")
    for setting, value in given.items():
        monkeypatch.setenv(setting, value)
    with pytest.raises(SystemExit) as ended:
        Settings.from_environment()
    _, sentence = str(ended.value).splitlines()
    assert sentence.startswith(f"{name}: ")
    assert reason in sentence


@pytest.mark.parametrize(
    ("given", "domain", "origins"),
    [
        ({}, "cms.example.org", ("https://cms.example.org",)),
        ({"passkey_domain": "example.org"}, "example.org", ("https://cms.example.org",)),
        (
            {
                "passkey_domain": "example.org",
                "passkey_origins": "https://example.org, https://desk.example.org:8443",
            },
            "example.org",
            ("https://example.org", "https://desk.example.org:8443"),
        ),
        (
            {"passkey_domain": "localhost", "passkey_origins": "http://localhost:5173"},
            "localhost",
            ("http://localhost:5173",),
        ),
    ],
)
def test_what_browsers_take_is_kept(
    given: dict[str, str], domain: str, origins: tuple[str, ...]
) -> None:
    settings = Settings(_env_file=None, base_url="https://cms.example.org", **given)  # type: ignore[arg-type]
    assert (settings.passkey_site.domain, settings.passkey_site.origins) == (domain, origins)
