"""Where articles are imported from: the files of a folder, or one export."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from webapp.kit.clock import utc_now
from webapp.kit.imports.article import ImportProblem, NotAnArticle, Outcome
from webapp.kit.imports.markdown_folder import parse_article
from webapp.kit.imports.text import decode
from webapp.kit.imports.wordpress_export import read_articles, read_channel

SUFFIXES = frozenset({".md", ".markdown"})
LARGEST_FILE_BYTES = 5_000_000


@dataclass(frozen=True)
class MarkdownFolder:
    """All Markdown files below a folder, in the order of their paths."""

    root: Path
    files: tuple[Path, ...]

    @property
    def collection(self) -> str:
        """The folder's name, which the sources of its articles begin with."""
        return self.root.resolve().name

    @property
    def length(self) -> int | None:
        """How many outcomes there will be."""
        return len(self.files)

    def outcomes(self) -> Iterator[Outcome]:
        """Yield what each file holds: an article, a reason to skip it, or a problem."""
        now = utc_now()
        for file in self.files:
            source = file.relative_to(self.root).as_posix()
            try:
                yield parse_article(decode(_read(file, source), source), source, now=now)
            except (ImportProblem, NotAnArticle) as outcome:
                yield outcome


@dataclass(frozen=True)
class WordPressExport:
    """One WXR file, read as a stream."""

    path: Path

    @property
    def collection(self) -> str:
        """The kind of source; the articles' own keys hold their site's address."""
        return "wordpress"

    @property
    def length(self) -> int | None:
        """Unknown until the file has been read."""
        return None

    def outcomes(self) -> Iterator[Outcome]:
        """Yield what each item of the export is."""
        with self.path.open("rb") as export:
            yield from read_articles(export, now=utc_now())


Source = MarkdownFolder | WordPressExport


def open_source(path: Path) -> Source:
    """Tell what kind of source a path is. Raises ImportProblem when it is none that is known."""
    if path.is_dir():
        found = tuple(
            sorted(
                file
                for file in path.rglob("*")
                if file.suffix.lower() in SUFFIXES and file.is_file()
            )
        )
        if not found:
            raise ImportProblem(str(path), "the folder holds no Markdown files")
        return MarkdownFolder(path, found)
    if path.suffix.lower() == ".xml":
        with path.open("rb") as export:
            read_channel(export)
        return WordPressExport(path)
    raise ImportProblem(str(path), "is neither a folder nor a WordPress export (.xml)")


def _read(file: Path, source: str) -> bytes:
    try:
        if file.stat().st_size > LARGEST_FILE_BYTES:
            raise ImportProblem(source, f"is larger than {LARGEST_FILE_BYTES} bytes")
        return file.read_bytes()
    except OSError as error:
        raise ImportProblem(source, f"cannot be read: {error.strerror}") from error
