"""What the study of noise measured, with intervals, and as tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from unit59.foundation.arrays import Numbers
from unit59.stats.first import is_found
from unit59.stats.intervals import Mean, benjamini_hochberg, bootstrapped, mean_interval
from unit59.studies.facts import Estimate
from unit59.studies.noise.cases import (
    HALF,
    ORDERS,
    REMOVED,
    Case,
    MapsFacts,
    NoiseFacts,
    Reason,
    Removed,
    state_name,
)
from unit59.studies.noise.tables import SCHEMAS, MechanismRow, NoiseChangeRow, NoiseLayerRow, NoiseMeanRow

#: A part explains most of the extra variance where its share lies above this.
HALF_OF_IT = 0.5


@dataclass(frozen=True)
class NoiseNumbers:
    """What was measured of the noise.

    Attributes:
        cases: by layer, C of them; all layers have the same, but for the numbers of units.
        values: by layer [n,C,3]: see `unit59.studies.noise.draws.Spread`.
        units: by layer.
        draws: of the noise, for each sample.
        seed: of the bootstrap.
    """

    cases: Mapping[str, Sequence[Case]]
    values: Mapping[str, Numbers]
    units: Mapping[str, int]
    draws: int
    seed: int

    @property
    def layers(self) -> list[str]:
        """In forward order."""
        return list(self.values)

    @property
    def samples(self) -> int:
        """How many."""
        return len(self.values[self.layers[0]])

    @cached_property
    def shares(self) -> list[float]:
        """Of units off, from none to all."""
        return sorted({case.share for case in self.cases[self.layers[0]]})

    @cached_property
    def removed(self) -> list[Removed]:
        """What was taken away from the network, nothing first."""
        return list(dict.fromkeys(case.removed for case in self.cases[self.layers[0]]))

    # ---- by sample

    def variance(
        self, layer: str, share: float, removed: Removed = "nothing", order: str = "random"
    ) -> Numbers:
        """Over draws, in squared levels, [n]."""
        return self._column(0, layer, share, removed, order)

    def variation(
        self, share: float, layer: str | None = None, removed: Removed = "nothing", order: str = "random"
    ) -> Numbers:
        """Deviation over draws, root mean square over pixels, [n]; by default the layers' mean."""
        layers = self.layers if layer is None else [layer]
        each = np.stack([np.sqrt(self.variance(name, share, removed, order)) for name in layers])
        mean: Numbers = each.mean(axis=0)
        return mean

    def change(self, share: float, layer: str, *, anew: bool) -> Numbers:
        """Root mean square of what the units change, with the same noise or with noise drawn anew, [n]."""
        return np.sqrt(self._column(2 if anew else 1, layer, share, "nothing", "random"))

    def _column(self, which: int, layer: str, share: float, removed: Removed, order: str) -> Numbers:
        rows = [(case.removed, case.order, case.share) for case in self.cases[layer]]
        return self.values[layer][:, rows.index((removed, order, share)), which]

    # ---- over samples

    def growth(self, share: float, layer: str | None = None, removed: Removed = "nothing") -> Mean:
        """How much more the picture varies than with no unit off, in levels; by default the layers' mean."""
        return mean_interval(self.variation(share, layer, removed) - self.variation(0.0, layer, removed))

    @cached_property
    def grows_from(self) -> float | None:
        """The smallest share, from half on, with which variation grows on average over layers."""
        return next((s for s in self.shares if s >= HALF and _positive(self.growth(s))), None)

    @cached_property
    def noisier(self) -> dict[float, list[str]]:
        """By share the layers in which variation grows, tests of all layers and shares together."""
        tests = [(share, layer) for share in self.shares if share for layer in self.layers]
        means = [self.growth(share, layer) for share, layer in tests]
        q = benjamini_hochberg(np.array([float(mean.p) for mean in means]))
        found: dict[float, list[str]] = {share: [] for share in self.shares}
        for (share, layer), mean, each in zip(tests, means, q, strict=True):
            if is_found(float(each)) and mean.value > 0:
                found[share].append(layer)
        return found

    @property
    def noisiest(self) -> str:
        """The layer in which half of the units let variation grow most."""
        return max(self.layers, key=lambda layer: float(self.growth(HALF, layer).value))

    @property
    def telling(self) -> float | None:
        """The smallest share from half on with which half of the layers grow noisier, else that with most."""
        shares = [share for share in self.shares if self.noisier[share]]
        many = [s for s in shares if s >= HALF and 2 * len(self.noisier[s]) >= len(self.layers)]
        return next(iter(many), max(shares, key=lambda s: len(self.noisier[s]), default=None))

    def explained(self, share: float, removed: Removed, layers: Sequence[str]) -> Estimate:
        """1 - (extra variance without what is removed) / (extra variance as it is), over all these layers.

        The share of the extra variance that goes with what is removed.
        """

        def extra(what: Removed) -> Numbers:
            more = [self.variance(each, share, what) - self.variance(each, 0.0, what) for each in layers]
            summed: Numbers = np.stack(more).sum(axis=0)
            return summed

        return Estimate.of(
            *bootstrapped(
                lambda whole, left: float(1 - left.mean() / whole.mean()),
                extra("nothing"),
                extra(removed),
                self.seed,
            )
        )

    @property
    def reason(self) -> Reason | None:
        """Which part of the network the extra variance goes with; None where there is none."""
        at = self.grows_from
        if at is None:
            return None
        part: Removed = "rescaling" if "rescaling" in self.removed else "noise behind"
        _, low, high = self.explained(at, part, self.layers).numbers
        return Reason(
            share=at,
            growth=estimate(self.growth(at)),
            part=part,
            without=estimate(self.growth(at, removed=part)),
            explains="most" if low > HALF_OF_IT else "little" if high < HALF_OF_IT else "open",
        )

    # ---- tables

    def tables(self) -> dict[str, pl.DataFrame]:
        """By file name."""
        rows = {
            "layers.parquet": self._layer_rows(),
            "mean.parquet": self._mean_rows(),
            "change.parquet": self._change_rows(),
            "mechanism.parquet": self._mechanism_rows(),
        }
        return {name: SCHEMAS[name].frame(each) for name, each in rows.items()}

    def _layer_rows(self) -> Iterator[NoiseLayerRow]:
        for layer in self.layers:
            for case in self.cases[layer]:
                here = self.variation(case.share, layer, case.removed, case.order)
                plain = self.variation(0.0, layer, case.removed, case.order)
                yield NoiseLayerRow(
                    layer=layer,
                    removed=REMOVED[case.removed],
                    order=ORDERS[case.order],
                    state=state_name(case.share),
                    share=case.share,
                    off=case.off,
                    **_interval("variation", mean_interval(here)),
                    **_interval("growth", mean_interval(here - plain)),
                )

    def _mean_rows(self) -> Iterator[NoiseMeanRow]:
        for removed in self.removed:
            for share in self.shares:
                variation = mean_interval(self.variation(share, removed=removed))
                growth = self.growth(share, removed=removed)
                yield NoiseMeanRow(
                    removed=REMOVED[removed],
                    share=share,
                    **_interval("variation", variation),
                    **_interval("growth", growth),
                )

    def _change_rows(self) -> Iterator[NoiseChangeRow]:
        for noise, anew in (("the same", False), ("drawn anew", True)):
            for share in self.shares:
                change = np.mean([self.change(share, layer, anew=anew) for layer in self.layers], axis=0)
                yield NoiseChangeRow(noise=noise, share=share, **_interval("change", mean_interval(change)))

    def _mechanism_rows(self) -> Iterator[MechanismRow]:
        """Only where variation grows: a share of nothing is no number."""
        for share, layers in self.noisier.items():
            for layer in layers:
                for removed in self.removed[1:]:
                    explained = self.explained(share, removed, [layer])
                    yield MechanismRow(layer, state_name(share), share, REMOVED[removed], *explained.numbers)


def facts_of(found: NoiseNumbers, maps: MapsFacts, family: str) -> NoiseFacts:
    """What the report says and no table has."""
    return NoiseFacts(
        family=family,
        layers=found.layers,
        samples=found.samples,
        draws=found.draws,
        removed=found.removed,
        before=float(found.variation(0.0).mean()),
        after=float(found.variation(HALF).mean()),
        growth=estimate(found.growth(HALF)),
        reason=found.reason,
        noisier_half=len(found.noisier[HALF]),
        noisier_all=len(found.noisier[1.0]),
        shown_share=found.telling,
        maps=maps,
    )


def estimate(mean: Mean) -> Estimate:
    """A mean over samples of one number."""
    return Estimate.of(float(mean.value), float(mean.low), float(mean.high))


def _positive(mean: Mean) -> bool:
    return bool(mean.low > 0)


def _interval(name: str, mean: Mean) -> dict[str, float]:
    return {name: float(mean.value), f"{name}_low": float(mean.low), f"{name}_high": float(mean.high)}
