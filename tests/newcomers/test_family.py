"""A family with a sampling of its own: a knob in the recipe, its words on the model's page, its mistakes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import Field

from tests.newcomers.planted import DRAWN, UNITS
from tests.newcomers.running import dissected, page, write
from tests.planted.network import Planted
from unit59.networks import Batch, Network, State
from unit59.networks.base import SamplingError
from unit59.networks.sampling import Noisy
from unit59.recipe import RecipeError


class Stepwise(Noisy):
    """How samples are drawn: in steps, and with noise as other families have it."""

    steps: Annotated[int, Field(ge=1)] = len(DRAWN)
    """How many steps a picture is drawn in."""

    def check(self, network: Network) -> None:
        if self.steps > len(DRAWN):
            raise SamplingError("steps", f"{self.steps}, but there are {len(DRAWN)}.")

    def words(self, network: Network) -> dict[str, str]:
        return {**super().words(network), "steps": f"{self.steps} of {len(DRAWN)}"}


class Painter(Planted):
    """Draws one thing a step."""

    family = "painter"
    SAMPLING = Stepwise

    def __init__(self) -> None:
        super().__init__(DRAWN, UNITS)

    def start(self, batch: Batch) -> State:
        state = super().start(batch)
        scene = state["scene"].clone()
        scene[:, batch.knobs(Stepwise).steps :] = 0
        return {**state, "scene": scene}


def shown(concepts: Iterable[tuple[str, float]]) -> list[str]:
    return [label for label, presence in concepts if presence > 0]


def test_a_knob_of_its_own(tmp_path: Path) -> None:
    more = "sampling: {steps: 2, noise: none}\nlayers: [layer1]\n"
    results = dissected(write(tmp_path, __file__, more, checkpoint="family:Painter"))
    assert results.record.family == "painter"
    assert results.record.sampling == {"noise": "none", "steps": "2 of 3"}
    assert shown(results.concepts.select("label", "presence").iter_rows()) == ["lamp", "bed"]
    assert "2 of 3" in page(tmp_path, "models/planted")


@pytest.mark.parametrize(
    ("sampling", "says"),
    [
        ("{stepz: 2}", "sampling.stepz: there is no such field; did you mean 'steps'?"),
        ("{steps: 0}", "sampling.steps: .*greater than or equal to 1"),
        ("{steps: 7}", "sampling.steps: 7, but there are 3"),
    ],
)
def test_its_mistakes_have_their_line(tmp_path: Path, sampling: str, says: str) -> None:
    recipe = write(tmp_path, __file__, f"sampling: {sampling}\n", checkpoint="family:Painter")
    with pytest.raises(RecipeError, match=rf"planted\.yaml:11: {says}"):
        dissected(recipe)
