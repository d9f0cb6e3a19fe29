"""The floor of the reads: a Flask application whose only view does nothing."""

from flask import Flask

app = Flask(__name__)


@app.get("/")
def nothing() -> str:
    """Answer with two bytes."""
    return "ok"
