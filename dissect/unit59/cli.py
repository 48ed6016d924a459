"""The command `unit59`. Each command imports what it needs when it runs: the site stage has no torch."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console

from unit59.foundation.ending import INTERRUPTED, TERMINATED, Terminated, done_status
from unit59.foundation.errors import Unit59Error
from unit59.foundation.own_code import describe, is_out_of_memory
from unit59.foundation.printable import printable
from unit59.foundation.version import __version__

if TYPE_CHECKING:
    from unit59.cluster.engine import EngineMaker
    from unit59.foundation.progress import Reporter

app = typer.Typer(
    name="unit59",
    help="Dissect image generators and publish the findings as a static site.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

#: A disk that cannot be written, and paths that lead nowhere (a file where a folder is meant, for one).
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM)
_NO_SUCH_PLACE = (errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.EIO)
#: Packages that the site stage does without.
_DISSECT_NEEDS = ("torch", "numpy", "scipy", "PIL", "safetensors", "lmdb")

RecipePath = Annotated[Path, typer.Argument(metavar="RECIPE", help="The recipe (a YAML file).")]
CacheFolder = Annotated[
    Path,
    typer.Option("--cache", help="Where samples and measurements are kept; may be deleted at any time."),
]
Device = Annotated[str, typer.Option(help="Where the networks run: cpu, cuda, cuda:1.")]
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
def dissect(
    recipes: Annotated[
        list[Path], typer.Argument(metavar="RECIPE...", help="The recipe (a YAML file), or several.")
    ],
    results: ResultsFolder = Path("results"),
    cache: CacheFolder = Path(".unit59"),
    device: Device = "cpu",
    batch_size: Annotated[
        int, typer.Option(min=1, help="Samples between two steps of the progress bar; changes no result.")
    ] = 64,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, help="Of several recipes, how many at once; by default one a processor."),
    ] = None,
    engine: Annotated[
        Literal["here", "dask"], typer.Option(help="Where tasks run: in this process, or on a Dask cluster.")
    ] = "here",
    scheduler: Annotated[
        str | None, typer.Option(help="dask: the address of a scheduler that runs, or its file (.json).")
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="dask: processes on this machine; by default one a processor or GPU."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing unless it fails.")] = False,
) -> None:
    """Dissect what RECIPE names; interrupted, the same command goes on where it stopped."""
    from unit59.foundation.progress import Reporter
    from unit59.loading import checked_device
    from unit59.recipe.sections import read_recipe
    from unit59.run import Options
    from unit59.run import dissect as run

    if engine == "here" and (scheduler or workers):
        raise Unit59Error("--scheduler and --workers go with --engine dask.")
    if scheduler and workers:
        raise Unit59Error(
            "--scheduler is a cluster that has its workers; --workers starts some here. Give one."
        )
    options = Options(results, cache, checked_device(device), batch_size)
    files = [read_recipe(recipe) for recipe in recipes]
    if len(files) > 1:
        given = ["--results", str(results), "--cache", str(cache), "--device", device, "--engine", engine]
        given += ["--batch-size", str(batch_size), *(["--quiet"] if quiet else [])]
        given += ["--scheduler", scheduler] if scheduler else []
        given += ["--workers", str(workers)] if workers else []
        _side_by_side(recipes, given, jobs, alone=device != "cpu" or engine != "here")
        return
    report = Reporter(quiet=quiet)
    with _engine(engine, scheduler, workers, device, report) as make:
        run(files[0], replace(options, engine=make), report)
    raise typer.Exit(done_status())


@contextmanager
def _engine(
    engine: str, scheduler: str | None, workers: int | None, device: str, report: Reporter
) -> Iterator[EngineMaker | None]:
    if engine == "here":
        yield None
        return
    from unit59.cluster.machines import as_many, existing, local
    from unit59.commands.many import processors

    count = workers or as_many(device, processors())
    with existing(scheduler, report) if scheduler else local(count, device, report) as make:
        yield make


def _side_by_side(recipes: list[Path], given: list[str], jobs: int | None, *, alone: bool) -> None:
    from unit59.commands.many import dissect_all, processors

    at_once = min(len(recipes), jobs or (1 if alone else processors()))
    ended = dissect_all(recipes, given, at_once, lambda line: typer.echo(printable(line), err=True))
    if TERMINATED in ended.values():
        raise Terminated
    if INTERRUPTED in ended.values():
        raise typer.Exit(INTERRUPTED)
    failed = [str(recipe) for recipe, status in ended.items() if status]
    if failed:
        _complain(f"unit59: not finished: {', '.join(failed)}. What went wrong is said above.")
        raise typer.Exit(2)


@app.command()
def train(
    recipe: RecipePath,
    folder: Annotated[Path, typer.Option(help="Where trainings are kept.")] = Path(".training"),
    device: Annotated[str, typer.Option(help="Where it runs: cpu, cuda, cuda:1.")] = "cpu",
    stop: Annotated[int | None, typer.Option(min=1, help="Stop after so many steps in all.")] = None,
    export: Annotated[
        Path | None, typer.Option(help="Train nothing: write the weights of the last checkpoint here.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing unless it fails.")] = False,
) -> None:
    """Train what RECIPE names; interrupted, the same command goes on from its last checkpoint."""
    from unit59.foundation.progress import Reporter
    from unit59.loading import checked_device
    from unit59.training.train import start

    training = start(recipe, folder, checked_device(device), Reporter(quiet=quiet))
    typer.echo(training.export(export) if export else training.run(stop))


@app.command()
def edit(
    recipe: RecipePath,
    layer: Annotated[str, typer.Option(help="Any layer of the network.")],
    units: Annotated[str, typer.Option(help="Units, e.g. 59,12 or 0-7.")],
    out: Annotated[Path, typer.Option(help="Folder for the pictures and effects.csv.")],
    ablate: Annotated[bool, typer.Option("--ablate", help="Switch them off.")] = False,
    insert: Annotated[bool, typer.Option("--insert", help="Switch them on.")] = False,
    scale: Annotated[float | None, typer.Option(help="Multiply them by this.")] = None,
    level: Annotated[float | None, typer.Option(help="What to set them to.")] = None,
    quantile: Annotated[
        float | None, typer.Option(help="Insert: this quantile of each unit's values.")
    ] = None,
    mean: Annotated[bool, typer.Option("--mean", help="Set each to its mean.")] = False,
    box: Annotated[str | None, typer.Option(help="Only there: top,left,bottom,right in 0..1.")] = None,
    mask: Annotated[Path | None, typer.Option(help="Only where this picture is light.")] = None,
    concept: Annotated[str | None, typer.Option(help="Only where the segmenter finds this.")] = None,
    samples: Annotated[str, typer.Option(help="Samples, e.g. 0-15.")] = "0-15",
    floor: Annotated[
        float, typer.Option(help="Share of a picture from which on it shows a concept.")
    ] = 0.005,
    random: Annotated[
        int, typer.Option(min=0, help="Random sets of as many other units, for comparison.")
    ] = 20,
    cache: CacheFolder = Path(".unit59"),
    device: Device = "cpu",
) -> None:
    """Edit units of one layer; writes pictures before and after and prints the effects."""
    from unit59.commands.edit import make_edit, make_where, parse_numbers, print_effects, run_edit
    from unit59.foundation.progress import Reporter
    from unit59.loading import checked_device
    from unit59.recipe.sections import read_recipe
    from unit59.run import Options, Run

    chosen = [
        name for name, on in (("ablate", ablate), ("insert", insert), ("scale", scale is not None)) if on
    ]
    if len(chosen) != 1:
        raise Unit59Error("say what to do with the units: one of --ablate, --insert and --scale.")
    wanted = make_edit(
        parse_numbers(units, "units"),
        chosen[0],  # type: ignore[arg-type]  # one of the three names above
        scale if scale is not None else level,
        quantile,
        mean,
        make_where(box, mask, concept),
    )
    run = Run(read_recipe(recipe), Options(Path("results"), cache, checked_device(device)), Reporter())
    table = run_edit(run, layer, wanted, parse_numbers(samples, "samples"), out, floor, random)
    print_effects(table, Console())
    typer.echo(f"{out}: pictures of {len(parse_numbers(samples, 'samples'))} samples, and effects.csv.")


@app.command()
def fetch(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What to fetch: faces.")],
    folder: Annotated[Path | None, typer.Option(help="Where to put it; by default weights/NAME.")] = None,
) -> None:
    """Fetch third-party weights by name; every file is checked."""
    from unit59.commands.fetch import fetch as run

    run(name, folder or Path("weights") / name, typer.echo)


@app.command()
def schema() -> None:
    """Print the JSON schema of recipes, for editors."""
    from unit59.recipe.sections import json_schema

    typer.echo(json_schema(), nl=False)


@app.command()
def inspect(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A checkpoint of any supported format.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what FILE holds: its family, layers, units and licence. Nothing in it is executed."""
    from unit59.commands.inspect import inspect as run
    from unit59.commands.listing import show

    found = run(file)
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
    else:
        show(found, Console())


