"""The command `unit59`. Each command imports what it needs when it runs: the site stage has no torch."""

from __future__ import annotations

import errno
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from dissect import __version__
from dissect.errors import Unit59Error

app = typer.Typer(
    name="unit59",
    help="Dissect image generators and publish the findings as a static site.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

RecipePath = Annotated[Path, typer.Argument(metavar="RECIPE", help="The recipe (a YAML file).")]
ResultsFolder = Annotated[Path, typer.Option("--results", help="The results folder.")]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"unit59 {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command()
def check(
    folder: Annotated[Path, typer.Argument(metavar="RESULTS", help="The results folder.")] = Path("results"),
) -> None:
    """Verify a results folder: every file there, unchanged, of a known schema."""
    from dissect.results import find_faults, model_folders

    faults = [fault for model in model_folders(folder) for fault in find_faults(model)]
    for fault in faults:
        _complain(fault)
    if faults:
        raise typer.Exit(2)
    typer.echo(f"{folder}: all files of {len(model_folders(folder))} model(s) are as they were written.")


def _complain(message: str) -> None:
    Console(stderr=True, soft_wrap=True, highlight=False).print(message, style="red", markup=False)


def main() -> None:
    """Run the command line; bad input ends with one message and exit status 2."""
    try:
        app(standalone_mode=True)
    except Unit59Error as error:
        _complain(f"unit59: {error}")
        sys.exit(2)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM):
            raise
        place = f"{error.filename}: " if error.filename else ""
        _complain(
            f"unit59: {place}{error.strerror}. Make room (or choose another folder) "
            "and run the same command again: what was finished is kept."
        )
        sys.exit(2)


if __name__ == "__main__":
    main()
