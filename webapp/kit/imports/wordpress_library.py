"""What the bodies of an export only point to: pictures and other uploads, and reusable blocks."""

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import IO

from webapp.kit.imports.article import ImportProblem
from webapp.kit.imports.wordpress_stream import ExportItem, channel_parts, export_item

MOST_ATTACHMENTS = 200_000
"""Attachments kept in memory, of some 500 bytes each; what points to a later one is counted."""

MOST_BLOCK_CHARACTERS = 20_000_000
"""Text of reusable blocks kept in memory, all together."""

_LONGEST_TEXT = 2_000
_PICTURE = re.compile(r"\.(?:avif|bmp|gif|jpe?g|png|svg|webp)(?:[?#]|\Z)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Attachment:
    """One uploaded file at its address on the exporting site."""

    number: str
    address: str
    title: str
    caption: str
    alternative: str
    order: int

    @property
    def is_picture(self) -> bool:
        """Whether the address is that of a picture."""
        return is_picture(self.address)


@dataclass(slots=True)
class Library:
    """The attachments by number and by the post above them, and the published blocks."""

    attachments: dict[str, Attachment] = field(default_factory=dict)
    below: defaultdict[str, list[Attachment]] = field(default_factory=lambda: defaultdict(list))
    blocks: dict[str, str] = field(default_factory=dict)
    block_characters: int = 0

    def add(self, item: ExportItem) -> None:
        """Keep an item that others may point to, as far as WordPress itself would show it."""
        kind, status = item.text("wp:post_type"), item.text("wp:status")
        if kind == "attachment" and status in ("inherit", "publish"):
            self._add_attachment(item)
        elif kind == "wp_block" and status == "publish" and not item.text("wp:post_password"):
            content = item.fields.get("content:encoded", "")
            if self.block_characters + len(content) <= MOST_BLOCK_CHARACTERS:
                self.block_characters += len(content)
                self.blocks.setdefault(item.text("wp:post_id"), content)

    def _add_attachment(self, item: ExportItem) -> None:
        address = item.text("wp:attachment_url") or item.text("guid")
        number = item.text("wp:post_id")
        if len(self.attachments) >= MOST_ATTACHMENTS or number in self.attachments:
            return
        if not address.startswith(("http://", "https://")):
            return
        order = item.text("wp:menu_order")
        attachment = Attachment(
            number,
            address,
            item.text("title")[:_LONGEST_TEXT],
            item.text("excerpt:encoded")[:_LONGEST_TEXT],
            item.meta.get("_wp_attachment_image_alt", "")[:_LONGEST_TEXT],
            int(order) if re.fullmatch(r"[0-9]{1,9}", order) else 0,
        )
        self.attachments[number] = attachment
        self.below[item.text("wp:post_parent")].append(attachment)


def read_library(export: bytes | IO[bytes]) -> Library:
    """Read all that others may point to; the reader of `export` goes on where it was.

    Nothing is raised: of a file that breaks off it is what stands before the break.
    """
    place = None if isinstance(export, bytes) else export.tell()
    library = Library()
    try:
        for name, element in channel_parts(export):
            if name == "item":
                library.add(export_item(element))
    except ImportProblem:
        # The pass over the articles meets the same place and tells it.
        pass
    finally:
        if not isinstance(export, bytes) and place is not None:
            export.seek(place)
    return library


def is_picture(address: str) -> bool:
    """Tell whether an address ends as a picture's does."""
    return _PICTURE.search(address) is not None
