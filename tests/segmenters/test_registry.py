"""Specs, a user's own segmenter, and stacks."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field
from torch import Tensor

from unit59.segmenters import (
    Concept,
    Segmenter,
    SegmenterError,
    check_segmenter,
    known_segmenters,
    load_segmenter,
    registry,
)
from unit59.segmenters.checked import Checked, check_concepts
from unit59.segmenters.palette import colour_of
from unit59.segmenters.stack import Stack

HERE = f"{__name__}:"


class Bright(Segmenter):
    """Two concepts in one plane, by brightness."""

    planes = ("light",)
    concepts = (Concept("dark", "light", "#000000"), Concept("bright", "light", "#ffffff"))

    def __init__(
        self,
        level: float = 0.0,
        folder: Path | None = None,
        edges: Annotated[Sequence[int], Field(max_length=2)] = (),
    ) -> None:
        self.level, self.folder, self.edges = level, folder, edges

    def segment(self, images: Tensor) -> Tensor:
        return (images.mean(1, keepdim=True) > self.level).long() + 1


class Hub(Bright):
    def __init__(self, *, model: Path | str) -> None:
        super().__init__()
        self.model = model


class Broken(Bright):
    def __init__(self) -> None:
        raise RuntimeError("no weights today")


def inner(spec: Any, base: Path = Path()) -> Any:
    loaded = load_segmenter(spec, base)
    assert isinstance(loaded, Checked)
    return loaded.inner


def test_a_name_options_and_the_first_option_alone(tmp_path: Path) -> None:
    assert inner(HERE + "Bright").level == 0
    assert inner({HERE + "Bright": {"level": 0.5}}).level == 0.5
    assert inner({HERE + "Bright": 0.25}).level == 0.25
    assert inner({HERE + "Bright": None}).level == 0


def test_paths_start_from_the_recipes_folder(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "own.py").write_text(Path(__file__).read_text())
    assert inner({"own:Bright": {"folder": "x/y"}}, tmp_path).folder == tmp_path / "x/y"
    assert inner({"own:Hub": "there"}, tmp_path).model == tmp_path / "there"
    assert inner({"own:Hub": "owner/name"}, tmp_path).model == "owner/name"


def test_a_module_beside_the_recipe_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path / "elsewhere")  # restores sys.path afterwards
    (tmp_path / "beside_the_recipe.py").write_text(
        f"from {__name__} import Bright\nclass Mine(Bright): ...\n"
    )
    assert inner("beside_the_recipe:Mine", tmp_path).level == 0
    (tmp_path / "faulty.py").write_text("import torch\n1 / 0\n")
    with pytest.raises(SegmenterError, match=r"faulty:Mine: cannot import faulty: ZeroDivisionError"):
        load_segmenter("faulty:Mine", tmp_path)


def test_known_names() -> None:
    assert known_segmenters() == sorted(known_segmenters())
    assert {"ade20k", "colours", "faces", "transformers", "upernet"} <= set(known_segmenters())
    for name in known_segmenters():
        assert issubclass(registry._known(name), Segmenter)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("color", "there is no 'color'; did you mean 'colours'"),
        ({"upernet": {"segsize": [3]}}, "upernet: there is no option 'segsize'; did you mean 'segsizes'"),
        ({"upernet": {}}, "upernet: option 'folder' is missing"),
        ({"upernet": {"folder": ".", "segsizes": [1]}}, r"option segsizes\.0: .* \(got 1\)"),
        ({"transformers": {"model": 3}}, "option model: "),
        ({"colours": 3}, "colours: takes no options, got 3"),
        ({HERE + "Bright": {"level": "high"}}, "option level: .*number.*'high'"),
        ({HERE + "Bright": {"edges": [1, 2, 3]}}, "option edges: "),
        (HERE + "Brigt", "has no callable 'Brigt'"),
        (HERE + "Broken", "RuntimeError: no weights today"),
        ("no_such_module:X", r"cannot import no_such_module: there is no no_such_module\.py below"),
        ("..:X", "there is no '..:X'"),
        (3, "expected a name, one `name: options`, or a list of these, got 3"),
        ({"colours": {}, "faces": {}}, "expected a name"),
        ([], "an empty list"),
        (["colours", "colour"], "did you mean 'colours'"),
    ],
)
def test_a_wrong_spec_says_what_is_wrong(spec: Any, message: str) -> None:
    with pytest.raises(SegmenterError, match=message):
        load_segmenter(spec, Path())


def test_a_spec_is_checked_without_weights(tmp_path: Path) -> None:
    check_segmenter({"upernet": {"folder": "nowhere"}}, tmp_path)
    with pytest.raises(SegmenterError, match="'segsizes'"):
        check_segmenter({"upernet": {"folder": "nowhere", "segsize": 1}}, tmp_path)


# ---- a user's own


class Returns:
    """Returns whatever it is given."""

    planes = ("object", "colour")
    concepts = (
        Concept("a", "object", "#000000"),
        Concept("b", "object", "#000000"),
        Concept("c", "colour", "#000000"),
    )

    def __init__(self, found: Any) -> None:
        self.found = found

    def segment(self, images: Tensor) -> Any:
        return self.found


GOOD = torch.tensor([[[[0, 1, 2]], [[3, 0, 3]]]])


@pytest.mark.parametrize("dtype", [torch.int64, torch.int32, torch.uint8])
def test_a_good_result_passes(dtype: torch.dtype) -> None:
    found = Checked("mine", Returns(GOOD.to(dtype))).segment(torch.zeros(1, 3, 2, 6))
    assert found.dtype == torch.int64
    assert torch.equal(found, GOOD)


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (GOOD.numpy(), "segment returned ndarray, expected a torch tensor"),
        (GOOD.float(), "returned torch.float32, expected int64"),
        (
            GOOD[0],
            r"returned shape \[2, 1, 3\] for 1 pictures, expected \[1, 2, h, w\] .planes object, colour",
        ),
        (GOOD[:, :1], r"returned shape \[1, 1, 1, 3\]"),
        (torch.cat([GOOD, GOOD]), r"returned shape \[2, 2, 1, 3\] for 1 pictures"),
        (GOOD[..., :0], r"returned shape \[1, 2, 1, 0\]"),
        (GOOD + 1, "returned the value 4; values are 0 .nothing. to 3"),
        (GOOD - 1, "returned the value -1"),
        (GOOD.flip(1), "put 3 .'c', plane 'colour'. into plane 'object'"),
    ],
)
def test_a_bad_result_is_named(found: Any, message: str) -> None:
    with pytest.raises(SegmenterError, match=f"segmenter mine: .*{message}"):
        Checked("mine", Returns(found)).segment(torch.zeros(1, 3, 2, 6))


@pytest.mark.parametrize(
    ("attribute", "value", "message"),
    [
        ("planes", (), "planes must be names"),
        ("planes", (1, 2), "planes must be names"),
        ("planes", ("object", "object"), "a plane is named twice"),
        ("planes", ("object",), "concept 3 .'c'. stands in plane 'colour', but planes are object"),
        ("concepts", ("a",), "concept 1 is 'a'; it needs a name, a plane and a colour"),
        ("concepts", (Concept("a", "object", "red"),), "needs .* a colour '#rrggbb'"),
    ],
)
def test_a_bad_declaration_is_named(attribute: str, value: Any, message: str) -> None:
    own = Returns(GOOD)
    setattr(own, attribute, value)
    with pytest.raises(SegmenterError, match=message):
        Checked("mine", own)
    with pytest.raises(SegmenterError, match="object has no 'planes'"):
        Checked("mine", object())


HELPED = """\
from unit59.segmenters import Concept
from helper import LEVEL
from pathlib import Path

