"""The recipes of published networks, each run whole on a small file in the same format."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
import yaml
from PIL import Image

from tests import tiny
from tests.edit.planting import levels_of
from tests.networks.persistence import stylegan2_attributes, stylegan2_weights, write_pickle
from tests.networks.test_stylegan2 import random_settings
from tests.published import FIXTURES, GANDISSECT, PROGAN, STYLEGAN
from unit59 import run as pipeline
from unit59.edit.edits import Edit
from unit59.edit.sweep import Sweep
from unit59.edit.tail import Tail
from unit59.foundation.progress import Reporter
from unit59.handles import Style, units_of
from unit59.loading import load_network, open_inputs, open_sampling, open_segmenter
from unit59.networks import Network, load
from unit59.recipe.sections import RecipeError, RecipeFile, SearchSection, read_recipe
from unit59.results import ModelResults, find_faults, read_model
from unit59.samples.cache import SampleCache
from unit59.samples.drawing import Sampler
from unit59.samples.memory import Batches, Decided
from unit59.samples.shards import GROUP
from unit59.segmenters.colours import Colours
from unit59.site.pages.finding import finding_page
from unit59.site.render import Renderer
from unit59.site.site import Site
from unit59.store import Store

RECIPES = Path(__file__).parents[2] / "recipes"
PIX2PIX = FIXTURES / "pix2pix" / "unet256_batch_dropout_latest_net_G.pth"
STYLEGAN2 = FIXTURES / "stylegan2ada" / "sg2ada_res32.pkl"
STYLEGAN3 = FIXTURES / "stylegan3" / "sg3t_res64.pkl"
#: By recipe: the file in place of its weights, and layers in place of those that the small network lacks.
STANDINS: dict[str, tuple[Path, dict[str, str]]] = {
    "progan-livingroom": (GANDISSECT, {}),
    "pix2pix-church": (PIX2PIX, {}),
    "stylegan-lsun-bedroom": (STYLEGAN, {"layer8": "layer7"}),
    "stylegan2-afhqcat": (STYLEGAN2, {}),
    "stylegan3-ffhq": (
        STYLEGAN3,
        {"L3_52_512": "L10_84_13", "L5_84_512": "L12_84_8", "L7_148_362": "L13_64_8"},
    ),
}
#: In place of a concept that the small segmenter does not know.
KNOWN = {"cushion": "window"}
INPUTS, SAMPLES = 9, 9


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with inputs and segmenters; recipes go there too."""
    folder = tmp_path_factory.mktemp("small")
    _label_maps(folder / "inputs")
    shutil.copytree(FIXTURES / "upernet", folder / "upernet")
    return folder


def _label_maps(folder: Path) -> None:
    """Aligned pictures: a gradient on the left, its label map of flat rectangles on the right."""
    folder.mkdir()
    draw = np.random.default_rng(59)
    palette = draw.integers(0, 256, (6, 3), np.uint8)
    for number in range(INPUTS):
        labels = np.zeros((256, 256), int)
        for label in range(1, 6):
            top, left = draw.integers(0, 200, 2)
            labels[top : top + draw.integers(20, 120), left : left + draw.integers(20, 120)] = label
        right = palette[labels]
        left = np.broadcast_to(np.arange(256, dtype=np.uint8)[:, None], (256, 256, 3))
        Image.fromarray(np.concatenate([left, right], axis=1)).save(folder / f"{number:02d}.png")


def _segformer(folder: Path) -> str:
    """A tiny SegFormer of random weights, as the hub's models are laid out."""
    library = pytest.importorskip("transformers", reason="pip install transformers")
    torch.manual_seed(59)
    config = library.SegformerConfig(
        num_encoder_blocks=4, depths=[1] * 4, hidden_sizes=[8] * 4, num_attention_heads=[1] * 4,
        decoder_hidden_size=16, id2label={0: "background", 1: "fur", 2: "eye", 3: "ear"},
    )  # fmt: skip
    model = library.SegformerForSemanticSegmentation(config)
    for parameter in model.parameters():
        if parameter.dim() > 1:
            parameter.data.normal_(std=0.3)
    model.save_pretrained(folder)
    processor = library.SegformerImageProcessorPil(size={"height": 64, "width": 64})
    (folder / "preprocessor_config.json").write_text(processor.to_json_string())
    return str(folder)


