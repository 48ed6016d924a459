"""What damaged files do to the readers: flipped bytes, truncation, and nothing but `CheckpointError` allowed.

    python -m benchmarks.fuzz_files [FILE...] [--flips 10000] [--cuts 1000] [--seed 1]

For each file (by default the small ones that the tests use): flips of one byte at random places (every other
one in the first tenth, which is mostly structure), and cuts at random lengths. A load that succeeds must make
a picture on every `--run`-th time. Anything else than a `CheckpointError` or a load counts as a failure, and
so do a load of more than ten seconds of processor time and any attempt to execute, import, start a process or
write a file, as Python's audit events show.
"""

from __future__ import annotations

import argparse
import codecs
import random
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from tests.published import generator_files

from unit59.checkpoints import CheckpointError
from unit59.networks import Network, load

LIMIT = 10
#: Audit events that no reader causes once everything is imported.
FORBIDDEN = (
    "exec", "compile", "import", "pickle.find_class", "os.system", "os.exec", "os.fork", "os.posix_spawn",
    "subprocess.Popen", "ctypes.dlopen", "socket.connect", "marshal.loads", "code.__new__",
)  # fmt: skip
_watching = False


class Forbidden(BaseException):
    """A reader did what a reader never does; no `except Exception` can hide it."""


@dataclass
class Outcome:
    """What became of the damaged copies of one file."""

    counts: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    slowest: float = 0.0


def fuzz(path: Path, flips: int, cuts: int, seed: int, run: int, folder: Path) -> Outcome:
    """Load damaged copies of `path`, which are written into `folder`."""
    found, original = Outcome(), path.read_bytes()
    copy = folder / path.name
    for what, data in _damaged(original, flips, cuts, seed):
        copy.write_bytes(data)
        began = time.process_time()
        try:
            network = _guarded(copy)
        except CheckpointError as error:
            found.counts[what.split()[0] + " refused"] += 1
            if str(copy) not in str(error):
                found.failures.append(f"{what}: the message does not name the file: {error}")
        except BaseException as error:  # noqa: BLE001  # whatever it is, it is the finding
            found.failures.append(f"{what}: {type(error).__name__}: {error}")
        else:
            found.counts[what.split()[0] + " loaded"] += 1
            if found.counts["flip loaded"] % run == 0:
                _try_out(network, what, found)
        found.slowest = max(found.slowest, time.process_time() - began)
    return found


def _damaged(original: bytes, flips: int, cuts: int, seed: int) -> Iterator[tuple[str, bytes]]:
    draw = random.Random(seed)
    for number in range(flips):
        place = draw.randrange(len(original) // (10 if number % 2 else 1))
        mask = draw.randrange(1, 256)
        data = bytearray(original)
        data[place] ^= mask
        yield f"flip {place} ^ {mask}", bytes(data)
    for end in [*range(min(64, cuts)), *(draw.randrange(len(original)) for _ in range(cuts - 64))]:
        yield f"cut {end}", original[:end]


def _guarded(path: Path) -> Network:
    global _watching  # noqa: PLW0603  # an audit hook cannot be removed again
    signal.setitimer(signal.ITIMER_PROF, LIMIT)
    _watching = True
    try:
        return load(path)
    finally:
        _watching = False
        signal.setitimer(signal.ITIMER_PROF, 0)


def _try_out(network: Network, what: str, found: Outcome) -> None:
    shape = (network.latent_size,) if network.takes == "latent" else (3, *network.resolution)
    labels = torch.eye(network.label_size)[:1] if network.label_size else None
    try:
        image = network.generate(torch.zeros(1, *shape), labels)
    except Exception as error:  # noqa: BLE001  # whatever it is, it is the finding
        found.failures.append(f"{what}: it loads, then {type(error).__name__}: {error}")
    else:
        found.counts["ran"] += 1
        if image.shape != (1, 3, *network.resolution):
            found.failures.append(f"{what}: it loads, then makes {list(image.shape)}")


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if not _watching:
        return
    writes = event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
    if writes or event.startswith(FORBIDDEN):
        raise Forbidden(f"{event} {arguments!r:.200}")


def _timeout(_signal: int, _frame: Any) -> None:
    raise Forbidden(f"still loading after {LIMIT} seconds")


def main() -> int:
    """Print one line a file; the exit status is 1 if anything failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", default=generator_files())
    parser.add_argument("--flips", type=int, default=500)
    parser.add_argument("--cuts", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--run", type=int, default=20)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    for path in chosen.files:
        _try_out(load(path), "as it is", Outcome())  # imports everything
    codecs.lookup("cp437")  # Python's zip reader imports it for names that are no UTF-8
    sys.addaudithook(_audit)
    signal.signal(signal.SIGPROF, _timeout)
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        for path in chosen.files:
            began = time.monotonic()
            found = fuzz(path, chosen.flips, chosen.cuts, chosen.seed, chosen.run, Path(folder))
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            counts = ", ".join(f"{name} {count}" for name, count in sorted(found.counts.items()))
            print(
                f"{path.name}: {counts}; failures {len(found.failures)}; slowest {found.slowest:.2f} s, "
                f"peak {peak:.0f} MiB, {time.monotonic() - began:.0f} s in all",
                flush=True,
            )
            for line in found.failures[:20]:
                print(f"  {line}", flush=True)
            failed = failed or bool(found.failures)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
