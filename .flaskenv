# Where `flask …` finds its commands. The API is wsgi:app, for a WSGI server.
FLASK_APP=webapp.cli.app
