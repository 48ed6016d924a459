"""What the study of artifacts says. Never imports torch."""

from __future__ import annotations

from unit59.results.report import (
    Measured,
    Reference,
    ReportChart,
    ReportPicture,
    ReportSection,
    ReportTable,
    UnitRef,
)
from unit59.studies.artifacts.facts import ArtifactFacts, Judged
from unit59.studies.tables import Report, Tables
from unit59.studies.words import interval, percent, range_of

#: Cards of chosen units that the page shows.
CARDS = 12


def tell(tables: Tables) -> Report:
    """See `unit59.studies.base.Study.tell`."""
    found = ArtifactFacts.model_validate(tables.facts)
    sections = [_marks(found), _steps(found), *_judged(found)]
    return Report(
        question="Which units draw what is wrong, and does switching them off repair it?",
        answer=_answer(found),
        number=_number(found),
        method=_method(found),
        sections=[section for section in sections if section],
        limits=_limits(found),
    )


def _answer(found: ArtifactFacts) -> str:
    if found.units is None:
        return (
            f"There is too little to look for: {found.with_bad} of {found.samples} samples have bad regions, "
            f"{percent(found.share, 2)} of all pixels."
        )
    if found.judged is None:
        return "None: no unit's activity marks the bad regions more than chance does (of "
        f"{found.units})."
    judged = found.judged
    score, units = judged.score, _units(judged)
    if found.source != "labels":
        said = "changes" if judged.beyond_random else "does not change"
        return (
            f"Switching off {units} {said} the bad regions more than the rest and more than random sets "
            f"do: by {range_of(*judged.inside)} levels of 255 against "
            f"{range_of(*judged.outside)}. Whether that repairs them is for the eye to say."
        )
    low, middle, high = map(percent, (judged.random_low, judged.random_middle, judged.random_high))
    beside = f"random sets of the same size {middle} (most from {low} to {high})"
    if judged.beyond_random:
        return f"Switching off {units} takes away {interval(*score)} of the bad area, {beside}."
    if judged.repairs:
        return (
            f"Switching off {units} takes away {interval(*score)} of the bad area, but so do some "
            f"random sets: {beside}. So nothing says that it is these units that draw what is wrong."
        )
    return (
        f"{found.beyond} of {found.units} units mark the bad regions more than chance does, but switching "
        f"them off does not repair: the best choice, {units}, takes away {interval(*score)} of the bad "
        f"area, {beside}."
    )


def _units(judged: Judged) -> str:
    if len(judged.units) == 1:
        return f"unit {judged.units[0]} of {judged.layer}"
    return f"{len(judged.units)} units of {judged.layer}"


def _number(found: ArtifactFacts) -> Measured | None:
    if found.judged is None:
        return None
    labels = found.source == "labels"
    return Measured(
        words="of the bad area is gone with the chosen units off"
        if labels
        else "levels of 255 more change in the bad regions than outside",
        **found.judged.score._asdict(),
        form="percent" if labels else "number",
    )


def _method(found: ArtifactFacts) -> list[str]:
    source = {
        "labels": "A pixel is bad where the segmented picture shows something else than was asked for.",
        "masks": "The bad regions were marked by hand: a mask for each bad sample.",
        "pictures": "The bad samples were named by hand; all of such a picture counts as bad.",
    }[found.source]
    judge = {
        "labels": "what share of the bad area is gone, less what is newly bad",
        "masks": "how much more the picture changes in the bad regions than outside",
        "pictures": "how much more bad pictures change than others",
    }[found.source]
    return [
        f"{source} {found.with_bad} of the first {found.samples} samples have such regions, "
        f"{percent(found.share, 1)} of all pixels. The samples were cut in two halves, with as many bad "
        "ones in each.",
        f"First half ({found.half} samples): every unit's mask (its strongest activity) was held against "
        "the bad regions (IoU), and against those of other samples (the null: cyclic shifts of the sample "
        "order). Units above the null's 99 % bound mark bad regions; one in a hundred passes by chance. Of "
        "each layer the best of them were switched off together (set to zero): 1, 2, 4, … up to "
        f"{found.most}. The layer and number that did best was chosen; what counts is {judge}.",
        "Second half: the chosen units were switched off on samples that had no part in the choice, and so "
        "were random sets of as many units of the same layer. Intervals are 95 %, from a bootstrap over "
        "samples.",
    ]


def _limits(found: ArtifactFacts) -> list[str]:
    limits = [
        "Units are switched off everywhere, and only units of one layer together.",
        "A unit that draws the artifact without being strongest there is not found.",
    ]
    if found.source == "labels":
        limits.append(
            "What is bad is what the segmenter says: where it misreads a good picture, the picture counts "
            "as bad."
        )
    else:
        limits.append("No measure here tells whether a changed region is repaired: look at the pictures.")
    return limits


