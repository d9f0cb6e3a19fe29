"""Entry point of the API on granian: `granian --interface rsgi --http 1 --no-ws rsgi:app`."""

from webapp.kit.loading import undisturbed

with undisturbed():
    from webapp.app import create_server

    app = create_server()
