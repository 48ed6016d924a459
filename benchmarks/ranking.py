"""How well the cheap ranking of units predicts what measuring them gave: a table from results.

`python benchmarks/ranking.py [RESULTS/MODEL]`; the model's effects must be there, best those of all units. By
default the bundled StyleGAN, as `make site` dissects it.
"""

from __future__ import annotations

import sys
from pathlib import Path

from unit59.foundation.errors import Unit59Error
from unit59.results import read_model

DEFAULT = Path("results/bedrooms-stylegan")


def main(folder: Path) -> None:
    """Print one line a layer and kind of edit."""
    print("| layer | units measured | edit | rank correlation, 95 % interval | strongest tenth missed |")
    print("|---|---|---|---|---|")
    for layer in read_model(folder).layers:
        if layer.effects is None:
            continue
        ranking = layer.effects.record.ranking
        for check in ranking.checks:
            known = check.spearman is not None and check.low is not None and check.high is not None
            said = f"{check.spearman:.2f}, {check.low:.2f} to {check.high:.2f}" if known else "–"
            missed = f"{len(check.missed)} of {check.top}"
            print(
                f"| {layer.record.name} | {ranking.measured} of {ranking.units} | {check.kind} "
                f"| {said} | {missed} |"
            )


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT)
    except Unit59Error as error:
        sys.exit(f"{error} (`make site` writes them.)")
