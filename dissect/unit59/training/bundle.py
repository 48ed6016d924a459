"""From trainings to the package: `python -m unit59.training.bundle [TRAININGS]`, run in a checkout.

Exports the weights of each training's last checkpoint, keeps its log (thinned, for curves), measures
how good everything is and writes the tables of the model card. Each part can be repeated at any time.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from unit59.foundation.files import write_atomically
from unit59.foundation.progress import Reporter
from unit59.results import to_json
from unit59.training.quality import WEIGHTS, measure
from unit59.training.train import start

NAMES = ("segmenter", "stylegan", "progan", "pix2pix")
#: Lines of a log that are kept.
KEPT = 200
CARD = WEIGHTS.parent / "MODELCARD.md"
BEGIN, END = "<!-- measured: written by unit59.training.bundle -->", "<!-- end of measured -->"


def bundle(recipes: Path, trainings: Path, report: Reporter) -> None:
    """Bring what was trained into the package.

    Args:
        recipes: folder of the training recipes ``bedrooms-NAME.yaml``.
        trainings: folder of the trainings; those that have no checkpoint are left as they are.
        report: is told what is done.
    """
    for name in NAMES:
        folder = trainings / f"bedrooms-{name}"
        if not (folder / "checkpoint.safetensors").exists():
            continue
        training = start(recipes / f"bedrooms-{name}.yaml", trainings, "cpu", report)
        path = training.export(WEIGHTS / f"{name}.safetensors")
        write_atomically(WEIGHTS / f"{name}.log.json", to_json({"log": thinned(folder / "log.jsonl")}))
        report.say(f"{path}: {training.step} steps, {path.stat().st_size / 1e6:.2f} MB")
    measured = measure()
    write_atomically(WEIGHTS / "quality.json", to_json(measured))
    update_card(CARD, measured, {name: log_of(name) for name in NAMES})


def thinned(path: Path) -> list[dict[str, Any]]:
    """At most `KEPT` lines of a log, evenly spaced, the last among them."""
    lines = path.read_text().splitlines()
    step = max(1, -(-len(lines) // KEPT))
    return [json.loads(line) for line in lines[::-1][::step][::-1]]


def log_of(name: str) -> list[dict[str, Any]]:
    """The bundled log of a training; empty if there is none."""
    path = WEIGHTS / f"{name}.log.json"
    found: list[dict[str, Any]] = json.loads(path.read_text())["log"] if path.exists() else []
    return found


def update_card(card: Path, measured: dict[str, Any], logs: dict[str, list[dict[str, Any]]]) -> None:
    """Replace what stands between the card's marks."""
    before, _, rest = card.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    text = before + BEGIN + "\n\n" + "\n\n".join(_sections(measured, logs)) + "\n\n" + END + after
    write_atomically(card, text.encode())


def _sections(measured: dict[str, Any], logs: dict[str, list[dict[str, Any]]]) -> list[str]:
    sections = ["### Training", _trainings(logs), "### Segmenter", _accuracy(measured["segmenter"])]
    for name in NAMES[1:]:
        if name in measured:
            sections += [f"### {name}", _presence(measured[name])]
    return sections


def _trainings(logs: dict[str, list[dict[str, Any]]]) -> str:
    rows = [
        f"| {name} | {log[-1]['images']:,} | {log[-1]['step']:,} | {log[-1]['seconds'] / 60:.0f} |"
        for name, log in logs.items()
        if log
    ]
    head = "| | pictures shown | steps | minutes on the clock |\n|---|---|---|---|\n"
    return head + "\n".join(rows)


def _accuracy(found: dict[str, Any]) -> str:
    rows = [
        f"| {name} | {score:.3f} | {found['iou_augmented'][name]:.3f} |"
        for name, score in found["iou"].items()
    ]
    head = (
        f"IoU over {found['scenes']} held-out scenes, as drawn and augmented as in training.\n\n"
        "| concept | drawn | augmented |\n|---|---|---|\n"
    )
    return head + "\n".join(rows)


def _presence(found: dict[str, Any]) -> str:
    text = (
        f"Fréchet segmentation distance {found['distance']:.2f}; between two halves of the real scenes "
        f"{found['distance_of_halves']:.2f}. Presence in {found['generated']} generated and {found['real']} "
        "real pictures, with the same segmenter:\n\n"
        "| concept | presence, real | generated | area, real | generated |\n|---|---|---|---|---|\n"
    )
    text += "\n".join(
        f"| {row['concept']} | {row['presence_real']:.1%} | {row['presence_generated']:.1%} "
        f"| {row['area_real']:.2%} | {row['area_generated']:.2%} |"
        for row in found["concepts"]
    )
    if "agreement" in found:
        text += (
            "\n\nSegmented again, its pictures agree with its label maps: mean IoU "
            f"{found['agreement']['mean']:.3f}."
        )
    return text


if __name__ == "__main__":
    checkout = Path(__file__).parents[3]
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else checkout / ".training"
    bundle(checkout / "recipes" / "training", folder, Reporter())
