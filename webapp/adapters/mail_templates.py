"""The words of each mail: Jinja2 templates, as text and as HTML."""

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from webapp.adapters.mail import MailText


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("webapp", "mails"),
        autoescape=select_autoescape(enabled_extensions=["html"], default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )


def render_mail(template: str, subject: str, **values: Any) -> MailText:  # noqa: ANN401
    """Fill in `template`.txt and `template`.html; a missing value is an error."""
    environment = _environment()
    return MailText(
        subject=subject,
        text=environment.get_template(f"{template}.txt").render(**values),
        html=environment.get_template(f"{template}.html").render(**values),
    )
