"""What the study of outlines says. Never imports torch."""

from __future__ import annotations

from unit59.results.report import Measured, Reference, ReportChart, ReportPicture, ReportSection, ReportTable
from unit59.studies.outlines.facts import GONE, STAY, Half, Level, OutlineFacts
from unit59.studies.tables import Report, Tables
from unit59.studies.words import interval, listed, percent


def tell(tables: Tables) -> Report:
    """See `unit59.studies.base.Study.tell`."""
    found = OutlineFacts.model_validate(tables.facts)
    halves = list(dict.fromkeys(found.halves.values()))
    return Report(
        question="Do the outlines stay when units go silent?",
        answer=_answer(found),
        number=_number(found),
        method=_method(found),
        sections=[
            _whole(found, halves),
            *(_growing(half) for half in halves),
            _concepts(halves),
            _pictures(found, halves),
        ],
        limits=[
            "The segmenter reads the outlines off: what it cannot see counts as gone, and what it guesses "
            "from the surroundings counts as there.",
            "A silent layer does not cut the network in two: skip connections lead past every layer but the "
            "first and the last convolution.",
            "A convolution's output is set, before its norm: what follows may never have seen such a value "
            "in training.",
        ],
    )


def _answer(found: OutlineFacts) -> str:
    parts = []
    if found.half_off is not None:
        parts.append(
            f"With half of one layer's units off, {interval(*found.half_off)} of the outlines are left, on "
            "average over layers."
        )
    if found.stay:
        parts.append(f"They stay when all units of {listed(found.stay, 'or')} are off.")
    else:
        parts.append("They stay with no layer off whole.")
    if found.gone:
        parts.append(f"They are gone without {listed(found.gone, 'or')}.")
    return " ".join(parts)


def _number(found: OutlineFacts) -> Measured:
    number, words = found.lines, "of the outlines asked for are drawn with nothing off (F-score)"
    if found.half_off is not None:
        number, words = found.half_off, "of the outlines are left with half of one layer's units off"
    return Measured(words=words, form="percent", **number._asdict())


def _method(found: OutlineFacts) -> list[str]:
    return [
        f"{len(found.samples)} samples (the first ones) were drawn with some units of one layer set to "
        f"{_said(found.level)}: 1, 2, 4, … up to all of them. Units went off in two orders: at random, in an "
        "order of its own for each sample, and the units first whose mask agrees best with some concept.",
        "Each picture was segmented again and held against what its input asked for, pixel by pixel. Two "
        "measures: the mean IoU over the concepts that were asked for, and the outlines. An outline pixel "
        "is one whose right or lower neighbour has another label; it is found when the other map has one "
        "at most 1 pixel away. The F-score is the harmonic mean of the share of the asked-for outline that "
        "is drawn and the share of the drawn outline that was asked for.",
        f"With nothing off the F-score is {interval(*found.lines)} and the mean IoU "
        f"{interval(*found.agreement)}. Against what another sample was asked for, the F-score is "
        f"{percent(found.chance)}: that much is there by chance. “Outlines left” counts "
        f"from there (0 %) to nothing off (100 %). They stay when the interval lies above {percent(STAY)}, "
        f"and are gone when it lies below {percent(GONE)}. Intervals are 95 %, from a bootstrap over "
        "samples.",
    ]


def _said(level: Level) -> str:
    return {"zero": "zero", "mean": "each unit's mean"}[level]


def _whole(found: OutlineFacts, halves: list[Half]) -> ReportSection:
    text = []
    for half in halves:
        names = _layers(found, half)
        stay, gone = ([name for name in some if name in names] for some in (found.stay, found.gone))
        text.append(
            f"{half.capitalize()} ({names[0]} to {names[-1]}): the outlines stay without "
            f"{listed(stay, 'or') if stay else 'none of the layers'}"
            + (f", and are gone without {listed(gone, 'or')}." if gone else ".")
        )
    return ReportSection(
        title="Which layers can go whole?",
        text=text,
        charts=[
            ReportChart(
                kind="points",
                table="layers.parquet",
                x="layer",
                y="kept_lines",
                group="half",
                hover=["units"],
                x_title="layer, all of its units off",
                references=[
                    Reference(axis="y", value=1, name="nothing off"),
                    Reference(axis="y", value=0, name="chance"),
                ],
                label="Outlines left with each layer off whole",
                caption="Layers near the upper line can go without the outlines going; near the lower line "
                "nothing of them is left. Below it: less agreement than with another sample.",
            )
        ],
        tables=[
            ReportTable(
                table="layers.parquet",
                columns=["layer", "half", "units", "kept_lines", "kept_agreement", "change", "outcome"],
                most=40,
                caption="Each layer off whole. Agreement left: the same for the mean IoU.",
            )
        ],
    )


def _layers(found: OutlineFacts, half: Half) -> list[str]:
    return [name for name, its in found.halves.items() if its == half]


def _growing(half: Half) -> ReportSection:
    def chart(y: str, order: str, what: str, caption: str) -> ReportChart:
        said = {"random": "at random", "agreement": "best agreement first"}[order]
        return ReportChart(
            kind="lines",
            table="curves.parquet",
            x="share",
            y=y,
            group="layer",
            hover=["off"],
            where={"half": half, "order": order},
            x_title=f"units of the layer off, {said} (%)",
            references=[Reference(axis="y", value=0, name="chance")] if y == "kept_lines" else [],
            label=f"{what}, against the share of units off ({said}), by layer of the {half}",
            caption=caption,
        )

    return ReportSection(
        title=f"More and more units off: {half}",
        charts=[
            chart(
                "kept_lines",
                "random",
                "Outlines left",
                "A line that falls late: the layer's units stand in for each other. One that ends high: "
                "the outlines take another way.",
            ),
            chart(
                "kept_lines",
                "agreement",
                "Outlines left",
                "The same with the units first whose masks agree best with a concept. Lines that fall "
                "earlier than above: these units matter more than others.",
            ),
            chart(
                "agreement",
                "random",
                "Agreement with the input",
                "What the pictures show of what was asked for, concept by concept, falls with the outlines "
                "or before them.",
            ),
        ],
    )


def _concepts(halves: list[Half]) -> ReportSection:
    return ReportSection(
        title="Concept by concept",
        charts=[
            ReportChart(
                kind="points",
                table="concepts.parquet",
                x="concept",
                y="iou",
                group="off",
                where={"half": half},
                label=f"IoU of each concept with nothing off and with each layer of the {half} off whole",
                caption="Large things keep their place longer than small ones where a layer's points lie "
                "close to “nothing off” on one side only.",
            )
            for half in halves
        ],
    )


def _pictures(found: OutlineFacts, halves: list[Half]) -> ReportSection:
    return ReportSection(
        title="What it looks like",
        pictures=[
            ReportPicture(
                file=f"{half}.webp",
                rows=[
                    "nothing off",
                    *(f"{layer} off" for layer in _layers(found, half)),
                    "what was asked for",
                ],
                samples=found.shown,
                caption=f"The first {len(found.shown)} samples, with nothing off and with each "
                f"layer of the {half} off whole (set to {_said(found.level)}); last the input that they were "
                "drawn from.",
            )
            for half in halves
        ],
    )
