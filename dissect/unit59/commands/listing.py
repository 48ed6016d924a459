"""`Inspection` as text: tables in a terminal, plain columns anywhere else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from unit59.commands.inspect import Inspection


def show(found: Inspection, console: Console) -> None:
    """Print what `unit59.commands.inspect.inspect` found."""
    for name, value in _facts(found):
        console.print(f"[bold]{name:<11}[/] {escape(_printable(value))}", soft_wrap=True, highlight=False)
    if found.layers:
        rows = [[row.name, str(row.units), f"{row.height}x{row.width}", row.path] for row in found.layers]
        _table(console, ["layer", "units", "size", "path in the file"], rows)
    elif found.tensors:
        rows = [[row.name, "x".join(map(str, row.shape)) or "-", row.dtype] for row in found.tensors]
        _table(console, ["tensor", "shape", "type"], rows)


def _facts(found: Inspection) -> Iterable[tuple[str, str]]:
    yield "file", found.file
    yield "sha256", found.sha256
    yield "size", f"{found.bytes:,} bytes"
    yield "container", found.container
    yield "holds", found.holds
    if found.resolution:
        height, width = found.resolution
        takes = f"z of {found.latent_size}" if found.takes == "latent" else "pictures"
        labels = f" and labels of {found.label_size}" if found.label_size else ""
        yield "makes", f"{width}x{height} pictures from {takes}{labels}"
        yield "weights", f"{found.parameters:,}"
    if found.published:
        yield "by its name", found.published
    if found.page:
        yield "published", found.page
    yield "licence", found.licence or "not known from the name"


def _table(console: Console, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    rows = [[_printable(cell) for cell in row] for row in rows]
    if console.is_terminal:
        table = Table(*header, header_style="bold", box=None)
        for row in rows:
            table.add_row(*map(escape, row))
        console.print(table)
        return
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    for row in [header, *rows]:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        console.print(line.rstrip(), soft_wrap=True, highlight=False, markup=False)


def _printable(text: str) -> str:
    """`text` without control characters: names come from a stranger's file, and a terminal obeys."""
    return "".join(character if character.isprintable() else "?" for character in text)
