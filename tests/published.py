"""The published formats, for tests: the fixtures, and writers for networks of any options."""

from __future__ import annotations

import json
import pickle
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unit59.networks import Network

FIXTURES = Path(__file__).parent / "fixtures"

STYLEGAN = FIXTURES / "stylegan1" / "sg1_res32_nonfused.pkl"
PROGAN = FIXTURES / "progan" / "pg_res32_fused.pkl"
GANDISSECT = FIXTURES / "gandissect_progan" / "gd_res32_lsun.pth"
REDUCE = FIXTURES / "stylegan1" / "MALICIOUS_reduce_os_system.pkl"

Variables = Mapping[str, np.ndarray[Any, Any]]


def references(path: Path) -> dict[str, Tensor]:
    """A fixture's reference outputs, from the .npz of the same name."""
    with np.load(path) as arrays:
        return {name: torch.from_numpy(arrays[name]) for name in arrays}


def difference(found: Tensor, expected: Tensor) -> float:
    """The largest difference, as a share of the largest expected magnitude."""
    assert found.shape == expected.shape
    return float((found - expected).abs().max() / expected.abs().max())


@contextmanager
def published_class(name: str) -> Iterator[type]:
    """A class that pickles under the official `module.Class`, which need not be installed."""
    module_name, _, class_name = name.rpartition(".")
    packages = [".".join(module_name.split(".")[: n + 1]) for n in range(module_name.count(".") + 1)]
    made = {package: ModuleType(package) for package in packages if package not in sys.modules}
    sys.modules.update(made)
    cls = type(class_name, (), {"__module__": module_name, "__getstate__": lambda self: self.__dict__})
    setattr(sys.modules[module_name], class_name, cls)
    try:
        yield cls
    finally:
        for package in made:
            del sys.modules[package]


def tensorflow_pickle(
    path: Path,
    class_name: str,
    variables: Variables,
    options: Mapping[str, Any],
    *,
    components: Mapping[str, tuple[Variables, Mapping[str, Any]]] | None = None,
    spare: Variables | None = None,
    protocol: int = 4,
    build: str = "G",
) -> Path:
    """Write (G, D, Gs) as NVIDIA's TensorFlow code does; G and D hold `spare`, which cannot pass for Gs."""
    with published_class(class_name) as cls:

        def network(own: Variables, kwargs: Mapping[str, Any], parts: Mapping[str, Any]) -> Any:
            record = cls()
            record.__dict__.update(
                version=2,
                name="Gs",
                static_kwargs=dict(kwargs),
                components=dict(parts),
                build_module_src="raise RuntimeError('executed')",
                build_func_name=build,
                variables=[(name, np.asarray(array)) for name, array in own.items()],
            )
            return record

        parts = {name: network(*part, {}) for name, part in (components or {}).items()}
        generator = network(variables, options, parts)
        other = network(spare or {}, {}, {})
        with path.open("wb") as file:
            pickle.dump((other, network({}, {}, {}), generator), file, protocol=protocol)
    return path


def generator_files() -> list[Path]:
    """Every fixture that holds a generator."""
    found = (path for suffix in ("pkl", "pth") for path in FIXTURES.glob(f"*/*.{suffix}"))
    return sorted(path for path in found if "MALICIOUS" not in path.name and path.parent.name != "upernet")


def some_inputs(net: Network, count: int = 2) -> tuple[Tensor, Tensor | None]:
    """Latent codes or pictures, and labels, that `net` takes; the same every time."""
    draw = torch.Generator().manual_seed(5)
    shape = (net.latent_size,) if net.takes == "latent" else (3, *net.resolution)
    labels = torch.eye(net.label_size)[:count] if net.label_size else None
    return torch.randn(count, *shape, generator=draw).clamp(-1, 1), labels


def fullsize_stylegan(path: Path, copies: int = 3) -> Path:
    """The official 256x256 StyleGAN in its published layout, with random weights.

    Args:
        path: to write.
        copies: 3 writes as many numbers as (G, D, Gs) have, 1 leaves G and D empty.
    """
    shapes = _shapes("stylegan1_256_Gs")
    rng = np.random.default_rng(0)

    def part(prefix: str) -> dict[str, np.ndarray[Any, Any]]:
        return {
            name.removeprefix(prefix): rng.standard_normal(shape, np.float32)
            for name, (shape, _) in shapes.items()
            if name.startswith(prefix) and ("/" in prefix or not name.startswith("G_"))
        }

    options = {"num_channels": 3, "resolution": 256, "fmap_base": 8192, "label_size": 0}
    components = {name: (part(f"G_{name}/"), options) for name in ("synthesis", "mapping")}
    spare = {
        f"spare{n}": np.concatenate([a.ravel() for a in components["synthesis"][0].values()])
        for n in range(copies - 1)
    }
    return tensorflow_pickle(
        path,
        "dnnlib.tflib.network.Network",
        part(""),
        options,
        components=components,
        spare=spare,
        build="G_style",
    )


def fullsize_state(name: str) -> dict[str, Tensor]:
    """Random tensors of a published network's names and shapes (a state dict)."""
    draw = torch.Generator().manual_seed(0)
    return {
        key: torch.randn(shape, generator=draw).abs() if shape else torch.tensor(1)
        for key, shape in _shapes(name).items()
    }


def _shapes(name: str) -> dict[str, Any]:
    shapes: dict[str, Any] = json.loads((FIXTURES / "fullsize_shapes" / f"{name}.json").read_text())
    return shapes
