"""The `options` of a connection: settings of the session, as a line that PostgreSQL's server reads.

https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNECT-OPTIONS: words apart by
spaces, a backslash before a space or a backslash that belongs to a word; a later word wins.
"""

import re
from collections.abc import Mapping

_WORD = re.compile(r"(?:\\.|[^\s\\])+", re.DOTALL)
_SETTING = re.compile(r"(?P<name>[A-Za-z_][\w.-]*)=(?P<value>.*)", re.DOTALL)


def write_options(settings: Mapping[str, str]) -> str:
    """Return the line that sets these settings."""
    return " ".join(f"-c {name}={_escape(value)}" for name, value in settings.items())


def read_options(line: str) -> dict[str, str]:
    """Return the settings that a line sets, by `-c name=value` or `--name=value`.

    Raises ValueError where it holds anything else.
    """
    words = [re.sub(r"\\(.)", r"\1", word, flags=re.DOTALL) for word in _WORD.findall(line)]
    settings, place = {}, 0
    while place < len(words):
        word = words[place]
        if word == "-c" and place + 1 < len(words):
            place += 1
            word = f"-c{words[place]}"
        found = _SETTING.fullmatch(word[2:])
        if word[:2] not in {"-c", "--"} or found is None:
            message = "sets more than -c name=value in its options, which a pooler cannot carry"
            raise ValueError(message)
        settings[found["name"].replace("-", "_").lower()] = found["value"]
        place += 1
    return settings


def _escape(value: str) -> str:
    return re.sub(r"([\\\s])", r"\\\1", value)
