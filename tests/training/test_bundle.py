"""Model card and logs are written from what was measured."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

from unit59.bedrooms.concepts import NAMES
from unit59.training.bundle import CARD, KEPT, thinned, update_card
from unit59.training.figures import curves

IOU = dict.fromkeys(NAMES, 0.9) | {"mean": 0.9}
ROW = {"presence_real": 0.5, "presence_generated": 0.4, "area_real": 0.01, "area_generated": 0.02}
MEASURED = {
    "segmenter": {"scenes": 10, "iou": IOU, "iou_augmented": IOU},
    "pix2pix": {
        "generated": 10,
        "real": 20,
        "distance": 1.234,
        "distance_of_halves": 0.5,
        "concepts": [{"concept": name, **ROW} for name in NAMES],
        "agreement": IOU,
    },
}


def test_the_card_keeps_its_words_and_gets_its_numbers(tmp_path: Path) -> None:
    card = tmp_path / "card.md"
    card.write_text(CARD.read_text())
    logs = {"pix2pix": [{"images": 1000, "step": 10, "seconds": 120.0}], "progan": []}
    update_card(card, MEASURED, logs)
    once = card.read_text()
    assert "| pix2pix | 1,000 | 10 | 2 |" in once
    assert "| cushion | 50.0% | 40.0% | 1.00% | 2.00% |" in once
    assert "mean IoU 0.900" in once
    assert once.startswith(CARD.read_text().partition("<!--")[0])
    assert once.endswith(CARD.read_text().rpartition("-->")[2])
    update_card(card, MEASURED, logs)
    assert card.read_text() == once


def test_logs_are_thinned_evenly_and_keep_their_end(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    for count in (0, 1, KEPT, 3 * KEPT + 7):
        path.write_text("".join(json.dumps({"step": step}) + "\n" for step in range(count)))
        steps = [entry["step"] for entry in thinned(path)]
        assert len(steps) <= KEPT
        assert steps[-1:] == ([count - 1] if count else [])
        assert len({b - a for a, b in pairwise(steps)}) <= 1


def test_the_guide_draws_the_bundled_logs() -> None:
    drawn = Path(__file__).parents[2] / "docs" / "assets" / "training.svg"
    assert drawn.read_text() == curves(), "run `python -m unit59.training.figures`"
