"""Files that changed since they were written: it is said, they are made again, and the bytes are the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests import tiny
from unit59.results import ResultsError, find_faults, read_model


@pytest.mark.parametrize("damage", ["remove a table", "flip a byte", "truncate a picture", "no manifest"])
def test_damage_is_found_and_the_same_command_mends_it(finished: Path, tmp_path: Path, damage: str) -> None:
    folder = tiny.run(tmp_path)
    if damage == "remove a table":
        place = folder / "layers/layer1/units.parquet"
        place.unlink()
    elif damage == "flip a byte":
        place = folder / "layers/layer2/agreement.parquet"
        flip(place)
    elif damage == "truncate a picture":
        place = folder / "layers/layer1/pictures/0001-ablated.webp"
        place.write_bytes(place.read_bytes()[:-1])
    else:
        place = folder / "manifest.json"
        place.write_text("{")
    faults = list(find_faults(folder))
    assert len(faults) == 1
    assert str(place) in faults[0]
    with pytest.raises(ResultsError, match=place.name):
        read_model(folder)
    assert tiny.contents(tiny.run(tmp_path)) == tiny.contents(finished)


# ---- the cache

SMALL: dict[str, Any] = {
    "samples": 20,
    "layers": "[layer2, layer3]",
    "more": "effects: {samples: 8, extra: 0, layers: [layer3]}",
}


def flip(path: Path, share: float = 0.5) -> None:
    """Flip one bit in the middle of a file, or elsewhere."""
    data = bytearray(path.read_bytes())
    data[int(share * (len(data) - 1))] ^= 8
    path.write_bytes(data)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return tiny.contents(tiny.run(tmp_path_factory.mktemp("small"), **SMALL))


def kinds(cache: Path) -> dict[str, list[Path]]:
    """The kept files by their folder and the name before the key."""
    found: dict[str, list[Path]] = {}
    for path in sorted(cache.rglob("*")):
        if path.is_file() and path.name != ".lock":
            kind = path.parent.relative_to(cache) / path.name.rpartition("-")[0]
            found.setdefault(kind.as_posix(), []).append(path)
    return found


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_bit_flipped_in_every_file_of_the_cache(
    small: dict[str, bytes], tmp_path: Path, share: float
) -> None:
    tiny.run(tmp_path, **SMALL)
    paths = [path for each in kinds(tmp_path / "cache/tiny").values() for path in each]
    for path in paths:
        flip(path, share)
    report = tiny.Listening()
    again = tiny.run(tmp_path, results="again", report=report, **SMALL)
    assert tiny.contents(again) == small
    damaged = [line.partition(": damaged")[0] for line in report.said if ": damaged" in line]
    assert sorted(damaged) == sorted(map(str, paths))  # each is said, and once


def test_a_bit_flipped_in_one_kind_of_file_after_the_other(small: dict[str, bytes], tmp_path: Path) -> None:
    tiny.run(tmp_path, **SMALL)
    cache = tmp_path / "cache/tiny"
    found = kinds(cache)
    for room in ("samples/pictures", "samples/segmentations", "samples/layer2", "measures/layer3", "edits"):
        assert any(kind.startswith(room) for kind in found), room
    one_of_each = {kind.rpartition("/")[0]: paths[0] for kind, paths in found.items()}
    for number, path in enumerate(one_of_each.values()):
        before = path.read_bytes()
        flip(path)
        report = tiny.Listening()
        again = tiny.run(tmp_path, results=f"again{number}", report=report, **SMALL)
        assert tiny.contents(again) == small, path
        assert f"{path}: damaged since it was written; made again." in report.said
        assert path.read_bytes() == before


def test_a_cache_that_lost_files_while_results_are_partly_there(
    small: dict[str, bytes], tmp_path: Path
) -> None:
    folder = tiny.run(tmp_path, **SMALL)
    (folder / "layers/layer3/units.parquet").unlink()
    for path in (tmp_path / "cache/tiny").rglob("*"):
        if path.is_file() and path.name != ".lock" and "measures" not in path.parts:
            path.unlink()
    assert tiny.contents(tiny.run(tmp_path, **SMALL)) == small
