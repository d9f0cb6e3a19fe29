"""How the pages look that mails lead to: one column, without JavaScript, in light and dark.

A page sends nothing anywhere but its own form, and a look at it changes nothing, because programs
look at the links in mails before people do. What a form does takes the token that it was opened
with, so another site has nothing to send in somebody's name.
"""

from base64 import b64encode
from hashlib import sha256

from flask import Response
from markupsafe import Markup

# The colours of text, buttons and outlines have a contrast of 4.5 or more to what is behind them
# (WCAG 2.2, 1.4.3 and 1.4.11), in both schemes.
STYLE = """
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0; background: #fff; color: #1b1b1b; }
main { box-sizing: border-box; max-width: 30rem; margin: 0 auto; padding: 3rem 1rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 1rem; }
p { margin: 0 0 1rem; overflow-wrap: anywhere; }
label { display: block; font-weight: 600; }
input { display: block; width: 100%; box-sizing: border-box; font: inherit; padding: .625rem;
  margin: .25rem 0 1rem; border: 1px solid #6b6b6b; border-radius: .25rem; background: #fff;
  color: inherit; }
input[aria-invalid] { border: 2px solid #b3261e; }
button { font: inherit; font-weight: 600; min-height: 2.75rem; padding: .5rem 1.25rem; border: 0;
  border-radius: .25rem; background: #1d4ed8; color: #fff; cursor: pointer; }
:focus-visible { outline: 3px solid #1d4ed8; outline-offset: 2px; }
.hint { display: block; font-weight: 400; color: #4a4a4a; }
.error { border-left: .25rem solid #b3261e; padding-left: .75rem; color: #8c1d18; }
@media (prefers-color-scheme: dark) {
  body, input { background: #16181c; color: #ececec; }
  input { border-color: #9a9a9a; }
  button { background: #a8c1ff; color: #10182b; }
  :focus-visible { outline-color: #a8c1ff; }
  .hint { color: #bdbdbd; }
  .error { border-color: #ff9d94; color: #ffb4ab; }
  input[aria-invalid] { border-color: #ff9d94; }
}
"""
_STYLE_DIGEST = b64encode(sha256(STYLE.encode()).digest()).decode()

HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_DIGEST}'; "
    "script-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; "
    "frame-ancestors 'none'",
}

# A token leaves the address, so that the history of a shared browser does not keep it; one that
# stands behind a #, as in mails of earlier releases, is filled in.
SCRIPT = """const field = document.querySelector("input[name=token]");
const token = new URLSearchParams(location.hash.slice(1)).get("token");
if (field && token && !field.value) {
  field.value = token;
}
history.replaceState(null, "", location.pathname);
"""

_PAGE = Markup("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
<h1>{heading}</h1>
{content}
</main>
<script src="page.js"></script>
</body>
</html>
""")
_ERROR = Markup('<p class="error" id="error" role="alert">{error}</p>\n')
_HIDDEN = Markup('<input type="hidden" name="{name}" value="{value}">\n')
_TOKEN_FIELD = Markup("""<label for="token">Token
<span class="hint">It stands in the mail.</span></label>
<input id="token" name="token" autocomplete="off" spellcheck="false" required>
""")
_FORM = Markup("""<form method="post">
{fields}<button>{button}</button>
</form>
""")


def show(
    heading: str, *parts: str | Markup, error: str | None = None, status: int = 200
) -> Response:
    """Return a page; what is no `Markup` of it becomes paragraphs of plain text."""
    told = [_ERROR.format(error=error)] if error else []
    paragraphs = [
        part if isinstance(part, Markup) else Markup("<p>{}</p>").format(part) for part in parts
    ]
    page = _PAGE.format(
        title=f"Error: {heading}" if error else heading,
        style=Markup(STYLE),  # noqa: S704 - it stands above
        heading=heading,
        content=Markup("\n").join([*told, *paragraphs]),
    )
    return Response(page, status, headers=HEADERS, content_type="text/html; charset=utf-8")


def form(button: str, token: str, fields: Markup = Markup()) -> Markup:  # noqa: B008 - immutable
    """Return a form that sends a token, or asks for it where there is none, and its fields."""
    known = hidden_fields(token=token) if token else _TOKEN_FIELD
    return form_of(known + fields, button)


def form_of(fields: Markup, button: str) -> Markup:
    """Return a form with these fields, which is sent to the page that it stands on."""
    return _FORM.format(fields=fields, button=button)


def hidden_fields(**values: str) -> Markup:
    """Return fields that send what the page was opened with; its address may be gone by then."""
    return Markup().join(_HIDDEN.format(name=name, value=value) for name, value in values.items())
