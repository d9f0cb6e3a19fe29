"""Settings of the site itself: where it is, what it is called, and who its mails are from."""

from email.utils import parseaddr
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, ValidationInfo, field_validator

from webapp.kit.environment_settings import EnvironmentSettings
from webapp.kit.mail_sender import mailable_sender
from webapp.kit.service_urls import check_link, check_web_url

OWN_RESET_PAGE = "{base_url}/reset-password"


class SiteSettings(EnvironmentSettings):
    """The addresses that mails and documents name, and how they are made."""

    base_url: Annotated[str, AfterValidator(check_web_url)] = "http://127.0.0.1:8000"
    content_url: str = "{base_url}/api/v1/published/{slug}"
    password_reset_url: str = OWN_RESET_PAGE
    mail_from: Annotated[str, AfterValidator(mailable_sender)] = "Imprint <no-reply@localhost>"

    @field_validator("content_url", "password_reset_url")
    @classmethod
    def _check_link(cls, template: str, info: ValidationInfo) -> str:
        check_link(template, {"slug"} if info.field_name == "content_url" else ())
        return template

    @property
    def site_name(self) -> str:
        """What an authenticator app calls the site: the name of its host."""
        return urlsplit(self.base_url).hostname or "Imprint"

    @property
    def site_words(self) -> tuple[str, ...]:
        """What the site is called by, which no password should be made of."""
        return (urlsplit(self.base_url).hostname or "", "imprint")

    def link_to_content(self, slug: str) -> str:
        """Return the address at which readers find a public item."""
        return self.content_url.format(base_url=self.base_url, slug=slug)

    def link_to_password_reset(self, token: str) -> str:
        """Return the address at which a token is used.

        For a front end of your own the token stands in the fragment, which browsers send to no
        server; the page that comes with Imprint needs no JavaScript and takes it as a query.
        """
        if self.password_reset_url == OWN_RESET_PAGE:
            return self.link_to_page("reset-password", token)
        return f"{self.password_reset_url.format(base_url=self.base_url)}#token={token}"

    def link_to_page(self, name: str, token: str = "") -> str:
        """Return the address of one of the pages that mails lead to, with the token that it takes.

        Those pages work without JavaScript, so their tokens stand where they reach the server; the
        proxy's log has to leave queries out.
        """
        return f"{self.base_url}/{name}" + (f"?token={token}" if token else "")

    @property
    def mail_domain(self) -> str:
        """The domain of the sender, which also ends every Message-ID."""
        return parseaddr(self.mail_from)[1].rpartition("@")[2]
