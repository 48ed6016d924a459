"""`Inspection` as text: tables in a terminal, plain columns anywhere else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from unit59.commands.inspect import Inspection
from unit59.foundation.printable import printable


def show(found: Inspection, console: Console) -> None:
    """Print what `unit59.commands.inspect.inspect` found."""
    for name, value in _facts(found):
        console.print(Text.assemble((f"{name:<11}", "bold"), " ", printable(value, keep="")), soft_wrap=True)
    if found.layers:
        rows = [[row.name, str(row.units), f"{row.height}x{row.width}", row.path] for row in found.layers]
        print_table(console, ["layer", "units", "size", "path in the file"], rows)
    elif found.tensors:
        rows = [[row.name, "x".join(map(str, row.shape)) or "-", row.dtype] for row in found.tensors]
        print_table(console, ["tensor", "shape", "type"], rows)


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


def print_table(console: Console, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table: with styles in a terminal, plain columns anywhere else."""
    rows = [[printable(cell, keep="") for cell in row] for row in rows]
    if console.is_terminal:
        table = Table(*header, header_style="bold", box=None)
        for row in rows:
            table.add_row(*map(Text, row))
        console.print(table)
        return
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    for row in [header, *rows]:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        console.print(Text(line.rstrip()), soft_wrap=True)