def standin(name: str, small: Path, **values: Any) -> RecipeFile:
    """The published recipe with small files in place of the weights, and nothing else changed but sizes."""
    weights, layers = STANDINS[name]
    content = yaml.safe_load((RECIPES / f"{name}.yaml").read_text())
    content["checkpoint"]["file"] = str(weights)
    content["layers"] = list(dict.fromkeys(layers.get(layer, layer) for layer in content["layers"]))
    content["segmenter"] = [_small_segmenter(entry, small) for entry in content["segmenter"]]
    if "inputs" in content:
        content["inputs"]["pairs"] = "inputs"
    for search in content.get("searches", []):
        search["concept"] = KNOWN[search["concept"]]
    content |= {"samples": SAMPLES, "shuffles": 3, "bootstrap": 20, "exemplars": 2, "grid": 32, **values}
    path = small / f"{name}.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return read_recipe(path)


def _small_segmenter(entry: Any, small: Path) -> Any:
    if "upernet" in entry:
        return {"upernet": {"folder": "upernet", "segsizes": [64]}}
    if "transformers" in entry:
        folder = small / "segformer"
        return {"transformers": str(folder) if folder.exists() else _segformer(folder)}
    return entry


@pytest.fixture
def small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer samples in a pass: a strip of two pictures needs no pass of eight."""
    monkeypatch.setattr(Decided, "get", lambda _: Batches(network=2))


def run(file: RecipeFile, folder: Path, batch: int = 64) -> ModelResults:
    options = pipeline.Options(folder / "results", folder / "cache", batch=batch)
    return read_model(pipeline.dissect(file, options, Reporter(quiet=True)))


def test_every_recipe_but_the_downloaded_ones_has_a_standin() -> None:
    there = {path.stem for path in RECIPES.glob("*.yaml")}
    assert set(STANDINS) <= there
    at_hand = {name for name in there if name == "faces" or name.startswith("bedrooms-")}
    assert there - set(STANDINS) == at_hand  # their weights are there, and they run as they are


@pytest.mark.usefixtures("small_groups")
@pytest.mark.parametrize("name", STANDINS)
def test_a_recipe_runs_from_end_to_end(name: str, small: Path, tmp_path: Path) -> None:
    file = standin(name, small)
    results = run(file, tmp_path)
    assert list(find_faults(results.folder)) == []
    network = load(STANDINS[name][0])
    assert [layer.record.name for layer in results.layers] == file.recipe.layers
    assert results.record.family == network.family
    assert results.record.checkpoint.licence == file.recipe.checkpoint.licence
    planes = set(results.record.segmenter.planes)
    assert {"object", "colour"} <= planes
    for layer in results.layers:
        described = network.layers[layer.record.name]
        assert (len(layer.units), layer.record.height) == (described.units, described.height)
        for column in ("iou", "null_iou", "iqr", "on_share"):
            assert layer.units[column].is_between(0, 1).all(), column
        assert (layer.units["on_share"] <= file.recipe.quantile).all()
        assert (layer.units["iou"].to_numpy() > 0).mean() > 0.5
        assert layer.units["label"].null_count() < described.units / 2
        assert (layer.units["ablated_change"].list.max().to_numpy() > 0).mean() > 0.5
        assert layer.agreement.select(pl.col("intersection").le(pl.col("union")).all()).item()
        for unit in range(described.units):
            for kind in ("exemplars", "ablated", "inserted"):
                with Image.open(layer.picture(unit, kind)) as picture:
                    assert picture.width >= 2 * 32


@pytest.mark.usefixtures("small_groups")
def test_the_bedroom_recipe_ends_in_a_page_on_unit_59(small: Path, tmp_path: Path) -> None:
    asked = yaml.safe_load((RECIPES / "stylegan-lsun-bedroom.yaml").read_text())["searches"]
    searches = [
        {**search, "concept": "window", "layers": ["layer6"], "floor": 0.001, "samples": 16, "probe": 3}
        for search in asked
    ]
    file = standin("stylegan-lsun-bedroom", small, layers=["layer6"], samples=24)
    file.recipe.__dict__["searches"] = [SearchSection(**search) for search in searches]
    site = Site.of([run(file, tmp_path)])
    (finding,) = site.findings
    assert len(finding.record.layers) == 1  # enough samples show it: it was searched
    page = finding_page(finding)
    assert (page.path, page.title) == (
        "findings/stylegan-lsun-bedroom-unit-59-cushion",
        "Unit 59: cushion",
    )
    body = Renderer(site).body(page)
    for said in ("What was reported", "unit 59 of layer6", "What was measured here", "no unit 59"):
        assert said in body


def test_batches_change_nothing(small: Path, tmp_path: Path) -> None:
    """Every sample has noise and, in this mode, dropout and statistics of its own."""
    file = standin("pix2pix-church", small, layers=["layer16"], sampling={"mode": "official-test"})
    one, other = (run(file, tmp_path / str(batch), batch) for batch in (1, 64))
    assert tiny.contents(one.folder) == tiny.contents(other.folder)


# ---- settings that only some networks have


def filled(file: RecipeFile, folder: Path, layers: list[str]) -> SampleCache:
    """The cache of a recipe's samples, segmented by colours alone."""
    network, _ = load_network(file, "cpu")
    recipe = file.recipe
    sampler = Sampler(network, recipe.seed, open_sampling(file, network), open_inputs(file, network))
    keys: Any = {"samples": "a", "segmentations": "b"}
    cache = SampleCache(Store(folder), sampler, Colours(), recipe.samples, layers, None, keys)
    cache.fill(lambda _: None)
    return cache


