"""Shortcodes, for which WordPress puts in a picture, a player or a gallery when it shows a page.

Those that stand for content are replaced by it; unknown ones stay as the text they are.
"""

import base64
import binascii
import html
import re
from urllib.parse import unquote

from webapp.kit.imports.wordpress_conversion import (
    Conversion,
    attributes,
    figure,
    image,
    link,
    web_address,
)
from webapp.kit.imports.wordpress_library import Attachment, is_picture

_CAPTION = re.compile(r"(\[/?(?:wp_)?caption\b[^\[\]]{0,1000}\])")
_PICTURE = re.compile(r"\s*((?:<a\b[^<>]*>\s*)?<img\b[^<>]*>(?:\s*</a>)?)(.*)", re.DOTALL)
_PLAYER = re.compile(
    r"""\[(?:audio|embed|video|youtube)\b[\s=](?:[^\[\]]{0,500}?[\s"'=])??(https?://[^\s"'\[\]]+)"""
    r"""[^\[\]]{0,500}\](?:\s{0,9}\[/(?:audio|video)\])?"""
)
_EMBED = re.compile(r"\[embed[^\[\]]{0,500}\]\s{0,9}(https?://[^\s\[\]]+)\s{0,9}\[/embed\]")
_GALLERY = re.compile(r"(?<!\[)\[(gallery|playlist)(\s[^\[\]]{0,4000})?/?\](?!\])")
_RAW_HTML = re.compile(r"\[vc_raw_html\b[^\[\]]{0,1000}\]([\w+/=\s]{0,2000000})\[/vc_raw_html\]")
_BUILDER = re.compile(
    r"(?<!\[)\[(/?)(?:vc|et_pb|fusion|av|cs)_\w{1,60}((?:\s[^\[\]]{0,8000})?)/?\](?!\])"
)
_BUILDER_TEXTS = ("title", "heading", "text", "button_text", "caption")
_BUILDER_LINKS = ("link", "url", "button_url", "href")
_BUILDER_PICTURES = ("image", "images", "src", "image_url", "background_image")
_BUILDER_TARGET = re.compile(r"(?:\A|\|)url:([^|]*)")


def put_in_content(source: str, conversion: Conversion) -> str:
    """Replace the shortcodes that stand for content, and take away those of page builders."""
    source = _without_builder(source, conversion)
    source = _EMBED.sub(r"\n\n\1\n\n", source)
    source = _PLAYER.sub(r"\n\n\1\n\n", source)
    source = _GALLERY.sub(lambda found: _gallery(found, conversion), source)
    parts = _CAPTION.split(source)
    built, index = [parts[0]], 1
    while index < len(parts):
        code, text = parts[index], parts[index + 1]
        closed = index + 2 < len(parts) and parts[index + 2].startswith("[/")
        if closed and not code.startswith("[/"):
            built += [_captioned(code, text), parts[index + 3]]
            index += 4
        else:
            built += [code, text]
            index += 2
    return "".join(built)


def _captioned(code: str, inside: str) -> str:
    given = attributes(code)
    picture = _PICTURE.match(inside)
    shown, text = (picture[1], picture[2]) if picture else (inside, "")
    caption = text.strip() or given.get("caption", "")
    alignment = html.escape(given.get("align", ""))
    legend = f"<figcaption>{caption}</figcaption>" if caption else ""
    return f'\n\n<figure class="{alignment}">{shown}{legend}</figure>\n\n'


def _gallery(found: re.Match[str], conversion: Conversion) -> str:
    kind, given = found[1], attributes(found[2] or "")
    of_pictures = kind == "gallery"
    missing = "gallery without pictures" if of_pictures else "playlist without pieces"
    wanted = _numbers(given.get("ids") or given.get("include") or "")
    if wanted:
        held = conversion.library().attachments
        chosen = [held[number] for number in wanted if number in held]
        if chosen:
            piece = "picture of a gallery" if of_pictures else "piece of a playlist"
            for _ in range(len(wanted) - len(chosen)):
                conversion.lost(f"{piece} that is not in the file")
    else:
        left_out = set(_numbers(given.get("exclude", "")))
        above = given.get("id") or conversion.number
        children = conversion.library().below.get(above, [])
        chosen = [
            child
            for child in sorted(children, key=lambda child: (child.order, int(child.number)))
            if child.is_picture == of_pictures and child.number not in left_out
        ]
    shown = [figure(one) if of_pictures else _piece(one) for one in chosen]
    return "".join(shown) if shown else conversion.lost(missing) + "\n\n"


def _piece(attachment: Attachment) -> str:
    return f"\n\n{link(attachment.address, attachment.title)}\n\n"


def _numbers(written: str) -> list[str]:
    return re.findall(r"[0-9]{1,20}", written)


def _without_builder(source: str, conversion: Conversion) -> str:
    """Take a page builder's brackets away; what stands inside them as a value is put in."""

    def raw_html(found: re.Match[str]) -> str:
        try:
            stored = base64.b64decode("".join(found[1].split()), validate=True)
        except (binascii.Error, ValueError):
            return conversion.lost("page builder's HTML that cannot be read")
        return f"\n\n{unquote(stored.decode('utf-8', 'replace'))}\n\n"

    source = _RAW_HTML.sub(raw_html, source)
    replaced, count = _BUILDER.subn(
        lambda found: "\n\n" if found[1] else _builder_content(found[2], conversion), source
    )
    if count:
        conversion.lost("page builder's layout")
    return replaced


def _builder_content(written: str, conversion: Conversion) -> str:
    given = attributes(written)
    shown: list[str] = []
    for name in _BUILDER_PICTURES:
        shown += _builder_picture(given.get(name, ""), conversion)
    text = "\n\n".join(given[name] for name in _BUILDER_TEXTS if given.get(name))
    address = ""
    for name in _BUILDER_LINKS:
        target = _BUILDER_TARGET.search(given.get(name, ""))
        address = address or web_address(unquote(target[1]) if target else given.get(name, ""))
    if address:
        shown.append(link(address, text))
    elif text:
        shown.append(html.escape(text, quote=False))
    return "\n\n" + "\n\n".join(shown) + "\n\n"


def _builder_picture(value: str, conversion: Conversion) -> list[str]:
    address = web_address(value)
    if address:
        return [f"<figure>{image(address)}</figure>" if is_picture(address) else link(address)]
    if not re.fullmatch(r"[0-9, ]{1,2000}", value):
        return []
    held = conversion.library().attachments
    found = [held.get(number) for number in _numbers(value)]
    return [
        figure(one) if one else conversion.lost("picture that is not in the file") for one in found
    ]
