"""The Celery edge: consumes hints, runs jobs. Imports nothing, and never Flask."""
