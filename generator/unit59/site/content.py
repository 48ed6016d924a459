"""What the site publishes beside its pages: files of the results, and bytes made from them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from unit59.results import KeptFile

#: Of the results only what the manifest lists, verified as it is copied; of the assets, files as they are.
Content = KeptFile | Path | bytes
#: Where in the site, and what.
Published = tuple[str, Content]


def size_of(content: Content) -> int:
    """In bytes."""
    if isinstance(content, KeptFile):
        return content.entry.bytes
    return len(content) if isinstance(content, bytes) else content.stat().st_size


def write(files: Iterable[Published], folder: Path) -> None:
    """Write files below a folder.

    Raises:
        ResultsError: a file of the results is not what was written, or is a link.
    """
    made: set[Path] = set()
    for name, content in files:
        target = folder / name
        if target.parent not in made:
            target.parent.mkdir(parents=True, exist_ok=True)
            made.add(target.parent)
        target.write_bytes(_read(content))


def _read(content: Content) -> bytes:
    if isinstance(content, KeptFile):
        return content.read()
    return content if isinstance(content, bytes) else content.read_bytes()
