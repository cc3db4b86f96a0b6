"""How the maps of one laboratory differ from those of another.

A decoder trained on simulated maps meets real ones of another sign, amplitude, smoothness and
field of view. With variety, every simulated participant is a laboratory of its own, and every
task is analysed in its own way; without it, all are alike, as in one well-run study.
"""

from dataclasses import dataclass

import numpy as np

# At full variety: probabilities, mean and largest probability per region, largest extra factor.
MIRRORED = 0.25
FLIPPED = 0.1
DEACTIVATED = 0.1
DROPPED = 0.4
UNSPECIFIC = 2.0
LOG_CONTRAST_SD = 0.5
LOG_SMOOTHNESS = (-0.6, 0.6)
BROAD_SHARE = 0.35
# Probability of a cut, and its largest depth in mm.
CUT_BELOW = (0.4, 40.0)
CUT_ABOVE = (0.3, 16.0)
# Mean maps of a group: probability, factors on the noise, factor on the width of activations.
GROUP = 0.35
GROUP_NOISE = (0.1, 0.5)
GROUP_EXTENT = 1.5
# Exponent of the noise (above 1: heavy tails), log SD of its spread, SD of slow drifts.
TAILS = (0.8, 1.6)
UNEVEN = 0.5
SLOW = 0.8
# Where the signal is lost near air: centre (mm), probability, smallest and largest radius.
LOSSES = (
    ((0.0, 36.0, -22.0), 0.3, (10.0, 26.0)),
    ((48.0, -24.0, -28.0), 0.2, (8.0, 20.0)),
    ((-48.0, -24.0, -28.0), 0.2, (8.0, 20.0)),
)
MARGIN = (0.4, 8.0)
MISPLACED_SD = 3.0
SIZE_SD = 0.04


@dataclass(frozen=True, slots=True, kw_only=True)
class Acquisition:
    """What all maps of one participant have in common.

    Parameters
    ----------
    contrast
        Factor on the height of activations: some laboratories measure longer than others.
    noise
        Factor on the noise: mean maps of a group have little of it.
    smoothness
        Factor on the width of the noise's kernels and of the activations.
    extent
        Further factor on the width of activations.
    broad_share
        Added to the share of broad noise: the noise spectrum.
    tails
        Exponent that bends the noise; above 1 its tails are heavy.
    uneven
        SD of the logarithm of the noise's local SD.
    slow
        SD of drifts across the whole brain, relative to the noise.
    cut_below, cut_above
        Millimetres that the field of view lacks at the bottom and the top of the mask.
    margin
        Millimetres that it lacks at the rim of the mask.
    losses
        Balls without signal: centre and radius in mm.
    displacement, size
        How the brain lies in the template: moved, in mm, and enlarged.
    """

    contrast: float = 1.0
    noise: float = 1.0
    smoothness: float = 1.0
    extent: float = 1.0
    broad_share: float = 0.0
    tails: float = 1.0
    uneven: float = 0.0
    slow: float = 0.0
    cut_below: float = 0.0
    cut_above: float = 0.0
    margin: float = 0.0
    losses: tuple[tuple[tuple[float, float, float], float], ...] = ()
    displacement: tuple[float, float, float] = (0.0, 0.0, 0.0)
    size: float = 1.0

    def place(self, centre: tuple[float, float, float]) -> tuple[float, float, float]:
        """Return where a place of the template lies in this laboratory's maps."""
        x, y, z = (self.size * c + d for c, d in zip(centre, self.displacement, strict=True))
        return x, y, z


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """How one participant's activation for one task departs from the usual.

    Parameters
    ----------
    sign
        -1 where the contrast was computed the other way round.
    mirrored
        Whether class-specific and shared regions lie in the other hemisphere.
    dropout, deactivation
        Probabilities that a region is missing (beyond the study's own dropout), or negative.
    unspecific
        Factor on the fluctuation of the common networks.
    """

    sign: float = 1.0
    mirrored: bool = False
    dropout: float = 0.0
    deactivation: float = 0.0
    unspecific: float = 1.0


def make_acquisition(rng: np.random.Generator, *, variety: float) -> Acquisition:
    """Draw a laboratory; `variety` from 0 (all alike) to 1 scales every departure."""
    normal = rng.standard_normal()
    smoothness, broad, below, above, tails, uneven, slow, margin = rng.uniform(size=8)
    odds = rng.uniform(size=4) < variety * np.array([CUT_BELOW[0], CUT_ABOVE[0], GROUP, MARGIN[0]])
    noise, extent = rng.uniform(*GROUP_NOISE), rng.uniform(1, GROUP_EXTENT)
    moved = variety * MISPLACED_SD * rng.standard_normal(3)
    low, high = LOG_SMOOTHNESS
    return Acquisition(
        contrast=float(np.exp(variety * LOG_CONTRAST_SD * normal)),
        noise=float(noise if odds[2] else 1.0),
        smoothness=float(np.exp(variety * (low + (high - low) * smoothness))),
        extent=float(extent if odds[2] else 1.0),
        broad_share=float(variety * BROAD_SHARE * (2 * broad - 1)),
        tails=float(1 + variety * (TAILS[0] - 1 + (TAILS[1] - TAILS[0]) * tails)),
        uneven=float(variety * UNEVEN * uneven),
        slow=float(variety * SLOW * slow),
        cut_below=float(variety * CUT_BELOW[1] * below * odds[0]),
        cut_above=float(variety * CUT_ABOVE[1] * above * odds[1]),
        margin=float(variety * MARGIN[1] * margin * odds[3]),
        losses=_losses(rng, variety),
        displacement=(float(moved[0]), float(moved[1]), float(moved[2])),
        size=float(np.exp(variety * SIZE_SD * rng.standard_normal())),
    )


def _losses(
    rng: np.random.Generator, variety: float
) -> tuple[tuple[tuple[float, float, float], float], ...]:
    draws = rng.uniform(size=(len(LOSSES), 2))
    return tuple(
        (centre, float(low + (high - low) * size))
        for (centre, share, (low, high)), (odds, size) in zip(LOSSES, draws, strict=True)
        if odds < variety * share
    )


def make_expression(rng: np.random.Generator, *, variety: float) -> Expression:
    """Draw how one task of one participant is analysed; `variety` as in `make_acquisition`."""
    flipped, mirrored, dropout, deactivation, unspecific = rng.uniform(size=5)
    return Expression(
        sign=-1.0 if flipped < variety * FLIPPED else 1.0,
        mirrored=bool(mirrored < variety * MIRRORED),
        dropout=float(variety * DROPPED * dropout),
        deactivation=float(variety * DEACTIVATED * 2 * deactivation),
        unspecific=float(1 + variety * UNSPECIFIC * unspecific),
    )