def pictures(file: RecipeFile, folder: Path) -> torch.Tensor:
    return torch.from_numpy(filled(file, folder, []).pictures(np.arange(file.recipe.samples)))


def test_truncation_and_noise_change_the_samples(small: Path, tmp_path: Path) -> None:
    settings: list[dict[str, Any]] = [
        {}, {"sampling": {"noise": "const"}}, {"sampling": {"noise": "none"}}, {"sampling": {"psi": 0.5}},
        {"sampling": {"psi": 0.5, "cutoff": 3}}, {"seed": 60},
    ]  # fmt: skip
    made = [
        pictures(standin("stylegan-lsun-bedroom", small, **values), tmp_path / str(number))
        for number, values in enumerate(settings)
    ]
    for number, one in enumerate(made):
        assert all(not torch.equal(one, other) for other in made[number + 1 :])
    network = load(STYLEGAN)
    quiet = network.SAMPLING.model_validate({"noise": "none"})
    start = Sampler(network, 59, quiet.model_copy(update={"psi": 0.5})).start(range(3))
    assert all(noise is None for noise in start["noise"])
    pulled = (start["w"] - network.w_average).norm()
    whole = Sampler(network, 59, quiet).start(range(3))["w"]
    assert pulled / (whole - network.w_average).norm() == pytest.approx(0.5)


def test_a_sample_has_noise_of_its_own() -> None:
    sampler = Sampler(load(STYLEGAN), 59)
    together = sampler.start(range(8))["noise"][5]
    assert torch.equal(sampler.start([3])["noise"][5][0], together[3])
    assert not torch.equal(together[3], together[4])


def test_a_conditional_network_draws_its_class_or_takes_the_recipes(tmp_path: Path) -> None:
    settings = random_settings(mapping={"label_size": 3})
    tensors = stylegan2_weights(settings, [5, 4, 3], w_size=7)
    network = load(write_pickle(tmp_path / "conditional.pkl", tensors, stylegan2_attributes(settings)))
    labels = [
        Sampler(network, 59, network.SAMPLING.model_validate({"label": label}))._labels(range(40))
        for label in (None, 2)
    ]
    drawn, fixed = (each.argmax(1) for each in labels if each is not None)
    assert set(drawn.tolist()) == {0, 1, 2}
    assert set(fixed.tolist()) == {2}
    recipe = tmp_path / "recipe.yaml"
    text = (
        "model: c\ntitle: C\ncheckpoint: conditional.pkl\nsegmenter: colours\n"
        "layers: [b8.conv1]\nsamples: 8\n"
    )
    recipe.write_text(text)
    drawn_pictures = pictures(read_recipe(recipe), tmp_path / "drawn")
    recipe.write_text(text + "sampling: {label: 2}\n")
    fixed_pictures = pictures(read_recipe(recipe), tmp_path / "fixed")
    same = (drawn_pictures == fixed_pictures).flatten(1).all(1)
    assert same.tolist() == (drawn[:8] == 2).tolist()
    recipe.write_text(text + "sampling: {label: 3}\n")
    with pytest.raises(
        RecipeError, match=r"recipe\.yaml:7: sampling\.label: 3, but the network has 3 classes"
    ):
        open_sampling(read_recipe(recipe), network)


def test_pix2pix_modes(small: Path, tmp_path: Path) -> None:
    settings = [(mode, noise) for mode in ("eval", "official-test") for noise in ("none", "sample")]
    made = [
        pictures(
            standin("pix2pix-church", small, sampling={"mode": mode, "noise": noise}),
            tmp_path / f"{mode}-{noise}",
        )
        for mode, noise in settings
    ]
    assert torch.equal(made[0], made[1])
    assert not torch.equal(made[0], made[2])
    assert not torch.equal(made[2], made[3])
    with pytest.raises(RecipeError, match=r"sampling\.mode: there is no such field. progan has label"):
        file = standin("progan-livingroom", small, sampling={"mode": "eval"})
        open_sampling(file, load_network(file, "cpu")[0])


