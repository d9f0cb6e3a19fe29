# Where `flask …` finds its commands. The API is rsgi:app, for granian, or wsgi:app.
FLASK_APP=webapp.cli.app
