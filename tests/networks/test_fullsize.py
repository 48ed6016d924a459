"""Networks of the published sizes, random weights in the published layouts."""

from __future__ import annotations

from pathlib import Path

import torch

from tests.published import fullsize_state, fullsize_stylegan
from unit59.networks import load


def test_stylegan_256(tmp_path: Path) -> None:
    net = load(fullsize_stylegan(tmp_path / "karras2019stylegan-bedrooms-256x256.pkl", copies=1))
    assert net.resolution == (256, 256)
    assert [(layer.units, layer.height) for layer in net.layers.values()] == [
        *[(512, 4)] * 2,
        *[(512, 8)] * 2,
        *[(512, 16)] * 2,
        *[(512, 32)] * 2,
        *[(256, 64)] * 2,
        *[(128, 128)] * 2,
        *[(64, 256)] * 2,
    ]
    assert net.layers["layer6"].path == "synthesis/32x32/Conv0_up"
    image = net.generate(torch.ones(1, 512), psi=0.7)
    assert image.shape == (1, 3, 256, 256)
    assert image.isfinite().all()


def test_progan_256(tmp_path: Path) -> None:
    torch.save(fullsize_state("gandissect_progan256_sizes_default_table"), tmp_path / "livingroom_lsun.pth")
    net = load(tmp_path / "livingroom_lsun.pth")
    assert net.resolution == (256, 256)
    assert [layer.units for layer in net.layers.values()] == [512] * 6 + [256] * 2 + [128] * 2 + [64] * 2 + [
        32
    ] * 2
    assert net.generate(torch.ones(1, 512)).isfinite().all()
