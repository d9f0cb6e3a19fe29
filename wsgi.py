"""Entry point of the API for any WSGI server: `gunicorn wsgi:app`; `rsgi.py` is granian's."""

from webapp.kit.loading import undisturbed

with undisturbed():
    from webapp.app import create_app

    app = create_app()
