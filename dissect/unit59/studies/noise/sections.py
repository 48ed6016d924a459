"""The sections of the study of noise: charts, tables, pictures."""

from __future__ import annotations

from unit59.results.report import Reference, ReportChart, ReportPicture, ReportSection, ReportTable
from unit59.studies.noise.cases import HALF, ORDERS, REMOVED, WHITE, MapsFacts, NoiseFacts, state_name


def layers_of(facts: NoiseFacts) -> str:
    """How many there are, in words."""
    return f"{len(facts.layers)} layers" if len(facts.layers) > 1 else "one layer"


def growing_section(facts: NoiseFacts) -> ReportSection:
    """Variation by layer and share of units off."""
    return ReportSection(
        title="Variation against units off",
        text=[
            f"With half of the units off, {facts.noisier_half} of {layers_of(facts)} are noisier; "
            f"with all off, {facts.noisier_all}."
        ],
        charts=[
            ReportChart(
                kind="lines",
                table="layers.parquet",
                x="share",
                y="variation",
                group="layer",
                where={"removed": REMOVED["nothing"], "order": ORDERS["random"]},
                label="Variation over noise draws against the share of units off, a line for each layer",
                caption="A line for each layer, units off at random; bands are 95 % intervals over samples. "
                "A rising line means a noisier picture.",
            )
        ],
    )


def which_section() -> ReportSection:
    """Whether it matters which units are off."""
    return ReportSection(
        title="Which units",
        charts=[
            ReportChart(
                kind="bars",
                table="layers.parquet",
                x="layer",
                y="growth",
                group="order",
                where={"removed": REMOVED["nothing"], "state": state_name(HALF)},
                references=[Reference(axis="y", value=0, name="no change")],
                label="Growth of variation with half of the units off, by layer and order of the units",
                caption="Half of the units off, in three orders. Where the bars of a layer differ by more "
                "than their intervals, it matters which units are silent, not only how many.",
            )
        ],
    )


def mechanism_section() -> ReportSection:
    """Variation with parts of the network taken away."""
    return ReportSection(
        title="Which mechanism",
        charts=[
            ReportChart(
                kind="lines",
                table="mean.parquet",
                x="share",
                y="variation",
                group="removed",
                label="Variation against the share of units off, with parts of the network removed",
                caption="Mean over layers, units off at random. If a part makes the noise grow, the line "
                f"without it stays flat where “{REMOVED['nothing']}” rises.",
            )
        ],
    )


def by_layer_section(share: float) -> ReportSection:
    """The share of the extra variance that goes with each part, with this share of units off."""
    state = state_name(share)
    return ReportSection(
        title="Which mechanism, layer by layer",
        text=[
            "Only layers and shares with which the picture grows noisier: a share of nothing is no number."
        ],
        charts=[
            ReportChart(
                kind="bars",
                table="mechanism.parquet",
                x="layer",
                y="explained",
                group="removed",
                where={"state": state},
                references=[Reference(axis="y", value=1, name="all of it")],
                label=f"Share of the extra variance that is gone without a part, units off: {state}",
                caption=f"Units off: {state}. A bar at 100 % means that without the part the noise does not "
                "grow at all; at 0 %, that the part has nothing to do with it.",
            )
        ],
        tables=[
            ReportTable(
                table="mechanism.parquet",
                columns=["layer", "state", "removed", "explained"],
                caption="With 95 % intervals.",
            )
        ],
    )


def change_section() -> ReportSection:
    """What noise drawn anew adds to a change."""
    return ReportSection(
        title="The same noise, or noise drawn anew",
        text=[
            "Effects on these pages compare pictures with the same noise before and after. Here is how much "
            "of a change would be noise if it were drawn anew."
        ],
        charts=[
            ReportChart(
                kind="lines",
                table="change.parquet",
                x="share",
                y="change",
                group="noise",
                label="Change of the picture with the same noise and with noise drawn anew",
                caption="Root mean square change of the picture, mean over layers, units off at random. "
                "The line for the same noise is what the units do; the gap between the lines is noise. "
                "With no unit off, all change is noise.",
            )
        ],
    )


def pictures_section(maps: MapsFacts) -> ReportSection:
    """Pictures and noise maps of one layer."""
    rows = ["no unit off", *(f"{off} off" for off in maps.off[1:])]
    means = [[f"{each:.1f}" for each in row] for row in maps.spread]
    return ReportSection(
        title=f"Pictures and noise maps of {maps.layer}",
        text=["The layer in which variation grows most with half of the units off; units off at random."],
        pictures=[
            ReportPicture(
                file="pictures.webp",
                rows=rows,
                samples=maps.samples,
                caption="One noise draw, the same in all rows.",
            ),
            ReportPicture(
                file="maps.webp",
                rows=rows,
                samples=maps.samples,
                below=means[1:],
                caption=f"Standard deviation over {maps.draws} noise draws at each pixel: black is 0, white "
                f"is {WHITE:.0f} levels or more, in all maps alike. Below each: its root mean square, in "
                f"levels; with no unit off these are {', '.join(means[0])}.",
            ),
        ],
    )
