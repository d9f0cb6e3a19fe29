"""What is said of a setting that has to be set and is not: what to set it to, and how."""

DATABASE_URL_IS_NOT_SET = (
    "DATABASE_URL is not set. Set it to a PostgreSQL URL, for example "
    "DATABASE_URL=postgresql://user:password@127.0.0.1:5432/imprint, "
    "or run `make run`, which brings its own database."
)
HOW_TO_MAKE_A_KEY = (
    "make one with `python3 -c 'import secrets; print(secrets.token_urlsafe(48))'` and give the "
    "same one to web and workers"
)
SECRET_KEY_IS_NOT_SET = (
    f"SECRET_KEY is not set: {HOW_TO_MAKE_A_KEY}, or set IMPRINT_ENVIRONMENT=development on a "
    "machine that nobody else reaches."
)
