"""What the study of skips says. Never imports torch."""

from __future__ import annotations

from unit59.results.report import Measured, Reference, ReportChart, ReportPicture, ReportSection, ReportTable
from unit59.stats.scores import Interval
from unit59.studies.skips.facts import MIRRORED, OTHER_ENCODER, WAYS, SkipFacts
from unit59.studies.tables import Report, Tables
from unit59.studies.words import listed


def tell(tables: Tables) -> Report:
    """See `unit59.studies.base.Study.tell`."""
    found = SkipFacts.model_validate(tables.facts)
    return Report(
        question="Do layers that a skip connection joins share units and concepts?",
        answer=f"{_overlap_answer(found)} {_ways_answer(found)}".strip(),
        number=_number(found),
        method=_method(found),
        sections=[_masks(found), _concepts(found), _ways(found)],
        limits=[
            "Masks of two units overlap when they fire at the same places: that is no proof that one reads "
            "the other.",
            "Layers differ in the size of their maps, and coarse maps make coarse masks: only the decoder "
            "layer before has maps of the mirrored layer's size. The null takes off what chance gives at "
            "each size, not what shape gives.",
            "A way is silenced by zeros, which what follows may never have seen in training.",
        ],
    )


def _points(mean: Interval) -> str:
    """A difference of IoUs with its interval."""
    return f"{mean.value:+.3f} ({mean.low:+.3f} to {mean.high:+.3f})"


def _overlap_answer(found: SkipFacts) -> str:
    others = found.against.get(OTHER_ENCODER)
    if others is None:
        return "There is no other encoder layer to compare with."
    best, mirrors, more = found.best_is_mirror, len(found.mirrors), found.overlap_more
    said = "Yes" if more and 2 * best > mirrors else "In part" if more else "No"
    how = (
        "overlap more with those of the mirrored layer than with other encoder layers'"
        if more
        else "do not surely overlap more with those of the mirrored layer than with other encoder layers'"
    )
    return (
        f"{said}: units of a decoder layer {how}, by {_points(others)} in IoU above chance, and for {best} "
        f"of {mirrors} decoder layers the mirrored one is the encoder layer that overlaps most."
    )


def _ways_answer(found: SkipFacts) -> str:
    skip, deeper = found.suffer_from_skip, found.suffer_from_deeper
    if skip is None or deeper is None:
        return ""
    rest = len(found.mirrors) - len(skip) - len(deeper)
    return " ".join(
        [
            f"Outlines suffer more from a silent skip for {listed(skip) if skip else 'no layer'}, more "
            f"from a layer that is silent for what lies deeper for {listed(deeper) if deeper else 'none'}.",
            *([f"For the other {rest} there is no clear difference."] if rest else []),
        ]
    )


def _number(found: SkipFacts) -> Measured | None:
    others = found.against.get(OTHER_ENCODER)
    if others is None:
        return None
    return Measured(
        words="more IoU above chance with the mirrored layer's best unit than with another encoder layer's",
        **others._asdict(),
    )


def _method(found: SkipFacts) -> list[str]:
    layer, mirror = found.mirrors[-1]
    return [
        "Layer i of n is mirrored by layer n + 1 − i, whose convolution reads it through a skip "
        f"connection: {layer} and {mirror}, for one. For each of {found.units} units of the mirrors the "
        "best match was sought among the units of each encoder layer, and among those of the decoder layer "
        "before, which the mirror reads too: the unit whose mask (its strongest activity) has the largest "
        f"IoU with its own, over {found.compared} samples.",
        f"Chance: the same with other samples' masks ({found.shifts} cyclic shifts of the sample order), "
        "taken off unit by unit. Intervals are 95 %, over units.",
        f"On {len(found.samples)} samples (the first ones) each encoder layer was set to zero: only in "
        "what the skip hands across, only in what the next layer of the encoder reads, or in both. "
        "Outlines and agreement left are counted as in the study of outlines: 0 % is what another sample's "
        "picture would have, 100 % nothing silent.",
    ]


