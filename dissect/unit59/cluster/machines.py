"""A Dask cluster for a run: one that is there, or one of processes on this machine that lasts as long."""

from __future__ import annotations

import importlib
import logging
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

import torch

from unit59.cluster.engine import ClusterError, DaskEngine, EngineMaker
from unit59.foundation.progress import Reporter

#: Seconds that a scheduler may take to write its file, and to answer.
PATIENCE = 30
#: Seconds that a local cluster may take to end in order.
ENDING = 5

#: Modules that take long to import. None of them starts a thread, which would not live through a fork.
LARGE = ["distributed", "numba", "scipy.stats", "torch"]


@contextmanager
def existing(scheduler: str, report: Reporter) -> Iterator[EngineMaker]:
    """An engine on a cluster that is there already.

    Args:
        scheduler: its address (``tcp://host:8786``), or the path of its file (``….json``).
        report: is told the progress.

    Yields:
        What `Options.engine` takes.

    Raises:
        ClusterError: the extra is not installed, or no scheduler answers there.
    """
    dask = _dask()
    try:
        client = dask.Client(**_where(scheduler), timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError, KeyError) as error:
        raise ClusterError(
            f"--scheduler {scheduler}: no Dask scheduler answers there within {PATIENCE} s "
            f"({type(error).__name__}). Is it running, and does this machine reach it?"
        ) from None
    with _ending(client):
        yield _maker(client, dask, report)


def _where(scheduler: str) -> dict[str, str]:
    """What a client takes: the address, or the file, which a scheduler writes soon after its start."""
    if not scheduler.endswith(".json"):
        return {"address": scheduler}
    ends = time.monotonic() + PATIENCE
    while not Path(scheduler).is_file():
        if time.monotonic() > ends:
            raise FileNotFoundError(scheduler)
        time.sleep(0.1)
    return {"scheduler_file": scheduler}


@contextmanager
def local(workers: int, device: str, report: Reporter) -> Iterator[EngineMaker]:
    """An engine on processes of this machine, which end with it.

    Args:
        workers: how many; they share the processors, where OMP_NUM_THREADS does not say otherwise, and for
            ``cuda`` each has a GPU of its own where dask-cuda is installed.
        device: where the networks run.
        report: is told the progress.

    Yields:
        What `Options.engine` takes.

    Raises:
        ClusterError: the extra is not installed.
    """
    dask = _dask()
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max(1, torch.get_num_threads() // workers))
    settings = {
        "n_workers": workers,
        "threads_per_worker": 1,
        "memory_limit": None,
        "dashboard_address": "127.0.0.1:0",  # for this machine alone
        "silence_logs": logging.CRITICAL,
    }
    with forking(dask):
        try:
            cluster = _kind(dask, device, report)(**settings)
        except (OSError, ValueError, RuntimeError) as error:  # more workers than GPUs, for one
            raise ClusterError(f"--workers {workers}: they cannot be started ({error}).") from None
        with _ending(cluster), _ending(dask.Client(cluster, set_as_default=False)) as client:
            yield _maker(client, dask, report)


def as_many(device: str, processors: int) -> int:
    """How many workers there are by default: one a GPU, or one a processor."""
    return torch.cuda.device_count() if torch.device(device).type == "cuda" else processors


@contextmanager
def forking(dask: Any) -> Iterator[None]:
    """Local workers are forked from a process that has imported what is large: they begin at once."""
    config = importlib.import_module("dask.config")
    with config.set({"distributed.worker.multiprocessing-method": "forkserver"}):
        dask.utils.get_mp_context().set_forkserver_preload(LARGE)
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # of workers: Ctrl-C is for who ends them
        forkserver.ensure_running()
        signal.signal(signal.SIGINT, before)
        yield


@contextmanager
def _ending(opened: Any) -> Iterator[Any]:
    """A cluster or a client, closed in good time."""
    try:
        yield opened
    finally:
        opened.close(timeout=ENDING)


def _dask() -> Any:
    """Dask's scheduler, client and workers, if they are installed; its own log is for its own developers."""
    try:
        dask = importlib.import_module("distributed")
    except ModuleNotFoundError as error:
        raise ClusterError(
            f"--engine dask: {error.name} is not installed. It needs `pip install 'unit59[cluster]'`."
        ) from None
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    return dask


def _kind(dask: Any, device: str, report: Reporter) -> Any:
    """The class of local clusters for a device."""
    if torch.device(device).type != "cuda":
        return dask.LocalCluster
    try:
        return importlib.import_module("dask_cuda").LocalCUDACluster
    except ModuleNotFoundError:
        report.say(
            f"dask-cuda is not installed: all workers share {device}. With it each has a GPU of its own."
        )
        return dask.LocalCluster


def _maker(client: Any, dask: Any, report: Reporter) -> EngineMaker:
    threads, scheduler = client.nthreads(), client.scheduler.address
    report.say(f"Dask: {len(threads)} workers at {scheduler}; its dashboard: {client.dashboard_link}")
    if any(count > 1 for count in threads.values()):
        report.say("Some workers have several threads, of which tasks use one. Start them with --nthreads 1.")
    return partial(DaskEngine, client, dask, report)
