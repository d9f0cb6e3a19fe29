"""The block of TOML or YAML that opens a Markdown file of Zola, Hugo, Jekyll and their kin."""

import re
import tomllib

import yaml

from webapp.kit.imports.article import ImportProblem, JsonValue, NotAnArticle
from webapp.kit.imports.text import json_value
from webapp.kit.imports.yaml_values import load_yaml

_TOML = re.compile(r"\+\+\+[ \t]*\n(.*?)^\+\+\+[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_YAML = re.compile(r"---[ \t]*\n(.*?)^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)


def split(text: str, source: str) -> tuple[dict[str, JsonValue], str]:
    """Part a file into its front matter, as JSON values, and the body below it.

    Raises NotAnArticle where there is no front matter, ImportProblem where it cannot be read.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    opening = text.partition("\n")[0].rstrip()
    if opening not in ("+++", "---"):
        raise NotAnArticle(source, "has no front matter")
    found = (_TOML if opening == "+++" else _YAML).match(text)
    if found is None:
        raise ImportProblem(source, f"the front matter opened by {opening} is never closed")
    try:
        fields: object = tomllib.loads(found[1]) if opening == "+++" else load_yaml(found[1])
    except (ValueError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise ImportProblem(source, f"the front matter cannot be read: {reason}") from error
    except RecursionError as error:
        raise ImportProblem(source, "the front matter is nested too deep") from error
    values = json_value({} if fields is None else fields, source, "the front matter")
    if not isinstance(values, dict):
        raise ImportProblem(source, "the front matter is not a table of keys and values")
    return values, text[found.end() :]