class Light:
    planes = ("light",)
    concepts = (Concept("dark", "light", "#000000"), Concept("bright", "light", "#ffffff"))
    def __init__(self, level=LEVEL, table: Path | None = None): self.level = level
    def segment(self, images): return (images.mean(1, keepdim=True) > self.level).long() + 1

def made(level=LEVEL): return Light(level)
"""


def test_a_change_of_the_users_code_changes_the_key(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(HELPED)
    (tmp_path / "helper.py").write_text("LEVEL = 0.5")
    (tmp_path / "unrelated.py").write_text("")
    first = load_segmenter("mine:Light", tmp_path).code
    assert load_segmenter(["mine:Light", "colours"], tmp_path).code == first
    (tmp_path / "unrelated.py").write_text("changed = 1")
    assert load_segmenter("mine:Light", tmp_path).code == first
    (tmp_path / "helper.py").write_text("LEVEL = 0.6")
    assert load_segmenter("mine:Light", tmp_path).code != first
    assert inner("mine:Light", tmp_path).level == 0.6  # and the new code runs, in the same process
    assert load_segmenter("mine:made", tmp_path).code != load_segmenter({"mine:made": 0.1}, tmp_path).code
    (tmp_path / "table.csv").write_text("1")
    option = {"mine:Light": {"table": "table.csv"}}
    before = load_segmenter(option, tmp_path).code
    (tmp_path / "table.csv").write_text("2")
    assert load_segmenter(option, tmp_path).code != before


class Grows(Bright):
    def segment(self, images: Tensor) -> Tensor:
        self.size = getattr(self, "size", 3) + 1
        return torch.ones(len(images), 1, self.size, self.size, dtype=torch.int64)


class Scores(Bright):
    def __init__(self, made: Any) -> None:
        super().__init__()
        self.made = made

    def logits(self, images: Tensor) -> list[Tensor | None]:
        return [self.made(images)]


def test_a_result_that_grows_is_refused() -> None:
    segmenter = Checked("mine", Grows())
    segmenter.segment(torch.zeros(1, 3, 8, 8))
    with pytest.raises(SegmenterError, match=r"maps of 5 x 5 for pictures of 8 x 8, and of 4 x 4"):
        segmenter.segment(torch.zeros(1, 3, 8, 8))


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda x: x[:, :2], r"logits returned shape \[2, 2, 4, 4\] for plane 'light' and 2 pictures"),
        (lambda x: x[:1], r"shape \[1, 3, 4, 4\]"),
        (lambda x: x.long(), "logits returned torch.int64"),
        (lambda x: x.detach(), "carry no gradient back to the pictures"),
        (lambda x: x / 0, "NaN or infinite"),
        (lambda x: sys.exit(0), r"segmenter mine: logits: it called sys\.exit\(0\)"),
        (lambda x: [].pop(), "segmenter mine: logits: IndexError"),
    ],
)
def test_bad_scores_are_named(made: Any, message: str) -> None:
    images = torch.zeros(2, 3, 4, 4, requires_grad=True)
    assert Checked("mine", Scores(lambda x: x)).logits(images)[0] is not None
    with pytest.raises(SegmenterError, match=message):
        Checked("mine", Scores(made)).logits(images)


@pytest.mark.parametrize(
    ("raised", "message"),
    [
        (SystemExit(0), "it called sys.exit"),
        (MemoryError(), "out of memory"),
        (ValueError("no"), "segment: ValueError: no"),
    ],
)
def test_a_segmenter_that_raises_is_named(raised: BaseException, message: str) -> None:
    own = Returns(GOOD)

    def segment(images: Tensor) -> Any:
        raise raised

    own.segment = segment  # type: ignore[method-assign]
    with pytest.raises(SegmenterError, match=f"segmenter mine: .*{message}"):
        Checked("mine", own).segment(torch.zeros(1, 3, 2, 6))


def test_too_many_concepts_and_names_that_cannot_be_printed() -> None:
    many = tuple(Concept(f"c{n}", "p", "#000000") for n in range(20_000))
    one = Fixed(("p",), many, torch.zeros(1, 1, 1))
    check_concepts(one, "one")
    with pytest.raises(SegmenterError, match="two: 40000 concepts; at most 32767"):
        check_concepts(Stack([("a", one), ("b", one)]), "two")
    for name in ("\x1b[31mred", "a\0b", "\ud800", "two\nlines"):
        with pytest.raises(SegmenterError, match="cannot be printed"):
            check_concepts(Fixed(("p",), (Concept(name, "p", "#000000"),), torch.zeros(1, 1, 1)), "x")
        if name != "two\nlines":
            limited = Fixed(("p",), (), torch.zeros(1, 1, 1))
            limited.limits = name
            with pytest.raises(SegmenterError, match="its limits has a character that cannot be printed"):
                check_concepts(limited, "x")
    for name in ("寝台", "кровать", "می\u200cخواهم", "lit double"):
        check_concepts(Fixed(("p",), (Concept(name, "p", "#000000"),), torch.zeros(1, 1, 1)), "x")


def test_a_concept_has_a_name_of_its_own_in_its_plane() -> None:
    def check(*named: tuple[str, str]) -> None:
        concepts = tuple(Concept(name, plane, "#000000") for name, plane in named)
        check_concepts(Fixed(("p", "q"), concepts, torch.zeros(2, 1, 1)), "mine")

    check(("a", "p"), ("a", "q"), ("b" * 200, "p"))
    with pytest.raises(SegmenterError, match="mine: concepts 1 and 3 of plane 'p' are both named 'a'"):
        check(("a", "p"), ("a", "q"), ("a", "p"))
    for wrong, what in ((("b" * 201, "p"), "name"), (("b", "p" * 201), "plane")):
        with pytest.raises(SegmenterError, match=f"concept 1 has a {what} of 201 characters; at most 200"):
            check(wrong)


# ---- stacks


class Fixed(Segmenter):
    """The same segmentation for every picture."""

    def __init__(self, planes: tuple[str, ...], concepts: tuple[Concept, ...], found: Tensor) -> None:
        self.planes, self.concepts, self.found = planes, concepts, found

    def segment(self, images: Tensor) -> Tensor:
        return self.found[None].repeat(len(images), 1, 1, 1)


@st.composite
def parts(draw: st.DrawFn) -> list[tuple[str, Segmenter]]:
    made: list[tuple[str, Segmenter]] = []
    for number in range(draw(st.integers(1, 4))):
        planes = tuple(draw(st.lists(st.sampled_from("pqr"), min_size=1, max_size=3, unique=True)))
        concepts = tuple(
            Concept(f"{number}.{index}", plane, "#123456")
            for index, plane in enumerate(draw(st.lists(st.sampled_from(planes), max_size=5)))
        )
        height, width = draw(st.sampled_from([1, 2, 4])), draw(st.sampled_from([1, 2, 4]))
        found = torch.zeros(len(planes), height, width, dtype=torch.int64)
        for index, plane in enumerate(planes):
            values = [0] + [v for v, concept in enumerate(concepts, 1) if concept.plane == plane]
            for place in range(height * width):
                found[index].view(-1)[place] = draw(st.sampled_from(values))
        made.append((draw(st.sampled_from("xy")), Fixed(planes, concepts, found)))
    return made


@settings(max_examples=60)
@given(parts())
def test_a_stack_keeps_every_pixels_concept(parts: list[tuple[str, Segmenter]]) -> None:
    stack = Stack(parts)
    found = Checked("stack", stack).segment(torch.zeros(2, 3, 4, 4))  # every value in its own plane
    assert len(set(stack.planes)) == len(stack.planes) == sum(len(part.planes) for _, part in parts)
    assert len(stack.concepts) == sum(len(part.concepts) for _, part in parts)
    areas = [part.segment(torch.zeros(1, 3, 4, 4)).shape[2:].numel() for _, part in parts]
    assert found.shape[2:].numel() == max(areas)
    height, width = found.shape[2:]
    plane = 0
    for _, part in parts:
        own = part.segment(torch.zeros(1, 3, 4, 4))[0]
        for index in range(len(part.planes)):
            for y in range(height):
                for x in range(width):
                    value = int(found[1, plane, y, x])
                    row, column = y * own.shape[1] // height, x * own.shape[2] // width
                    if own.shape[1] <= height and own.shape[2] <= width:
                        expected = int(own[index, row, column])
                        name = stack.concepts[value - 1].name if value else ""
                        assert name == (part.concepts[expected - 1].name if expected else "")
            plane += 1


def test_a_stack_names_its_planes_apart() -> None:
    one = Fixed(("object",), (Concept("bed", "object", "#000000"),), torch.ones(1, 2, 2, dtype=torch.int64))
    stack = Stack([("ade20k", one), ("mine:Own", one), ("mine:Own", one)])
    assert stack.planes == ("object (ade20k)", "object (mine:Own)", "object (mine:Own) 2")
    assert [concept.plane for concept in stack.concepts] == list(stack.planes)
    assert stack.segment(torch.zeros(1, 3, 2, 2))[0, :, 0, 0].tolist() == [1, 2, 3]


def test_colours_stand_beside_any_segmenter() -> None:
    stack = load_segmenter([HERE + "Bright", "colours"], Path())
    assert stack.planes == ("light", "colour")
    white = torch.ones(1, 3, 4, 4)
    numbers = stack.segment(white)[0, :, 0, 0]
    assert [stack.concepts[int(number) - 1].name for number in numbers] == ["bright", "white"]


@given(st.text(min_size=1))
def test_a_names_colour_is_always_the_same(name: str) -> None:
    assert colour_of(name) == colour_of(name)
    assert Checked("x", Fixed(("p",), (Concept("n", "p", colour_of(name)),), torch.zeros(1, 1, 1))).concepts
