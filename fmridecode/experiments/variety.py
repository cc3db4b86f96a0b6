"""How the maps of one laboratory differ from those of another.

A decoder trained on simulated maps meets real ones of another sign, amplitude, smoothness and
field of view. With variety, every simulated participant is a laboratory of its own, and every
task is analysed in its own way; without it, all are alike, as in one well-run study.
"""

from dataclasses import dataclass

import numpy as np

# At full variety: probabilities, mean and largest probability per region, largest extra factor.
MIRRORED = 0.25
FLIPPED = 0.15
DEACTIVATED = 0.15
DROPPED = 0.4
UNSPECIFIC = 2.0
LOG_CONTRAST_SD = 0.5
LOG_SMOOTHNESS = (-0.5, 0.4)
BROAD_SHARE = 0.35
# Probability of a cut, and its largest depth in mm.
CUT_BELOW = (0.5, 40.0)
CUT_ABOVE = (0.3, 16.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Acquisition:
    """What all maps of one participant have in common.

    Parameters
    ----------
    contrast
        Factor on the height of activations: some laboratories measure longer than others.
    smoothness
        Factor on the width of the noise's kernels and of the activations.
    broad_share
        Added to the share of broad noise: the noise spectrum.
    cut_below, cut_above
        Millimetres that the field of view lacks at the bottom and the top of the mask.
    """

    contrast: float = 1.0
    smoothness: float = 1.0
    broad_share: float = 0.0
    cut_below: float = 0.0
    cut_above: float = 0.0


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
    smoothness, broad, below, above = rng.uniform(size=4)
    has_cut_below, has_cut_above = rng.uniform(size=2) < variety * np.array(
        [CUT_BELOW[0], CUT_ABOVE[0]]
    )
    low, high = LOG_SMOOTHNESS
    return Acquisition(
        contrast=float(np.exp(variety * LOG_CONTRAST_SD * normal)),
        smoothness=float(np.exp(variety * (low + (high - low) * smoothness))),
        broad_share=float(variety * BROAD_SHARE * (2 * broad - 1)),
        cut_below=float(variety * CUT_BELOW[1] * below * has_cut_below),
        cut_above=float(variety * CUT_ABOVE[1] * above * has_cut_above),
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
