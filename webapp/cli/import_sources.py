"""Where articles are imported from: the files of a folder, or one export."""

import hashlib
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from pathlib import Path

from webapp.kit.clock import utc_now
from webapp.kit.imports.article import ImportProblem, NotAnArticle, Outcome
from webapp.kit.imports.markdown_folder import parse_article
from webapp.kit.imports.sections import INDEX_NAMES, Section, read_section, refusal
from webapp.kit.imports.text import decode
from webapp.kit.imports.wordpress_export import read_articles, read_channel

SUFFIXES = frozenset({".md", ".markdown"})
LARGEST_FILE_BYTES = 5_000_000

# Folders of tools, in which articles of others lie, or copies, or what was thrown away. So do the
# folders and files whose names begin with a dot.
TOOL_FOLDERS = frozenset({"node_modules", "bower_components", "vendor", "_site", "__pycache__"})


@dataclass(frozen=True)
class Reading:
    """How to read a source: the zone of times without one, and which unknown keys are public."""

    zone: tzinfo = UTC
    public_keys: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Finding:
    """What a walk through a folder found."""

    files: list[Path] = field(default_factory=list)
    other_kinds: Counter[str] = field(default_factory=Counter)
    tool_folders: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class MarkdownFolder:
    """All Markdown files below a folder, in the order of their paths."""

    root: Path
    found: Finding
    reading: Reading

    @property
    def collection(self) -> str:
        """The name of the folder and a mark of its whole path: many folders are called `posts`."""
        path = self.root.resolve()
        mark = hashlib.sha256(os.fsencode(path)).hexdigest()[:12]
        return f"{path.name}@{mark}"

    @property
    def former_collection(self) -> str:
        """What earlier releases called it: the name alone."""
        return self.root.resolve().name

    @property
    def length(self) -> int | None:
        """How many outcomes there will be."""
        return len(self.found.files)

    @property
    def left_out(self) -> list[str]:
        """What was passed over, with how much of it."""
        others = self.found.other_kinds
        kinds = ", ".join(f"{count} × {kind}" for kind, count in others.most_common(8))
        more = ", …" if len(others) > 8 else ""
        lines = [
            f"{others.total()} files of other kinds ({kinds}{more})" if kinds else "",
            _counted("folders and files of tools", self.found.tool_folders),
            _counted("links that lead out of the folder, or to folders", self.found.links),
        ]
        return [line for line in lines if line]

    def outcomes(self) -> Iterator[Outcome]:
        """Yield what each file holds: an article, a reason to skip it, or a problem."""
        now = utc_now()
        sections: dict[Path, Section | ImportProblem] = {}
        for file in self.found.files:
            source = self._source(file)
            try:
                yield parse_article(
                    self._text(file), source, now=now, zone=self.reading.zone,
                    public_keys=self.reading.public_keys,
                    section=self._section(file.parent, source, sections),
                )  # fmt: skip
            except (ImportProblem, NotAnArticle) as outcome:
                yield outcome

    def _source(self, file: Path) -> str:
        return file.relative_to(self.root).as_posix()

    def _text(self, file: Path) -> str:
        source = self._source(file)
        return decode(_read(file, source, self.root.resolve()), source)

    def _section(
        self, folder: Path, source: str, known: dict[Path, Section | ImportProblem]
    ) -> Section:
        """Return what the index pages from the root down to a folder say; each is read once."""
        if folder not in known:
            known[folder] = self._read_section(folder, source, known)
        section = known[folder]
        if isinstance(section, ImportProblem):
            raise refusal(source, section)
        return section

    def _read_section(
        self, folder: Path, source: str, known: dict[Path, Section | ImportProblem]
    ) -> Section | ImportProblem:
        above = Section() if folder == self.root else self._section(folder.parent, source, known)
        index = next((folder / n for n in INDEX_NAMES if (folder / n).is_file()), None)
        if index is None:
            return above
        try:
            return read_section(self._text(index), self._source(index), above)
        except ImportProblem as problem:
            return problem


@dataclass(frozen=True)
class WordPressExport:
    """One WXR file, read as a stream; `address` is that of its site."""

    path: Path
    address: str
    reading: Reading

    @property
    def collection(self) -> str:
        """The site's address: items of two sites may both be called `http://localhost/?p=1`."""
        site = self.address.partition("://")[2].removeprefix("www.").rstrip("/").lower()
        return f"wordpress@{site}" if site else "wordpress"

    @property
    def former_collection(self) -> str:
        """What earlier releases called every export."""
        return "wordpress"

    @property
    def length(self) -> int | None:
        """Unknown until the file has been read."""
        return None

    @property
    def left_out(self) -> list[str]:
        """Nothing: every item gives an outcome."""
        return []

    def outcomes(self) -> Iterator[Outcome]:
        """Yield what each item of the export is."""
        with self.path.open("rb") as export:
            yield from read_articles(export, now=utc_now(), zone=self.reading.zone)


Source = MarkdownFolder | WordPressExport


def open_source(path: Path, reading: Reading) -> Source:
    """Tell what kind of source a path is. Raises ImportProblem when it is none that is known."""
    if path.is_dir():
        found = _walk(path)
        if not found.files:
            raise ImportProblem(str(path), "the folder holds no Markdown files")
        return MarkdownFolder(path, found, reading)
    if path.suffix.lower() == ".xml":
        with path.open("rb") as export:
            channel = read_channel(export)
        return WordPressExport(path, channel.address, reading)
    raise ImportProblem(str(path), "is neither a folder nor a WordPress export (.xml)")


def _walk(root: Path) -> Finding:
    found, top = Finding(), root.resolve()
    for folder, folders, files in os.walk(root):
        here = Path(folder)
        for name in sorted(folders):
            if name.startswith(".") or name in TOOL_FOLDERS:
                found.tool_folders.append((here / name).relative_to(root).as_posix())
            elif (here / name).is_symlink():
                found.links.append((here / name).relative_to(root).as_posix())
        folders[:] = [n for n in folders if not n.startswith(".") and n not in TOOL_FOLDERS]
        for name in files:
            _sort_in(found, here / name, root, top)
    found.files.sort()
    return found


def _sort_in(found: Finding, file: Path, root: Path, top: Path) -> None:
    path = file.relative_to(root).as_posix()
    if file.suffix.lower() not in SUFFIXES:
        found.other_kinds[file.suffix.lower() or "no suffix"] += 1
    elif file.name.startswith("."):
        found.tool_folders.append(path)
    elif not _is_inside(file, top):
        found.links.append(path)
    elif file.is_file():
        found.files.append(file)


def _is_inside(file: Path, top: Path) -> bool:
    try:
        return file.resolve().is_relative_to(top)
    except (OSError, RuntimeError):  # A link that leads to itself.
        return False


def _counted(what: str, paths: list[str]) -> str:
    shown = ", ".join(paths[:3]) + (", …" if len(paths) > 3 else "")
    return f"{len(paths)} {what} ({shown})" if paths else ""


def _read(file: Path, source: str, root: Path) -> bytes:
    try:
        # Asked again: the walk is some time ago, and what lies outside must not be published.
        if not _is_inside(file, root):
            raise ImportProblem(source, "leads out of the folder")
        if file.stat().st_size > LARGEST_FILE_BYTES:
            raise ImportProblem(source, f"is larger than {LARGEST_FILE_BYTES} bytes")
        return file.read_bytes()
    except OSError as error:
        raise ImportProblem(source, f"cannot be read: {error.strerror}") from error
