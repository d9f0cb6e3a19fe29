# One image for the API, the workers, the dispatcher and the migrations; docker-compose.yml says
# which command each of them runs.
FROM python:3.13.14-slim AS build

COPY requirements/runtime.txt /build/
# The environment has no pip of its own, so none reaches the last stage in it.
RUN python -m venv --without-pip /opt/imprint \
 && python -m pip --python /opt/imprint/bin/python install \
    --no-cache-dir --disable-pip-version-check --only-binary=:all: --require-hashes \
    -r /build/runtime.txt

FROM python:3.13.14-slim

ENV PATH="/opt/imprint/bin:$PATH" \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1

COPY --from=build /opt/imprint /opt/imprint
WORKDIR /app
COPY .flaskenv alembic.ini rsgi.py wsgi.py celery_app.py ./
COPY alembic/ alembic/
COPY webapp/ webapp/
COPY workers/ workers/
RUN python -m compileall -q webapp workers rsgi.py wsgi.py celery_app.py

# The code belongs to root and no process may change it. There is no entry for this user in the
# password file, and none is needed.
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
CMD ["granian", "--interface", "rsgi", "--http", "1", "--no-ws", "--host", "0.0.0.0", \
     "--port", "8000", "rsgi:app"]
