"""Edits do what they say, where they say it, and an empty one does nothing at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import ValidationError

from tests.edit.planting import flat_levels, planted_sweep
from tests.planted.network import CELL
from tests.planted.segmenter import PlantedSegmenter
from tests.planted.things import THINGS
from unit59.edit.edits import Edit, apply_edit, set_units
from unit59.edit.regions import EditError, Where, region
from unit59.edit.sweep import Sweep
from unit59.foundation.errors import Unit59Error

LEVELS = flat_levels(
    torch.tensor([0.5, 1.0, 2.0]),
    torch.tensor([5.0, 6.0, 7.0]),
    lambda q: torch.tensor([q, 2 * q, 3 * q]),
)


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    return planted_sweep(tmp_path_factory.mktemp("planted"))


@pytest.mark.parametrize(
    ("edit", "values"),
    [
        (Edit.ablate([0, 2]), (0.0, None, 0.0)),
        (Edit.ablate([1], "mean"), (None, 1.0, None)),
        (Edit.ablate([1], -3.0), (None, -3.0, None)),
        (Edit.insert([2, 0]), (5.0, None, 7.0)),
        (Edit.insert([1], quantile=0.25), (None, 0.5, None)),
        (Edit.insert([1], level=9.0), (None, 9.0, None)),
        (Edit(do="scale", units=(1,), factor=2.0), (None, 2.0, None)),
    ],
)
def test_values(edit: Edit, values: tuple[float | None, ...]) -> None:
    x = torch.ones(2, 3, 4, 4)
    changed = apply_edit(x, edit, LEVELS)
    assert torch.equal(x, torch.ones(2, 3, 4, 4))
    for unit, value in enumerate(values):
        assert (changed[:, unit] == (1.0 if value is None else value)).all()


def test_nothing_outside_the_region_changes() -> None:
    x = torch.randn(2, 3, 8, 8)
    where = Where(box=(0.0, 0.5, 0.25, 1.0))
    mask = region(where, (8, 8), torch.zeros(2, 1, 8, 8, dtype=torch.long), PlantedSegmenter())
    changed = apply_edit(x, Edit.ablate([1], where=where), LEVELS, mask)
    assert (changed[:, 1, :2, 4:] == 0).all()
    changed[:, 1, :2, 4:] = x[:, 1, :2, 4:]
    assert torch.equal(changed, x)


def test_a_concept_covers_every_cell_that_it_touches() -> None:
    labels = torch.zeros(1, 2, 16, 16, dtype=torch.long)
    labels[0, 1, 3, 9] = 1  # a single pixel, in the second plane
    mask = region(Where(concept="lamp"), (4, 4), labels, PlantedSegmenter())
    assert mask is not None
    assert mask.nonzero().tolist() == [[0, 0, 0, 2]]


def test_a_mask_is_read_from_a_picture(tmp_path: Path) -> None:
    drawn = np.zeros((8, 8), np.uint8)
    drawn[:4] = 255
    Image.fromarray(drawn).save(tmp_path / "mask.png")
    labels = torch.zeros(1, 1, 8, 8, dtype=torch.long)
    mask = region(Where(mask=tmp_path / "mask.png"), (2, 2), labels, PlantedSegmenter())
    assert mask is not None
    assert mask[0, 0].tolist() == [[True, True], [False, False]]
    for bad in ("none.png", "text.png"):
        (tmp_path / "text.png").write_text("no picture")
        with pytest.raises(Unit59Error, match=bad):
            region(Where(mask=tmp_path / bad), (2, 2), labels, PlantedSegmenter())


@pytest.mark.parametrize(
    "wrong",
    [
        {"do": "ablate", "units": [1, 1]},
        {"do": "ablate", "units": [-1]},
        {"do": "scale", "units": [1]},
        {"do": "ablate", "units": [1], "quantile": 0.5},
        {"do": "insert", "units": [1], "quantile": 0.5, "level": 1},
        {"do": "ablate", "units": [1], "where": {}},
        {"do": "ablate", "units": [1], "where": {"box": [0.5, 0, 0.5, 1]}},
        {"do": "remove", "units": [1]},
    ],
)
def test_nonsense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Edit.model_validate(wrong)


def test_what_the_layer_does_not_have_is_said(sweep: Sweep) -> None:
    with pytest.raises(EditError, match="unit 32: the layer has 32 units"):
        sweep.area(Edit.ablate([32]), range(8))
    with pytest.raises(EditError, match=r"no concept 'lamb'.*lamp"):
        sweep.area(Edit.ablate([1], where=Where(concept="lamb")), range(8))


def test_set_units_takes_one_level_a_unit() -> None:
    assert set_units(torch.zeros(1, 3, 1, 1), [2, 0], torch.tensor([4.0, 5.0])).flatten().tolist() == [
        5,
        0,
        4,
    ]


# ---- on the sweep: known truth


def test_an_empty_edit_changes_no_bit(sweep: Sweep) -> None:
    before, after = sweep.pictures(Edit.ablate([]), range(20))
    assert torch.equal(before, after)
    outcome = sweep.area(Edit.insert([]), range(20))
    assert not outcome.change.any()
    assert np.array_equal(outcome.counts[0], sweep.plain(range(20)).counts)


def test_counts_before_are_the_planted_areas(sweep: Sweep) -> None:
    network = sweep.cache.sampler.network
    scene = network.scene(sweep.cache.sampler.start(range(64))["z"])  # type: ignore[operator]  # a Planted
    assert np.array_equal(sweep.plain(range(64)).counts, scene.sum(dim=(2, 3)).long().numpy() * CELL**2)


def test_ablation_takes_exactly_what_the_unit_draws(sweep: Sweep) -> None:
    before, outcome = sweep.plain(range(64)).counts, sweep.area(Edit.ablate([5]), range(64))
    lamp = [thing.name for thing in THINGS].index("lamp")
    assert not outcome.counts[0, :, lamp].any()
    others = [k for k in range(len(THINGS)) if k != lamp]
    assert np.array_equal(outcome.counts[0][:, others], before[:, others])
    assert np.array_equal(outcome.region[0, :, lamp], before[:, lamp])
    # All the change lies where the lamp was, so outside that region nothing changed.
    assert np.array_equal(outcome.inside[0, :, lamp], outcome.change[0])
    assert not outcome.side[0, :, lamp].any()
    assert (outcome.side[0, :, others[0]] > 0).any()


def test_insertion_fills_the_band_or_the_box(sweep: Sweep) -> None:
    band = (16 // len(THINGS)) * 16 * CELL**2
    assert (sweep.area(Edit.insert([5]), range(16)).counts[0, :, 0] == band).all()
    half = sweep.area(Edit.insert([5], where=Where(box=(0, 0, 1, 0.5))), range(16)).counts[0, :, 0]
    assert ((half >= band // 2) & (half <= band)).all()
    nothing = sweep.area(Edit.insert([2]), range(16))  # one of the pair alone
    assert np.array_equal(nothing.counts[0, :, 1], sweep.plain(range(16)).counts[:, 1])


def test_ablating_where_a_concept_is_equals_ablating_everywhere(sweep: Sweep) -> None:
    there = sweep.area(Edit.ablate([5], where=Where(concept="lamp")), range(24))
    elsewhere = sweep.area(Edit.ablate([5], where=Where(concept="rug")), range(24))
    assert np.array_equal(there.counts, sweep.area(Edit.ablate([5]), range(24)).counts)
    assert not elsewhere.change.any()


def test_a_sweep_equals_single_runs_and_survives_an_interruption(tmp_path: Path) -> None:
    edits = [Edit.ablate([unit]) for unit in range(32)] + [Edit.insert([5])]
    sweep = planted_sweep(tmp_path)

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(sweep.areas(edits, range(12), stop))
    (kept,) = [path for path in (tmp_path / "edits").rglob("*") if path.is_file()]
    kept.write_bytes(kept.read_bytes()[:100])  # damaged on top of it
    again = [outcome for _, outcome in sweep.areas(edits, range(12))]
    for row, edit in enumerate(edits):
        alone = planted_sweep(tmp_path / "other").area(edit, range(12)) if row in (5, 32) else None
        if alone:
            block, place = divmod(row, 32)
            assert np.array_equal(again[block].counts[place], alone.counts[0])
            assert np.array_equal(again[block].inside[place], alone.inside[0])
