"""The words of each mail: Jinja2 templates, as text and as HTML."""

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from webapp.adapters.mail import MailText
from webapp.kit.visible_lines import make_line


def _one_line(value: Any) -> Any:  # noqa: ANN401
    """Keep words of people from making lines of their own, however they came into the database."""
    return make_line(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("webapp", "mails"),
        autoescape=select_autoescape(enabled_extensions=["html"], default=False),
        undefined=StrictUndefined,
        finalize=_one_line,
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