# ---- edits


FAMILIES = {
    "progan": (GANDISSECT, ["layer1", "layer4", "layer8"]),
    "progan-pickle": (PROGAN, ["layer5"]),
    "stylegan": (STYLEGAN, ["layer0", "layer6"]),
    "stylegan2": (STYLEGAN2, ["b4.conv1", "b8.torgb", "b16.conv0", "b32.torgb"]),
    "stylegan3": (STYLEGAN3, ["input", "L5_52_32"]),
    "pix2pix": (PIX2PIX, ["layer1", "layer5", "layer9", "layer12", "layer16"]),
    "own": (None, ["first", "third"]),
}


@pytest.fixture(params=FAMILIES)
def edited(
    request: pytest.FixtureRequest, small: Path, tmp_path: Path
) -> Iterator[tuple[SampleCache, list[str]]]:
    """A filled cache of every family."""
    weights, layers = FAMILIES[request.param]
    source = Path(__file__).parents[1] / "networks" / "own_modules.py"
    (small / "own_modules.py").write_text(source.read_text())
    checkpoint = str(weights or "own_modules:Skipping")
    recipe = small / "edited.yaml"
    text = f"model: edited\ntitle: Edited\ncheckpoint: {checkpoint}\nsegmenter: colours\nsamples: 9\n"
    if request.param == "pix2pix":
        text += "inputs: {pairs: inputs, direction: BtoA}\nsampling: {mode: official-test}\n"
    recipe.write_text(text)
    yield filled(read_recipe(recipe), tmp_path / "cache", layers), layers


@torch.no_grad()
def test_an_empty_edit_changes_no_bit_and_a_real_one_does(edited: tuple[SampleCache, list[str]]) -> None:
    cache, layers = edited
    network: Network = cache.sampler.network
    whole = network.run(cache.sampler.start(range(GROUP)))["image"]
    for layer in layers:
        behind = Tail(cache, layer)
        assert torch.equal(behind.image(behind.state(range(GROUP))), whole), layer
        if Style().units(network, network.layers[layer]):
            styled = Tail(cache, units_of(network, network.layers[layer], Style(), layer))
            assert torch.equal(styled.image(styled.state(range(GROUP))), whole), layer
        sweep = Sweep.here(cache, behind, levels_of(cache, layer), "test")
        every = tuple(range(sweep.units))
        before, after = sweep.pictures(Edit(do="scale", units=every, factor=1.0), range(GROUP))
        assert torch.equal(before, whole), layer
        assert torch.equal(after, whole), layer
        before, after = sweep.pictures(Edit.ablate(every), range(3))
        assert torch.equal(before, whole[:3]), layer
        assert not torch.equal(before, after), layer


# ---- what is missing


@pytest.mark.parametrize("name", STANDINS)
def test_missing_weights_say_what_to_do(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if find_spec("huggingface_hub"):
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    file = read_recipe(RECIPES / f"{name}.yaml")
    section = file.recipe.checkpoint
    path = file.resolve(section.file)
    if path.exists():
        pytest.skip("the weights are there")
    with pytest.raises(RecipeError) as caught:
        load_network(file, "cpu")
    said = str(caught.value)
    for wanted in (
        path.name,
        section.source,
        section.licence,
        "Put it into",
        str(RECIPES.parent / "weights"),
    ):
        assert wanted in said
    assert f"{name}.yaml:" in said.splitlines()[0]
    if "upernet" in str(file.recipe.segmenter):
        second = said.splitlines()[1]
        for wanted in ("encoder_epoch_40.pth", "decoder_epoch_40.pth", "labels.json", "netdissect", "BSD"):
            assert wanted in second
    else:
        assert "https://huggingface.co/" in said.splitlines()[1]


@pytest.mark.parametrize("name", STANDINS)
def test_each_recipe_says_which_files_it_expects(name: str) -> None:
    path = RECIPES / f"{name}.yaml"
    header = path.read_text().split("\nmodel:")[0]
    recipe = read_recipe(path).recipe
    assert recipe.checkpoint.file.removeprefix("../") in header
    assert recipe.model == name
    assert recipe.checkpoint.source
    assert recipe.checkpoint.licence


def test_a_present_segmenter_is_not_missed(small: Path) -> None:
    file = standin("progan-livingroom", small)
    file.recipe.checkpoint.__dict__["file"] = "gone.pth"
    with pytest.raises(RecipeError) as caught:
        load_network(file, "cpu")
    assert len(str(caught.value).splitlines()) == 1
    assert open_segmenter(file).planes[:3] == ("object", "material", "part")
