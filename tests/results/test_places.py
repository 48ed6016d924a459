"""Nothing outside a model's folder is written, removed, followed or copied, whatever a manifest says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.synthetic import write_results
from unit59.foundation.files import SCRATCH
from unit59.results import ResultsError, ResultsWriter, check_results, find_faults, read_model, read_results
from unit59.results.manifest import FileEntry
from unit59.results.places import is_part, owner_of
from unit59.site.export import export

OUT_OF_BOUNDS = (
    "../../../victim.txt",
    "/etc/hostname",
    "layers/layer1/../../../../victim.parquet",
    "layers/layer1//units.parquet",
    "layers/./layer1/units.parquet",
    "layers\\layer1\\units.parquet",
    "layers/layer1/\x00.parquet",
    "layers/layer1/a\nb.parquet",
    "layers/layer1/.hidden.parquet",
    "layers/layer1/page.html",
    "layers/layer1/deep/units.parquet",
    "layers/index.html/units.parquet",
    "studies/../layers/layer1/units.parquet",
    "model/model.json",
    "manifest.json",
    "run.json",
    "",
    ".",
    "pictures/samples.png",
    "é.json",
)
PARTS = ("", ".", "..", "studies", "studies/", "studies/../../../../victim", "layers/a/effects/b", "/model",
         "layers/.git", "studies/index.html", "studies/a\n", "models/a", "layers/a/Effects")  # fmt: skip


@pytest.mark.parametrize("file", OUT_OF_BOUNDS)
def test_no_part_may_have_such_a_file(file: str) -> None:
    assert owner_of(file) is None


@pytest.mark.parametrize("part", PARTS)
def test_no_part_has_such_a_name(part: str) -> None:
    assert not is_part(part)


@pytest.mark.parametrize(
    ("file", "part"),
    [
        ("model.json", "model"),
        ("pictures/samples.webp", "model"),
        ("quality/facts.json", "quality"),
        ("layers/b8.conv0/units.parquet", "layers/b8.conv0"),
        ("layers/b8.conv0/effects/pictures/0001-effect.webp", "layers/b8.conv0/effects"),
        ("studies/noise/pictures/a.webp", "studies/noise"),
    ],
)
def test_whose_a_file_is(file: str, part: str) -> None:
    assert owner_of(file) == part


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return write_results(tmp_path / "deep" / "results")


Change = Callable[[dict[str, Any]], None]
ENTRY = {"bytes": 6, "sha256": "0" * 64}


def _rewrite(results: Path, change: Change) -> None:
    manifest = results / "bedrooms" / "manifest.json"
    content = json.loads(manifest.read_text())
    change(content)
    manifest.write_text(json.dumps(content))


def _part_outside(content: dict[str, Any]) -> None:
    content["parts"]["studies/../../../../victims"] = {"key": "k", "files": {}}


def _file_outside(content: dict[str, Any]) -> None:
    content["parts"]["model"]["files"]["../../../victims/file.json"] = ENTRY


def _told_outside(content: dict[str, Any]) -> None:
    content["parts"]["model"]["told"]["../../../victims/file.json"] = ENTRY


def _unfinished_outside(content: dict[str, Any]) -> None:
    content["unfinished"] = ["../../../victims/file.json"]


def _of_schema_1(content: dict[str, Any]) -> None:
    content["schema_version"] = 1
    _file_outside(content)


@pytest.mark.parametrize(
    "change", [_part_outside, _file_outside, _told_outside, _unfinished_outside, _of_schema_1]
)
def test_a_hostile_manifest_harms_nothing(tmp_path: Path, results: Path, change: Change) -> None:
    victim = tmp_path / "victims" / "file.json"
    victim.parent.mkdir()
    victim.write_text("precious")
    _rewrite(results, change)
    hostile = (results / "bedrooms" / "manifest.json").read_text()
    writer = ResultsWriter(results, "bedrooms")
    writer.write_part("model", "other", {"concepts.parquet": b"x"})
    writer.keep_only(set())
    assert victim.read_text() == "precious"
    (results / "bedrooms" / "manifest.json").write_text(hostile)
    assert check_results(results)
    with pytest.raises(ResultsError):
        read_results(results)


def test_what_is_not_the_tools_own_stays(results: Path) -> None:
    home = results / "bedrooms" / "layers" / "layer1"
    (home / "notes.txt").write_text("mine")
    writer = ResultsWriter(results, "bedrooms")
    writer.keep_only({"model"})
    assert [path.name for path in home.rglob("*")] == ["notes.txt"]
    assert not (results / "bedrooms" / "layers" / "layer2").exists()


def _link(place: Path, target: Path) -> None:
    place.unlink(missing_ok=True)
    place.symlink_to(target)


def test_a_link_is_not_published(tmp_path: Path, results: Path) -> None:
    secret = tmp_path / "environment"
    secret.write_text("TOKEN=1")

    def forget(content: dict[str, Any]) -> None:
        del content["parts"]["model"]["files"]["pictures/samples.webp"]

    _rewrite(results, forget)
    _link(results / "bedrooms" / "pictures" / "samples.webp", secret)
    assert any("samples.webp" in fault for fault in find_faults(results / "bedrooms"))
    export(results, tmp_path / "site")
    assert not any(b"TOKEN" in path.read_bytes() for path in (tmp_path / "site").rglob("*") if path.is_file())


@pytest.mark.parametrize("file", ["pictures/samples.webp", "layers/layer1/units.parquet", "model.json"])
def test_a_link_with_the_right_content_is_refused(tmp_path: Path, results: Path, file: str) -> None:
    place, elsewhere = results / "bedrooms" / file, tmp_path / "elsewhere"
    elsewhere.write_bytes(place.read_bytes())
    _link(place, elsewhere)
    assert any("links are not followed" in fault for fault in find_faults(results / "bedrooms"))
    with pytest.raises(ResultsError, match="links are not followed"):
        read_model(results / "bedrooms")


def test_a_link_on_the_way_is_refused_by_reader_and_writer(tmp_path: Path, results: Path) -> None:
    home, elsewhere = results / "bedrooms" / "layers" / "layer1", tmp_path / "elsewhere"
    home.rename(elsewhere)
    _link(home, elsewhere)
    with pytest.raises(ResultsError, match="links are not followed"):
        read_model(results / "bedrooms")
    writer = ResultsWriter(results, "bedrooms")
    with pytest.raises(ResultsError, match="links are not followed"):
        writer.write_part("layers/layer1", "new", {"layers/layer1/units.parquet": b"new"})
    before = sorted(elsewhere.rglob("*"))
    writer.keep_only({"model"})
    assert sorted(elsewhere.rglob("*")) == before


def test_a_models_folder_that_is_a_link_is_refused(tmp_path: Path, results: Path) -> None:
    (results / "bedrooms").rename(tmp_path / "elsewhere")
    _link(results / "bedrooms", tmp_path / "elsewhere")
    with pytest.raises(ResultsError, match="links are not followed"):
        read_results(results)
    with pytest.raises(ResultsError, match="links are not followed"):
        ResultsWriter(results, "bedrooms")


def test_files_that_the_manifest_does_not_list_are_named_and_not_copied(
    tmp_path: Path, results: Path
) -> None:
    stranger = results / "bedrooms" / "pictures" / "stranger.webp"
    stranger.write_bytes(b"strange")
    (fault,) = check_results(results)[:1]
    assert "stranger.webp: the manifest does not list this file" in fault
    export(results, tmp_path / "site")
    assert not list((tmp_path / "site").rglob("stranger*"))


def test_what_lies_beside_the_models_is_named(results: Path) -> None:
    usual = check_results(results)  # a layer that was never finished
    (results / ".gitattributes").touch()
    (results / "lost+found").mkdir()
    (results / f"{SCRATCH}00").mkdir()
    (results / "notes.txt").touch()
    (results / "half").mkdir()
    (results / "link").symlink_to("bedrooms")
    (results / ".gitmodules").symlink_to("/etc/hostname")
    faults = [fault for fault in check_results(results) if fault not in usual]
    named = [".gitmodules", f"{SCRATCH}00", "half", "notes.txt", "link"]
    assert [Path(fault.partition(": ")[0]).name for fault in faults] == named
    assert "The next `unit59 dissect`" in faults[1]


def test_a_picture_replaced_by_another_of_its_size_is_not_copied(tmp_path: Path, results: Path) -> None:
    place = results / "bedrooms" / "layers" / "layer1" / "pictures" / "0003-exemplars.webp"
    place.write_bytes(bytes(len(place.read_bytes())))
    with pytest.raises(ResultsError, match=r"0003-exemplars\.webp.*sha256 differs"):
        export(results, tmp_path / "site")


@pytest.mark.parametrize("file", ["model.json", "run.json"])
def test_text_that_cannot_be_written_again_is_found(results: Path, file: str) -> None:
    place = results / "bedrooms" / file
    content = json.loads(place.read_text()) if place.exists() else {}
    for text, fault in (("a \ud800", f"{file}: not readable as JSON"), ("\U0001f600", "")):
        place.write_text(json.dumps({**content, "summary": text}))
        if file == "model.json":
            entry = FileEntry.of(place.read_bytes()).model_dump()
            _rewrite(results, lambda manifest, entry=entry: _list_anew(manifest, entry))  # type: ignore[misc]
        faults = list(find_faults(results / "bedrooms"))
        assert len(faults) == bool(fault)
        assert fault in " ".join(faults)


def _list_anew(manifest: dict[str, Any], entry: dict[str, Any]) -> None:
    part = manifest["parts"]["model"]
    part["told" if "model.json" in part.get("told", {}) else "files"]["model.json"] = entry