@app.command()
def convert(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A published checkpoint.")],
    out: Annotated[Path, typer.Argument(metavar="OUT.safetensors", help="The file to write.")],
) -> None:
    """Write the generator in FILE as safetensors, which loads faster and in other programs too."""
    from unit59.networks import load
    from unit59.networks.files import save

    save(load(file), out, source=file)
    typer.echo(f"{out}: {out.stat().st_size:,} bytes.")


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder, or one of an earlier export.")],
    results: ResultsFolder = Path("results"),
    html: Annotated[
        bool, typer.Option("--html", help="Whole HTML pages that need no site builder, not Markdown.")
    ] = False,
    templates: Annotated[
        Path | None, typer.Option(help="Templates and assets that go before unit59's own.")
    ] = None,
) -> None:
    """Write the site's pages as files, for any site builder or none."""
    from unit59.site.export import export as write_pages

    count = write_pages(results, folder, "html" if html else "md", templates)
    typer.echo(f"{folder}: {count} pages.")


@app.command()
def plan(
    recipe: RecipePath,
    results: ResultsFolder = Path("results"),
    cache: CacheFolder = Path(".unit59"),
    device: Device = "cpu",
) -> None:
    """Say what `dissect` would do with RECIPE: which parts are there, which it measures, at what cost."""
    from unit59.commands.plan import make_plan, show
    from unit59.foundation.progress import Reporter
    from unit59.loading import checked_device
    from unit59.recipe.sections import read_recipe
    from unit59.run import Options, Run

    options = Options(results, cache, checked_device(device))
    show(make_plan(Run(read_recipe(recipe), options, Reporter(quiet=True))), Console())


