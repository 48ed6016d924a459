"""The same tables wherever a run computes; without a GPU, a pretended one shows what would break."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from torch import Tensor

from tests import tiny
from tests.gpu.pretend import pretended
from unit59.foundation.progress import Reporter
from unit59.foundation.random import Bootstrap
from unit59.measure.agreement import count_agreement
from unit59.measure.grid import Grid
from unit59.measure.thresholds import find_thresholds
from unit59.recipe.sections import read_recipe
from unit59.run import Options, dissect

GPU = pytest.mark.skipif(
    not torch.cuda.is_available(), reason="no GPU here: torch.cuda.is_available() is False"
)
MORE = """\
effects: {samples: 12, extra: 0, layers: [layer2]}
searches: [{concept: grey, layers: [layer2], samples: 16, floor: 0.0001}]
sets: [{concept: grey, layer: layer2, samples: 16, steps: 3, largest: 2, floor: 0.0001}]
studies: [textures: {units: 4, samples: 4, plane: colour}]"""


def run(folder: Path, device: str) -> Path:
    options = Options(folder / f"{device}-results", folder / f"{device}-cache", device)
    file = read_recipe(tiny.write_recipe(folder, more=MORE, samples=16))
    return dissect(file, options, Reporter(quiet=True))


def test_a_pretended_device_gives_the_processors_bytes(tmp_path: Path) -> None:
    """Torch's operations count what the compiled loops count; the manifest alone knows other keys."""
    expected = tiny.contents(run(tmp_path, "cpu"))
    with pretended() as device:
        found = tiny.contents(run(tmp_path, device))
    assert found.pop("manifest.json") != expected.pop("manifest.json")
    assert found == expected


@GPU
def test_a_gpu_gives_the_processors_tables(tmp_path: Path) -> None:
    here, there = run(tmp_path, "cpu"), run(tmp_path, "cuda")
    tables = sorted(path.relative_to(here) for path in here.rglob("layers/*/*.parquet"))
    assert tables == sorted(path.relative_to(there) for path in there.rglob("layers/*/*.parquet"))
    for table in tables:
        expected, found = (pl.read_parquet(folder / table) for folder in (here, there))
        assert found.columns == expected.columns
        assert len(found) == len(expected)
    for layer in ("layer1", "layer2", "layer3"):
        place = Path("layers", layer, "units.parquet")
        cuts = [pl.read_parquet(each / place)["threshold"].to_numpy() for each in (here, there)]
        assert np.allclose(cuts[0], cuts[1], rtol=1e-3, atol=1e-4)
    again = dissect(
        read_recipe(tiny.write_recipe(tmp_path, more=MORE, samples=16)),
        Options(tmp_path / "again", tmp_path / "again-cache", "cuda"),
        Reporter(quiet=True),
    )
    assert tiny.contents(again) == tiny.contents(there)


def counted(x: Tensor, labels: Tensor, device: str) -> dict[str, np.ndarray]:
    x, samples = x.to(device), len(x)
    grid = Grid((x.shape[2], x.shape[3]), (24, 24), device)
    low, high = x.amin((0, 2, 3)), x.amax((0, 2, 3))
    value = find_thresholds(lambda _: [x], x, grid, samples, low, high, 0.02).value
    draws = Bootstrap(0, 5)
    shifts = np.array([1, 3])
    found = count_agreement([(0, x)], lambda numbers: labels[numbers], grid, value, 6, samples, draws, shifts)
    return {"threshold": value.cpu().numpy(), **found.arrays()}


@GPU
def test_a_gpu_counts_the_same_pixels_of_the_same_activations() -> None:
    x = torch.randn(10, 5, 7, 9, generator=torch.Generator().manual_seed(0))
    labels = torch.randint(0, 7, (10, 2, 24 * 24), generator=torch.Generator().manual_seed(1))
    here, there = counted(x, labels, "cpu"), counted(x, labels, "cuda")
    assert all(np.array_equal(here[name], there[name]) for name in here)
