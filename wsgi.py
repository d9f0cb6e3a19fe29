"""Entry point of the API: `granian --interface wsgi wsgi:app`, `gunicorn wsgi:app`."""

from webapp.app import create_app

app = create_app()
