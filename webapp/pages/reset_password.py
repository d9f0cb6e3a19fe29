"""The page behind the link in a reset mail, for installations without a front end of their own."""

from flask import Flask, Response

from webapp.api.auth import public
from webapp.pages.headers import PAGE_HEADERS

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>Set a new password</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 24rem; margin: 4rem auto; padding: 0 1rem; }
label, input, button { display: block; width: 100%; box-sizing: border-box; font: inherit; }
input, button { padding: .5rem; margin: .25rem 0 1rem; }
</style>
</head>
<body>
<h1>Set a new password</h1>
<form>
<label for="password">New password, at least 12 characters</label>
<input id="password" type="password" autocomplete="new-password" minlength="12" required>
<button>Set password</button>
</form>
<p role="status" id="status"></p>
<noscript>Without JavaScript, send the token from the mail to the API instead.</noscript>
<script src="reset-password.js"></script>
</body>
</html>
"""

SCRIPT = """const form = document.querySelector("form");
const status = document.getElementById("status");
const token = new URLSearchParams(location.hash.slice(1)).get("token");
// The token goes out of the address, so that the history of a shared browser does not keep it.
history.replaceState(null, "", location.pathname);
if (!token) {
  status.textContent = "This address holds no token. Open the link in the mail.";
  form.hidden = true;
}
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  status.textContent = "One moment …";
  const password = document.getElementById("password").value;
  try {
    const answer = await fetch("api/v1/auth/password-reset/confirm", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ token, password }),
    });
    if (answer.ok) {
      form.hidden = true;
      status.textContent = "Your password is set. You can log in with it now.";
    } else {
      const problem = await answer.json();
      const reasons = problem.errors.map((error) => error.reason);
      status.textContent = [problem.detail, ...reasons].join(" ");
    }
  } catch {
    status.textContent = "The server does not answer. Try again in a moment.";
  }
});
"""


def install_reset_password(app: Flask) -> None:
    """Add `/reset-password`; the token comes in the fragment and is never sent with the page."""
    app.add_url_rule("/reset-password", "reset_password_page", reset_password_page)
    app.add_url_rule("/reset-password.js", "reset_password_script", reset_password_script)


@public
def reset_password_page() -> Response:
    """Return the form."""
    return Response(PAGE, headers=PAGE_HEADERS, content_type="text/html; charset=utf-8")


@public
def reset_password_script() -> Response:
    """Return the script that sends the form to the API."""
    return Response(SCRIPT, content_type="text/javascript; charset=utf-8")
