"""How long published files of full size take to read and to load, and how much memory.

    python -m benchmarks.load_checkpoint [FOLDER]

Each measurement runs on one core, in a process of its own (Linux). Times are processor time, which does not
grow when other programs run; memory is the peak beyond what the imports take. The comparison is `torch.load`
of the same tensors from a torch zip file.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from tests.published import fullsize_state, fullsize_stylegan

from unit59.checkpoints import read_checkpoint
from unit59.commands.inspect import named_tensors
from unit59.networks import load
from unit59.networks.files import save

TASKS: dict[str, Callable[[Path], Any]] = {
    "torch.load": lambda path: torch.load(path, weights_only=True),
    "read_checkpoint": read_checkpoint,
    "networks.load": load,
}


def measure(task: str, path: Path) -> None:
    """Run one task and print what it took; called in a process of its own."""
    torch.set_num_threads(1)
    base = _kilobytes("VmRSS")
    start = time.process_time()
    kept = TASKS[task](path)
    seconds = time.process_time() - start
    print(json.dumps({"seconds": seconds, "peak": (_kilobytes("VmHWM") - base) * 1024}))
    del kept


def _kilobytes(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field))


def measured(task: str, path: Path, repeats: int = 3) -> tuple[float, int]:
    """Seconds (the fastest of some runs, the file in the system's cache) and bytes of peak memory."""
    path.read_bytes()
    command = [sys.executable, "-m", "benchmarks.load_checkpoint", task, str(path)]
    runs = [
        json.loads(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(repeats)
    ]
    return min(run["seconds"] for run in runs), max(run["peak"] for run in runs)


def written(folder: Path) -> dict[str, Path]:
    """One file for each container, of some 200 to 320 MB."""
    files = {"StyleGAN pickle": fullsize_stylegan(folder / "stylegan.pkl")}
    unet = fullsize_state("pix2pix_unet256_batch_ngf64")
    for name, zipped in {"pix2pix torch zip": True, "pix2pix torch legacy": False}.items():
        files[name] = folder / f"{name.replace(' ', '-')}.pth"
        torch.save(unet, files[name], _use_new_zipfile_serialization=zipped)
    torch.save(fullsize_state("gandissect_progan256_sizes_default_table"), folder / "livingroom_lsun.pth")
    files["Progressive GAN torch zip"] = folder / "livingroom_lsun.pth"
    files["StyleGAN converted"] = folder / "stylegan.safetensors"
    save(load(files["StyleGAN pickle"]), files["StyleGAN converted"])
    return files


def main(folder: Path) -> None:
    """Measure everything and print a table."""
    table = Table(
        "file", "MB", "torch.load s", "read s", "ratio", "peak / file", "load s", "ratio", "peak / file"
    )
    for name, path in written(folder).items():
        size = path.stat().st_size
        same = folder / "same.pth"
        torch.save(
            {
                key: torch.tensor(np.array(value))
                for key, value in named_tensors(read_checkpoint(path).content)
            },
            same,
        )
        theirs, _ = measured("torch.load", same)
        ours, ours_peak = measured("read_checkpoint", path)
        whole, whole_peak = measured("networks.load", path)
        table.add_row(
            name,
            f"{size / 1e6:.0f}",
            f"{theirs:.3f}",
            f"{ours:.3f}",
            f"{ours / theirs:.2f}",
            f"{ours_peak / size:.2f}",
            f"{whole:.3f}",
            f"{whole / theirs:.2f}",
            f"{whole_peak / size:.2f}",
        )
    Console(width=140).print(table)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        measure(sys.argv[1], Path(sys.argv[2]))
    elif len(sys.argv) == 2:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(Path(temporary))
