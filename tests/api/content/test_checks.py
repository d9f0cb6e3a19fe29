"""Promises about checks of a version: what is found, for whom, and that nothing is in the way."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.factories import Caller
from webapp.adapters import content_rules
from webapp.kit.content_checks.pages import Finding, Level, Page
from webapp.kit.roles import RoleName


@pytest.fixture
def editor(client: FlaskClient) -> Caller:
    """A logged-in editor."""
    return Caller(client, RoleName.EDITOR)


def write(editor: Caller, body: str, **fields: Any) -> str:
    """Write an item and return its path."""
    made = editor.call("POST", "/content", {"title": "Title", "body": body, **fields})
    assert made.status_code == 201
    return f"/content/{made.get_json()['id']}"


def checked(editor: Caller, path: str) -> Any:
    """Return what is found in the first version."""
    answer = editor.call("GET", f"{path}/versions/1/checks")
    assert answer.status_code == 200
    return answer.get_json()


def test_a_version_is_looked_over_as_it_will_be_read(editor: Caller) -> None:
    path = write(editor, "#### Deep\n\n<img src='a.png'>\n\nSome words here.")

    told = checked(editor, path)

    assert [finding["rule"] for finding in told["findings"]] == [
        "image.alt_missing",
        "heading.level_skipped",
    ]
    assert (told["version"], told["words"], told["reading_minutes"]) == (1, 4, 1)
    published = editor.call("POST", f"{path}/publish", {}, If_Match="*")
    assert published.status_code == 200, "what is found is not in the way"


@pytest.mark.parametrize(
    ("address", "rules"),
    [
        ("//[x/", []),
        ("/api/v1/published/%00", ["link.broken"]),
        ("/api/v1/published/a%00b", ["link.broken"]),
    ],
)
def test_no_address_is_too_odd_to_be_looked_at(
    editor: Caller, address: str, rules: list[str]
) -> None:
    path = write(editor, f'<a href="{address}">odd</a>', body_format="html")

    assert [finding["rule"] for finding in checked(editor, path)["findings"]] == rules


def test_there_may_be_more_links_than_a_statement_has_parameters(editor: Caller) -> None:
    links = "".join(f"[](/api/v1/published/{n:x})" for n in range(66_000))
    path = write(editor, f"Text.{links}")

    assert len(checked(editor, path)["findings"]) == 200


def test_links_into_the_site_that_lead_nowhere_are_found(editor: Caller) -> None:
    base = "/api/v1/published"
    public = write(editor, "Text.", slug="public")
    editor.call("POST", f"{public}/publish", {}, If_Match="*")
    write(editor, "Secret.", slug="a-draft")
    body = "\n\n".join(
        f"[link to {name}]({address})"
        for name, address in {
            "public": f"{base}/public",
            "draft": f"{base}/a-draft",
            "nothing": f"{base}/never-was",
            "itself": f"{base}/itself",
            "elsewhere": "https://example.org/api/v1/published/x",
            "another page": "/about",
        }.items()
    )
    path = write(editor, body, slug="itself")

    findings = checked(editor, path)["findings"]

    assert [(finding["rule"], finding["place"]) for finding in findings] == [
        ("link.broken", "link to draft"),
        ("link.broken", "link to nothing"),
    ]


@pytest.fixture
def of_a_package(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Rules that an installed package would bring, by their names."""
    rules: dict[str, Any] = {}
    monkeypatch.setattr("webapp.services.content.checks.installed_rules", lambda: rules)
    return rules


def test_a_package_brings_a_rule_of_its_own_and_its_faults_are_its_own(
    editor: Caller, of_a_package: dict[str, Any]
) -> None:
    def no_lorem(page: Page) -> list[Finding]:
        wrong = "lorem" in page.text.lower()
        return [Finding("lorem", Level.ERROR, "Write something.", page.title)] if wrong else []

    def broken(_page: Page) -> list[Finding]:
        raise RuntimeError("a fault of the package")

    of_a_package |= {"lorem": no_lorem, "broken": broken}
    path = write(editor, "Lorem ipsum.")

    findings = checked(editor, path)["findings"]

    assert [(finding["rule"], finding["level"]) for finding in findings] == [
        ("lorem", "error"),
        ("broken", "warning"),
    ]
    assert "a fault" not in str(findings)


def test_a_rule_is_found_by_its_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    class Point:
        def __init__(self, name: str, fault: bool) -> None:
            self.name, self.fault = name, fault

        def load(self) -> Any:
            if self.fault:
                raise ImportError("gone")
            return print

    points = [Point("fine", fault=False), Point("gone", fault=True)]
    monkeypatch.setattr(content_rules, "entry_points", lambda group: points)
    content_rules.installed_rules.cache_clear()

    try:
        assert list(content_rules.installed_rules()) == ["fine"]
    finally:
        content_rules.installed_rules.cache_clear()
