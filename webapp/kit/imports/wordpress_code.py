"""Code between shortcodes, which nothing else of the conversion may touch."""

import html
import re
from collections.abc import Callable

_LANGUAGES = (
    "as3|bash|c|cpp|csharp|css|diff|erlang|fsharp|go|groovy|html|java|javascript|js|latex|matlab|"
    "objc|perl|php|powershell|ps|py|python|r|ruby|scala|shell|sql|swift|text|vb|xml|yaml"
)
_NAME = rf"code|sourcecode|source|{_LANGUAGES}"
_TOKEN = re.compile(rf"((?<!\[)\[/?(?:{_NAME})(?:[\s=][^\[\]]{{0,500}})?\](?!\]))")
_TOKEN_NAME = re.compile(rf"\[/?({_NAME})\b")
_LANGUAGE = re.compile(
    r"""(?:\b(?:language|lang)\s*=|^\[\w+[\s=])\s*["']?([\w+#.-]{1,40})["']?[\s\]]"""
)
_GENERIC = frozenset({"code", "source", "sourcecode"})


def around_code(source: str, convert: Callable[[str], str]) -> str:
    """Make `pre` of what stands in [code] and its like, and convert only the text around it."""
    tokens = _TOKEN.split(source)
    last_end = {_name(t): i for i, t in enumerate(tokens) if i % 2 and t.startswith("[/")}
    built: list[str] = []
    around: list[str] = [tokens[0]]
    index = 1
    while index < len(tokens):
        token, name = tokens[index], _name(tokens[index])
        if token.startswith("[/") or last_end.get(name, 0) < index:
            around += tokens[index : index + 2]
            index += 2
            continue
        end = index + 2
        while not (tokens[end].startswith("[/") and _name(tokens[end]) == name):
            end += 2
        built += [convert("".join(around)), _pre(token, name, "".join(tokens[index + 1 : end]))]
        around = [tokens[end + 1]]
        index = end + 2
    return "".join([*built, convert("".join(around))])


def _name(token: str) -> str:
    found = _TOKEN_NAME.match(token)
    return found[1] if found else ""


def _pre(token: str, name: str, code: str) -> str:
    # The editor stores code either as it is or with all of "<", ">" and "&" as entities, and the
    # only sign of the one is a "<".
    text = code if "<" in code else html.unescape(code)
    lines = text.removeprefix("\n").removesuffix("\n")
    found = _LANGUAGE.search(token)
    language = found[1] if found else name
    marked = "" if language in _GENERIC else f' class="language-{language.lower()}"'
    return f"\n\n<pre><code{marked}>{html.escape(lines, quote=False)}</code></pre>\n\n"
