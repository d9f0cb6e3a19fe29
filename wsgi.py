"""Entry point of the API: `granian --interface wsgi wsgi:app`, `gunicorn wsgi:app`, `flask …`."""

import gc

# Nothing that is made while the modules load is garbage, and looking for some in it would take a
# fifth of the time until a command answers.
gc.disable()

from webapp.app import create_app  # noqa: E402 - after the line above, or it would gain nothing.

app = create_app()

gc.freeze()
gc.enable()
