"""YAML as its version 1.2 reads it, and no further: what looks like a text stays one.

YAML 1.1, which PyYAML speaks, takes `no` for false, `12:30` for 750 and `0123` for 83. The core
schema of YAML 1.2 (https://yaml.org/spec/1.2.2/, 10.3) knows neither. A number becomes one only
where it is written as it would be written back, so that a tag `1.10` keeps its last digit.
"""

import re

import yaml
from yaml.events import AliasEvent
from yaml.nodes import MappingNode, Node, ScalarNode


def load_yaml(text: str) -> object:
    """Read one document. Raises ValueError or yaml.YAMLError for what cannot be read.

    Aliases are refused, and so is a key that stands twice with different values.
    """
    try:
        # The loader is the safe one, with less in it.
        return yaml.load(text, Loader=_CoreLoader)  # noqa: S506
    except (AttributeError, IndexError, KeyError, OverflowError, TypeError) as error:
        # The library meets a wrongly tagged value (`!!bool x`) with whatever error comes first.
        raise ValueError(f"a value does not fit its tag ({error})") from error


class _CoreLoader(yaml.SafeLoader):
    """The safe loader with the core schema, and as a tree.

    A few lines of aliases can stand for gigabytes, or for themselves.
    """

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        if self.check_event(AliasEvent):
            raise yaml.YAMLError("aliases are not allowed")
        node: Node | None = super().compose_node(parent, index)
        return node

    def flatten_mapping(self, node: MappingNode) -> None:
        super().flatten_mapping(node)
        seen: dict[str, Node] = {}
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                continue
            first = seen.setdefault(key.value, value)
            if first is not value and not _are_equal(first, value):
                raise yaml.YAMLError(f"the key {key.value[:40]!r} stands twice and differs")

    def construct_number(self, node: ScalarNode) -> int | float | str:
        """Give a number where it loses nothing of what is written, else the text."""
        written = str(self.construct_scalar(node))
        number = int(written) if re.fullmatch(r"-?\d{1,30}", written) else float(written)
        return number if str(number) == written else written


def _are_equal(one: Node, other: Node) -> bool:
    return (
        isinstance(one, ScalarNode)
        and isinstance(other, ScalarNode)
        and (one.tag, one.value) == (other.tag, other.value)
    )


# The resolvers and constructors of a loader class are its parents' until it has its own.
_CoreLoader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", "~nN"),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"-?\d+", "-0123456789"),
    ("float", r"-?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?", "-0123456789"),
    ("merge", r"<<", "<"),
):
    _CoreLoader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"(?:{_pattern})\\Z"), [*_first, ""]
    )
_CoreLoader.add_constructor("tag:yaml.org,2002:int", _CoreLoader.construct_number)
_CoreLoader.add_constructor("tag:yaml.org,2002:float", _CoreLoader.construct_number)
