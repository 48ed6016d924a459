"""A network of one's own: exact whatever the module does, and clear about what it does not keep."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from tests.networks.own_modules import Conditional, Skipping
from unit59.networks import NetworkError, load, own

MODULES = "tests.networks.own_modules"


@pytest.fixture
def z() -> Tensor:
    return torch.randn(3, 6, generator=torch.Generator().manual_seed(1))


def reference(module: Skipping, z: Tensor) -> Tensor:
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        image: Tensor = module.eval()(z)
    return image


def test_layers_are_the_convolutions_that_run_once(z: Tensor) -> None:
    net = load(f"{MODULES}:Skipping")
    assert [(layer.name, layer.units, layer.height) for layer in net.layers.values()] == [
        ("first", 5, 4),
        ("second", 5, 4),
        ("third", 4, 4),
        ("rgb", 3, 4),
    ]
    assert net.resolution == (4, 4)
    assert torch.equal(net.generate(z), reference(Skipping(), z))


def test_activations_are_those_before_what_follows_in_place(z: Tensor) -> None:
    net, module = load(f"{MODULES}:Skipping"), Skipping()
    found = net.activations(z, ["first", "second"])
    with torch.no_grad():
        first = module.first(z[:, :, None, None])
        assert torch.equal(found["first"], first)
        assert torch.equal(found["second"], module.second(torch.nn.functional.leaky_relu(first, 0.2)))


@torch.no_grad()
def test_running_on_equals_the_full_pass(z: Tensor) -> None:
    net = load(f"{MODULES}:Skipping")
    full = net.generate(z)
    final, states = net.trace(net.start(net.batch(z)), net.layers)
    assert torch.equal(final["image"], full)
    for name, state in states.items():
        kept = state["x"].clone()
        assert torch.equal(net.run(state, after=name)["image"], full)
        copied = {**state, "x": state["x"].clone()}  # another tensor of the same numbers: replayed
        assert torch.equal(net.run(copied, after=name)["image"], full)
        assert torch.equal(state["x"], kept)


@torch.no_grad()
def test_edits_reach_everything_behind_them(z: Tensor) -> None:
    """Against the module itself with a hook that makes the same edit."""
    net = load(f"{MODULES}:Skipping")
    for names in (["first"], ["second"], ["first", "third"], ["first", "second", "rgb"]):
        module = Skipping()
        for name in names:
            module.get_submodule(name).register_forward_hook(
                lambda _module, _inputs, output: _ablated(output)
            )
        expected = reference(module, z)
        state = net.start(net.batch(z))
        previous = None
        for name in names:
            state = net.run(state, after=previous, until=name)
            state = {**state, "x": _ablated(state["x"])}
            previous = name
        assert torch.equal(net.run(state, after=previous)["image"], expected)
        assert not torch.equal(expected, net.generate(z))


def _ablated(x: Tensor) -> Tensor:
    x = x.clone()
    x[:, 0] = 0
    return x


def test_pictures_labels_and_named_layers() -> None:
    net = load(f"{MODULES}:Conditional")
    assert net.takes == "image"
    assert list(net.layers) == ["body.0"]
    assert net.resolution == (8, 10)
    x, labels = torch.randn(2, 3, 8, 10), torch.ones(2, 2)
    image = net.generate(x, labels)
    assert image.shape == (2, 3, 8, 10)
    assert torch.equal(image[:, 0], image[:, 2])
    with pytest.raises(NetworkError, match=r"takes pictures \[N, 3, 8, 10\]"):
        net.generate(x[:, :, :5], labels)
    with pytest.raises(NetworkError, match="conditional"):
        net.generate(x)


def test_arguments_go_before_attributes() -> None:
    net = own.load(f"{MODULES}:without_a_size", image_size=(5, 5), layers=["0"])
    assert [layer.units for layer in net.layers.values()] == [3]
    net = own.OwnNetwork(Skipping(), latent_size=6, layers=["third"])
    assert list(net.layers) == ["third"]


BAD: dict[str, tuple[str, dict[str, Any], str]] = {
    "no module": ("tests.nowhere:make", {}, "cannot import tests.nowhere: there is no tests/nowhere.py"),
    "no factory": (f"{MODULES}:nothing", {}, "no callable 'nothing'"),
    "no function": (f"{MODULES}:text", {}, "no callable 'text'"),
    "no spec": ("a b:c", {}, "expected package.module:factory"),
    "raises": (f"{MODULES}:failing", {}, "raised RuntimeError: no weights here"),
    "not a module": (f"{MODULES}:no_module", {}, "made a int"),
    "no size": (f"{MODULES}:without_a_size", {}, "exactly one of latent_size and image_size"),
    "both sizes": (f"{MODULES}:Skipping", {"image_size": (4, 4)}, "exactly one of"),
    "absurd size": (f"{MODULES}:Skipping", {"latent_size": "six"}, "latent_size is a number"),
    "wrong size": (f"{MODULES}:Skipping", {"latent_size": 7}, "a pass raised RuntimeError"),
    "no pictures": (f"{MODULES}:flat", {"latent_size": 4}, "returned no pictures"),
    "no layer": (f"{MODULES}:Skipping", {"layers": ["fourth"]}, "no submodule 'fourth'"),
    "runs twice": (f"{MODULES}:Skipping", {"layers": ["twice"]}, "twice runs 2 times"),
    "never runs": (f"{MODULES}:Skipping", {"layers": ["unused"]}, "unused runs 0 times"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_does_not_keep_the_contract(name: str) -> None:
    spec, options, message = BAD[name]
    with pytest.raises(NetworkError, match=message) as caught:
        own.load(spec, **options)
    assert spec in str(caught.value)


def test_cannot_be_saved() -> None:
    with pytest.raises(NetworkError, match="cannot be saved"):
        own.OwnNetwork(Conditional(), image_size=(8, 10), label_size=2).config()
