"""The guide's figures of the bundled models: `python -m unit59.training.figures`, run in a checkout.

Writes ``docs/assets/training.svg`` (curves of the bundled logs) and ``docs/assets/segmented.webp`` (the first
samples of each model and what the segmenter reads in them).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
import torch
from numpy.typing import NDArray

from unit59.bedrooms.inputs import LabelMaps, coloured
from unit59.bedrooms.segmenter import Bedrooms
from unit59.foundation.pictures import strip, tile, tile_edge
from unit59.networks import load
from unit59.results import write_atomically
from unit59.samples.drawing import Sampler
from unit59.samples.shards import to_uint8
from unit59.training.bundle import log_of
from unit59.training.quality import MODELS, WEIGHTS

#: Samples side by side.
SHOWN = 8
#: What is drawn of each log: (column, name, colour); colours that read on light and on dark.
CURVES: dict[str, list[tuple[str, str, str]]] = {
    "segmenter": [("loss", "loss", "#2a8fa8")],
    "stylegan": [("generator_loss", "generator", "#2a8fa8"), ("critic_loss", "discriminator", "#c8643c")],
    "progan": [("generator_loss", "generator", "#2a8fa8"), ("critic_loss", "discriminator", "#c8643c")],
    "pix2pix": [
        ("generator_loss", "generator", "#2a8fa8"),
        ("critic_loss", "discriminator", "#c8643c"),
        ("l1", "L1", "#8a7ac8"),
    ],
}
#: Size of a panel, and the room for its axes, in pixels.
WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 360, 220, 46, 30, 40
#: Ink that reads on light and on dark.
INK = "#808890"


def curves() -> str:
    """All logs as one SVG, two panels a row."""
    panels = []
    for number, (name, wanted) in enumerate(CURVES.items()):
        x, y = number % 2 * WIDTH, number // 2 * HEIGHT
        panels.append(f'<g transform="translate({x},{y})">{_panel(name, log_of(name), wanted)}</g>')
    rows = -(-len(CURVES) // 2)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * WIDTH} {rows * HEIGHT}" '
        f'font-family="sans-serif" font-size="11" fill="{INK}">{"".join(panels)}</svg>\n'
    )


def _panel(name: str, log: Sequence[dict[str, Any]], wanted: Sequence[tuple[str, str, str]]) -> str:
    shown = [(column, said, colour) for column, said, colour in wanted if log and column in log[0]]
    most = max(line["images"] for line in log)
    top = float(np.quantile([line[column] for line in log for column, _, _ in shown], 0.995)) or 1.0
    right, low = WIDTH - 14, HEIGHT - BOTTOM
    parts = [
        f'<text x="{LEFT}" y="14" font-weight="bold">{escape(name)}</text>',
        f'<path d="M{LEFT} {TOP}V{low}H{right}" fill="none" stroke="{INK}"/>',
        f'<text x="{LEFT - 4}" y="{TOP + 4}" text-anchor="end">{top:.2g}</text>',
        f'<text x="{LEFT - 4}" y="{low}" text-anchor="end">0</text>',
        f'<text x="{right}" y="{low + 14}" text-anchor="end">{most:,} pictures shown</text>',
    ]
    for number, (column, said, colour) in enumerate(shown):
        points = " ".join(
            f"{LEFT + (right - LEFT) * line['images'] / most:.1f},"
            f"{low - (low - TOP) * min(line[column] / top, 1):.1f}"
            for line in log
        )
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}"/>')
        parts.append(f'<text x="{LEFT + 100 * number}" y="{low + 30}" fill="{colour}">{escape(said)}</text>')
    return "".join(parts)


def segmented_samples() -> bytes:
    """Two rows a model: its first samples, and their segmentations in the concepts' colours."""
    segmenter = Bedrooms()
    rows: list[list[NDArray[np.uint8]]] = []
    for name in MODELS:
        network = load(WEIGHTS / f"{name}.safetensors")
        inputs = LabelMaps(SHOWN, network.resolution[0]) if network.takes == "image" else None
        sampler = Sampler(network, 59, inputs=inputs)
        with torch.no_grad():
            images = network.run(sampler.start(range(SHOWN)))["image"]
            labels = segmenter.segment(images)[:, 0].numpy().astype(np.uint8)
        edge = tile_edge(*network.resolution)
        for pictures in (to_uint8(images).cpu().numpy(), coloured(labels)):
            rows.append([tile(picture, edge) for picture in pictures])
    return strip(rows)


def main(assets: Path) -> None:
    """Write the figures into a folder."""
    write_atomically(assets / "training.svg", curves().encode())
    write_atomically(assets / "segmented.webp", segmented_samples())


if __name__ == "__main__":
    main(Path(__file__).parents[3] / "docs" / "assets")
