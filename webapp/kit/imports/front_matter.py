"""The block of TOML or YAML that opens a Markdown file of Zola, Hugo, Jekyll and their kin."""

import re
import tomllib

import yaml
from yaml.events import AliasEvent
from yaml.nodes import Node

from webapp.kit.imports.article import ImportProblem, JsonValue, NotAnArticle
from webapp.kit.imports.text import json_value

_TOML = re.compile(r"\+\+\+[ \t]*\n(.*?)^\+\+\+[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_YAML = re.compile(r"---[ \t]*\n(.*?)^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)


class _TreeLoader(yaml.SafeLoader):
    """YAML without aliases: a few lines of them can stand for gigabytes, or for themselves."""

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        if self.check_event(AliasEvent):
            raise yaml.YAMLError("aliases are not allowed")
        node: Node | None = super().compose_node(parent, index)
        return node


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
        fields: object = tomllib.loads(found[1]) if opening == "+++" else _load_yaml(found[1])
    except (ValueError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise ImportProblem(source, f"the front matter cannot be read: {reason}") from error
    except RecursionError as error:
        raise ImportProblem(source, "the front matter is nested too deep") from error
    values = json_value({} if fields is None else fields, source, "the front matter")
    if not isinstance(values, dict):
        raise ImportProblem(source, "the front matter is not a table of keys and values")
    return values, text[found.end() :]


def _load_yaml(text: str) -> object:
    try:
        # The loader is the safe one, less its aliases.
        return yaml.load(text, Loader=_TreeLoader)  # noqa: S506
    except (AttributeError, IndexError, KeyError, OverflowError, TypeError) as error:
        # The library meets a wrongly tagged value (`!!bool x`) with whatever error comes first.
        raise ValueError(f"a value does not fit its tag ({error})") from error