def _masks(found: SkipFacts) -> ReportSection:
    text = [
        f"Mirrored layer against {kind}{'s' if kind.startswith('other') else ''}: {_points(mean)} in IoU "
        "above chance, mean over units."
        for kind, mean in found.against.items()
    ]
    return ReportSection(
        title="Shared units",
        text=text,
        charts=[
            ReportChart(
                kind="points",
                table="pairs.parquet",
                x="layer",
                y="excess",
                group="kind",
                hover=["other", "iou", "chance"],
                references=[Reference(axis="y", value=0, name="chance")],
                label="Overlap of each decoder layer's units with their best matches in other layers",
                caption="A point is a pair of layers: how well the decoder layer's units are matched by "
                "the other's, mean over units. If skips make units alike, the mirrored layer's point is "
                "the highest.",
            )
        ],
        tables=[
            ReportTable(
                table="pairs.parquet",
                columns=["layer", "other", "kind", "iou", "chance", "excess"],
                most=60,
                caption="All pairs. Which units are alike stands on each unit's page.",
            )
        ],
    )


def _concepts(found: SkipFacts) -> ReportSection:
    said = [
        f"{'mirrored layers' if kind == MIRRORED else 'other pairs'} {value:.2f}"
        for kind, value in found.correlation.items()
    ]
    return ReportSection(
        title="Shared concepts",
        text=[f"Mean rank correlation: {', '.join(said)}."] if said else [],
        charts=[
            ReportChart(
                kind="points",
                table="concepts.parquet",
                x="layer",
                y="correlation",
                group="kind",
                hover=["other", "both", "one"],
                references=[Reference(axis="y", value=0, name="nothing shared")],
                label="Do two layers agree with the same concepts? By pair of layers",
                caption="High: the concepts that one layer's units agree with best are those that the "
                "other's do. Intervals over concepts are wide where there are few.",
            )
        ],
        tables=[
            ReportTable(
                table="concepts.parquet",
                columns=["layer", "other", "correlation", "both", "one"],
                where={"kind": "mirrored"},
                caption="Mirrored layers. A concept has a unit where one is interpretable (IoU at least "
                "0.05) and above its null.",
            )
        ],
    )


def _ways(found: SkipFacts) -> ReportSection:
    rows = ["nothing silent"]
    rows += [f"{layer}: {WAYS[way]}" for layer, _ in found.mirrors for way in ("skip", "deeper")]
    picture = ReportPicture(
        file="ways.webp",
        rows=[*rows, "what was asked for"],
        samples=found.shown,
        caption="The first samples, with nothing silent, then with each layer silent on one of its two "
        "ways; last the input that they were drawn from.",
    )
    if found.suffer_from_skip is None:
        return ReportSection(
            title="Through the skip, or deeper?",
            text=["Not measured: it is not known what the inputs ask for, pixel by pixel."],
            pictures=[picture],
        )
    return ReportSection(
        title="Through the skip, or deeper?",
        text=[_ways_answer(found)],
        charts=[
            ReportChart(
                kind="bars",
                table="ways.parquet",
                x="layer",
                y="kept_lines",
                group="silent",
                hover=["mirror"],
                x_title="layer that is silent",
                references=[Reference(axis="y", value=1, name="nothing silent")],
                label="Outlines left when a layer is silent in its skip, for what lies deeper, or in both",
                caption="Where only the bar of the skip is low, what the layer knows reaches the picture "
                "by the skip; where only that of deeper layers is, by the bottleneck.",
            )
        ],
        tables=[
            ReportTable(
                table="ways.parquet",
                columns=["layer", "mirror", "silent", "kept_lines", "kept_agreement", "change"],
                most=40,
                caption="Agreement: mean IoU with what was asked for.",
            )
        ],
        pictures=[picture],
    )
