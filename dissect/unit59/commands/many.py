"""Several recipes at once: each dissected by a process of its own, its lines behind the recipe's name."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

from unit59.foundation.ending import DONE, INTERRUPTED, TERMINATED, WATCHED, Terminated


def processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def dissect_all(
    recipes: Sequence[Path], options: Sequence[str], jobs: int, say: Callable[[str], None]
) -> dict[Path, int]:
    """Run `unit59 dissect` for each recipe, `jobs` at a time; one that fails does not stop the others.

    Args:
        recipes: the recipes.
        options: of the command, for each alike.
        jobs: how many run at once; they share the processors.
        say: is given every line that one of them says.

    Returns:
        The exit status of each: 0 where everything was done.
    """
    environment = {"OMP_NUM_THREADS": str(max(1, processors() // jobs)), **os.environ, WATCHED: "1"}
    running: list[subprocess.Popen[str]] = []
    stopped: signal.Signals | None = None
    statuses = {DONE: 0, 0: 1, -signal.SIGINT: INTERRUPTED, -signal.SIGTERM: TERMINATED}

    def run(recipe: Path) -> int:
        if stopped:
            return statuses[-stopped]
        # -P: what lies in the current folder is not to be imported in place of a package.
        command = [sys.executable, "-P", "-m", "unit59", "dissect", str(recipe), *options]
        # A session of its own: Ctrl-C reaches it once, from here.
        process = subprocess.Popen(  # noqa: S603  # this very program
            command,
            stdin=subprocess.PIPE,  # stays open as long as this process lives, and the child with it
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=environment,
            start_new_session=True,
        )
        running.append(process)
        if stopped:
            process.send_signal(stopped)
        for line in process.stdout or ():
            say(f"{recipe.stem}  {line.rstrip()}")
        status = process.wait()
        if status == 0:
            say(f"{recipe.stem}  unit59: something ended the run before it was done.")
        return statuses.get(status, status)

    with ThreadPoolExecutor(jobs) as pool:
        waiting = [pool.submit(run, recipe) for recipe in recipes]
        try:
            # In short waits: a signal that another thread received is only seen when the main one runs.
            while wait(waiting, timeout=0.2).not_done:
                pass
        except (KeyboardInterrupt, Terminated) as end:
            stopped = signal.SIGTERM if isinstance(end, Terminated) else signal.SIGINT
            for process in running:
                if process.poll() is None:
                    process.send_signal(stopped)
        return {recipe: future.result() for recipe, future in zip(recipes, waiting, strict=True)}
