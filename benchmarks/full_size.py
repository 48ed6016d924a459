"""Networks and segmenters of the published sizes: what loading them and one 256x256 picture cost.

    python -m benchmarks.full_size [NAME...]

Random weights in the published layouts. Each row runs on one core in a process of its own (Linux); memory is
that of the whole process at its peak, imports included. Times are processor time, which does not grow when
other programs run.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table
from tests.networks.persistence import (
    stylegan2_attributes,
    stylegan2_weights,
    stylegan3_attributes,
    stylegan3_official,
    stylegan3_weights,
    write_pickle,
)
from tests.networks.test_stylegan2 import random_settings
from tests.published import fullsize_state, fullsize_stylegan, some_inputs
from tests.segmenters.published import FIXTURES, fullsize_labels, random_weights, saved

from unit59.networks import Network, load
from unit59.segmenters import Segmenter, load_segmenter


def _progan(folder: Path) -> Path:
    return saved(fullsize_state("gandissect_progan256_sizes_default_table"), folder / "livingroom_lsun.pth")


def _pix2pix(folder: Path) -> Path:
    return saved(fullsize_state("pix2pix_unet256_batch_ngf64"), folder / "latest_net_G.pth")


def _stylegan2(folder: Path) -> Path:
    settings = random_settings(resolution=256, clamp=256.0, mapping={"latent_size": 512, "layers": 8})
    weights = stylegan2_weights(settings, [512, 512, 512, 512, 256, 128, 64], w_size=512)
    return write_pickle(folder / "stylegan2.pkl", weights, stylegan2_attributes(settings))


def _stylegan3(folder: Path, *, rotation: bool = False) -> Path:
    settings = stylegan3_official(256, rotation=rotation)
    units = int(settings.layers[0].name.split("_")[2])
    weights = stylegan3_weights(settings, units, 1 if rotation else 3, w_size=512)
    return write_pickle(folder / "stylegan3.pkl", weights, stylegan3_attributes(settings))


def _upernet(folder: Path) -> Path:
    for part in ("encoder", "decoder"):
        shapes = FIXTURES / "upernet" / f"fullsize_{part}.json"
        saved(random_weights(shapes), folder / f"{part}_epoch_40.pth")
    (folder / "labels.json").write_text(json.dumps(fullsize_labels()))
    return folder


def _ade20k(folder: Path) -> Path:
    source = FIXTURES / "ade20k"
    saved(random_weights(source / "ade20k_resnet50_encoder.json"), folder / "encoder_epoch_30.pth")
    saved(random_weights(source / "ade20k_resnet50_upernet_decoder.json"), folder / "decoder_epoch_30.pth")
    return folder


#: Each writes its files into a folder and says what is to be loaded.
NETWORKS: dict[str, Callable[[Path], Path]] = {
    "StyleGAN": lambda folder: fullsize_stylegan(folder / "stylegan.pkl"),
    "Progressive GAN (GAN Dissection)": _progan,
    "pix2pix unet_256": _pix2pix,
    "StyleGAN2": _stylegan2,
    "StyleGAN3-T": _stylegan3,
    "StyleGAN3-R": lambda folder: _stylegan3(folder, rotation=True),
}
SEGMENTERS: dict[str, Callable[[Path], Path]] = {
    "Unified Parsing": _upernet,
    "ADE20K UPerNet, five sizes": _ade20k,
}


def measure(name: str, path: Path) -> None:
    """Load, run once and print what it took; called in a process of its own."""
    torch.set_num_threads(1)
    began = time.process_time()
    made: Network | Segmenter
    if name in NETWORKS:
        made = load(path)
    elif name == "Unified Parsing":
        made = load_segmenter({"upernet": {"folder": str(path)}}, path)
    else:
        options = {
            "encoder": str(path / "encoder_epoch_30.pth"),
            "decoder": str(path / "decoder_epoch_30.pth"),
        }
        made = load_segmenter({"ade20k": options}, path)
    loaded = time.process_time()
    if isinstance(made, Network):
        image = made.generate(*some_inputs(made, 1))
        assert image.shape == (1, 3, 256, 256)
    else:
        made.segment(torch.zeros(1, 3, 256, 256))
    ran = time.process_time()
    peak = next(
        line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")
    )
    print(json.dumps({"load": loaded - began, "run": ran - loaded, "peak": int(peak.split()[1]) * 1024}))


def main(names: list[str]) -> None:
    """Measure and print a table."""
    table = Table("", "files MB", "load s", "one picture s", "peak MB")
    for name, write in {**NETWORKS, **SEGMENTERS}.items():
        if names and name not in names:
            continue
        with tempfile.TemporaryDirectory() as temporary:
            path = write(Path(temporary))
            size = sum(file.stat().st_size for file in Path(temporary).iterdir())
            command = [sys.executable, "-m", "benchmarks.full_size", "--measure", name, str(path)]
            runs = [
                json.loads(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(3)
            ]
        best = {key: min(run[key] for run in runs) for key in ("load", "run", "peak")}
        table.add_row(
            name,
            f"{size / 1e6:.0f}",
            f"{best['load']:.2f}",
            f"{best['run']:.2f}",
            f"{best['peak'] / 1e6:.0f}",
        )
    Console(width=110).print(table)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(sys.argv[2], Path(sys.argv[3]))
    else:
        main(sys.argv[1:])