def _marks(found: ArtifactFacts) -> ReportSection | None:
    if found.units is None:
        return None
    beyond, units, judged = found.beyond, found.units, found.judged
    return ReportSection(
        title="Which units mark bad regions?",
        text=[
            f"{beyond} of {units} units pass the null's 99 % bound; by chance about {units / 100:.0f} would."
        ],
        charts=[
            ReportChart(
                kind="points",
                table="units.parquet",
                x="null_99",
                y="iou",
                group="layer",
                hover=["unit", "iou_low", "iou_high", "bad_share"],
                interval=False,
                label="Every unit's IoU with the bad regions against its null bound",
                caption="A point is a unit. Those higher up than they are to the right mark bad regions "
                "more than chance does.",
            )
        ],
        tables=[
            ReportTable(
                table="units.parquet",
                columns=["layer", "unit", "iou", "null_99", "bad_share"],
                caption="Units above their bound, those that agree best with the bad regions first. Of all "
                f"pixels, {percent(found.share, 1)} are bad.",
            )
        ],
        units=[UnitRef(layer=judged.layer, unit=unit, note="switched off") for unit in judged.units[:CARDS]]
        if judged
        else [],
    )


def _steps(found: ArtifactFacts) -> ReportSection | None:
    if found.judged is None:
        return None
    labels = found.source == "labels"
    return ReportSection(
        title="How many to switch off?",
        text=[f"Chosen on the first half: {_units(found.judged)}."],
        charts=[
            ReportChart(
                kind="lines",
                table="steps.parquet",
                x="off",
                y="score",
                group="layer",
                x_log=True,
                y_title="bad area gone (%)" if labels else "more change in bad regions (levels of 255)",
                y_percent=labels,
                references=[Reference(axis="y", value=0, name="nothing repaired" if labels else "no more")],
                label="What switching off the first units of each layer does on the first half",
                caption="Above zero: less is bad than before. Below: switching off spoils more than it "
                "repairs."
                if labels
                else "Above zero: bad regions change more than the rest of the pictures.",
            )
        ],
    )


def _judged(found: ArtifactFacts) -> list[ReportSection]:
    judged = found.judged
    if judged is None:
        return []
    labels = found.source == "labels"
    text = [
        f"On {judged.with_bad} new samples with bad regions and {judged.without} without: the picture "
        f"changes by {range_of(*judged.inside)} levels of 255 in the bad regions and by "
        f"{range_of(*judged.outside)} elsewhere."
    ]
    if judged.spoiled is not None:
        text.append(f"Of what was good, {interval(*judged.spoiled, digits=1)} is bad now.")
    return [
        ReportSection(
            title="What it repairs, and what it costs",
            text=text,
            charts=[_against_cost(labels)],
            tables=[_concept_table()],
        ),
        _pictures(judged),
    ]


def _against_cost(labels: bool) -> ReportChart:
    return ReportChart(
        kind="points",
        table="sets.parquet",
        x="outside",
        y="gone" if labels else "inside",
        group="kind",
        hover=["set", "spoiled"] if labels else ["set"],
        references=[Reference(axis="y", value=0, name="nothing repaired")] if labels else [],
        label="Chosen units and random sets of the same size: what they do to bad regions, and elsewhere",
        caption="A point is a set of units, all of one size, on new samples. A good choice stands above "
        "the random sets, and not far to the right of them.",
    )


def _concept_table() -> ReportTable:
    return ReportTable(
        table="concepts.parquet",
        columns=["concept", "before", "change", "random_low", "random_high"],
        most=40,
        caption="What becomes of every concept's area (share of all pixels), beside the middle 95 % of the "
        "random sets.",
    )


def _pictures(judged: Judged) -> ReportSection:
    rule = f"The {len(judged.worst)} samples of the second half with the largest bad regions, largest first"
    rows = ["before", f"{_units(judged)} off"]
    below = []
    if judged.bad_after is not None:
        shares = zip(judged.bad_before, judged.bad_after, strict=True)
        below = [[f"{before:.0%} bad → {after:.0%}" for before, after in shares]]
    return ReportSection(
        title="What it looks like",
        text=["None of these pictures was picked by how well it came out."],
        pictures=[
            ReportPicture(
                file="plain.webp", rows=rows, samples=judged.worst, below=below, caption=f"{rule}."
            ),
            ReportPicture(
                file="outlined.webp",
                rows=rows,
                samples=judged.worst,
                below=below,
                caption=f"{rule}; outlined what was bad before.",
            ),
        ],
    )
