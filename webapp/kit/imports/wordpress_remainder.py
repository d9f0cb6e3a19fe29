"""What an item of an export has besides its text: kept in metadata, or counted."""

import html
import re
from typing import Final

from webapp.kit.content_limits import METADATA_LIMIT
from webapp.kit.imports.article import JsonValue
from webapp.kit.imports.wordpress_conversion import Conversion
from webapp.kit.imports.wordpress_stream import ExportItem
from webapp.kit.rendering.excerpts import excerpt

# Page builders that keep an article outside its body, by the field that each keeps it in.
_BUILDERS: Final = {
    "_elementor_data": "Elementor",
    "_fl_builder_data": "Beaver Builder",
    "_bricks_page_content_2": "Bricks",
    "ct_builder_shortcodes": "Oxygen",
    "brizy": "Brizy",
    "panels_data": "SiteOrigin",
}
LONGEST_ORIGINAL: Final = METADATA_LIMIT // 2
"""Characters of a body kept as it was written; the other half is for the rest of the metadata."""

_EMPTY = frozenset({"", "[]", "{}", "a:0:{}"})
_KNOWN_TAXONOMIES = frozenset({"", "author", "category", "post_format", "post_tag", "tag"})
_DESCRIPTIONS = ("_yoast_wpseo_metadesc", "rank_math_description", "_aioseo_description")
_LAYOUT = re.compile(
    r"<!--[^<>]*?-->|</?(?:br|div|figure|h[1-6]|li|ol|p|section|span|ul)\b[^<>]{0,2000}>"
    r"|&nbsp;|\s",
    re.IGNORECASE,
)
_MEDIUM = re.compile(r"<(?:audio|img|video)\b")


def is_hollow(item: ExportItem, body: str, conversion: Conversion) -> bool:
    """Tell whether nothing of a body is left although there was something; the reason is noted."""
    if _MEDIUM.search(body) or excerpt(body):
        return False
    builder = next(
        (name for key, name in _BUILDERS.items() if item.meta.get(key, "").strip() not in _EMPTY),
        None,
    )
    if builder is not None:
        conversion.lost(f"article made with {builder}, which keeps its text in a form of its own")
    elif not conversion.notices and _LAYOUT.sub("", item.text("content:encoded")):
        conversion.lost("body of which nothing could be kept")
    return bool(conversion.notices)


def original(content: str, conversion: Conversion) -> dict[str, JsonValue]:
    """Give the body as it was written where the conversion had to drop something of it."""
    if not conversion.notices:
        return {}
    if len(repr(content)) > LONGEST_ORIGINAL:
        conversion.lost("body as it was written, which is too long to keep beside the article")
        return {}
    return {"original_body": content}


def kept_besides(item: ExportItem, conversion: Conversion) -> dict[str, JsonValue]:
    """Give what has no field of its own: the featured picture, description, other taxonomies."""
    kept: dict[str, JsonValue] = {}
    number = item.meta.get("_thumbnail_id", "").strip()
    if number.strip("0-"):
        picture = conversion.library().attachments.get(number)
        if picture is not None:
            kept["featured_image"] = picture.address
        else:
            conversion.lost("featured picture that is not in the file")
    description = next((d for key in _DESCRIPTIONS if (d := item.meta.get(key, "").strip())), "")
    if description:
        kept["description"] = description
    terms: dict[str, JsonValue] = {}
    for domain in dict.fromkeys(term.domain for term in item.terms):
        if domain not in _KNOWN_TAXONOMIES:
            terms[domain] = [html.unescape(t.name) for t in item.terms if t.domain == domain]
    if terms:
        kept["terms"] = terms
    return kept