@app.command()
def tell(
    folder: Annotated[Path, typer.Argument(metavar="RESULTS", help="The results folder.")],
    recipe: Annotated[
        Path | None,
        typer.Option(help="The recipe of one of its models: with new words, or with studies of your own."),
    ] = None,
) -> None:
    """Say anew what RESULTS hold, in this version's words: nothing is measured, no network is opened."""
    from unit59.commands.tell import tell_results

    changed, untold = tell_results(folder, recipe)
    for line in untold:
        _complain(line)
    for file in changed:
        typer.echo(printable(f"{folder}/{file}: told anew."))
    if not changed:
        typer.echo(f"{folder}: says the same as before.")


@app.command()
def check(
    folder: Annotated[Path, typer.Argument(metavar="RESULTS", help="The results folder.")] = Path("results"),
) -> None:
    """Verify a results folder: every part there, every file unchanged, and no file beside them."""
    from unit59.results import check_results, model_folders

    faults = check_results(folder)
    for fault in faults:
        _complain(fault)
    if faults:
        raise typer.Exit(2)
    typer.echo(f"{folder}: all files of {len(model_folders(folder))} model(s) are as they were written.")


def _complain(message: str) -> None:
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    with suppress(BrokenPipeError):  # nobody reads it any more
        console.print(printable(message), style="red", markup=False, emoji=False)


def main() -> None:
    """Run the command line; bad input ends with one message and exit status 2."""
    try:
        app()
    except Unit59Error as error:
        _complain(f"unit59: {error}")
        sys.exit(2)
    except ModuleNotFoundError as error:
        if error.name not in _DISSECT_NEEDS:
            raise
        _complain(f"unit59: {error.name} is not installed. Dissecting needs `pip install 'unit59[dissect]'`.")
        sys.exit(2)
    except OSError as error:
        if error.errno not in _FULL and error.errno not in _NO_SUCH_PLACE:
            raise
        place = f"{error.filename}: " if error.filename else ""
        full = "Make room (or choose another folder)"
        way_out = full if error.errno in _FULL else "Choose another path"
        _complain(
            f"unit59: {place}{error.strerror}. {way_out} "
            "and run the same command again: what was finished is kept."
        )
        sys.exit(2)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        _complain(
            f"unit59: {describe(error)} Free some memory, or use another --device, and run the same "
            "command again: what was finished is kept."
        )
        sys.exit(2)
