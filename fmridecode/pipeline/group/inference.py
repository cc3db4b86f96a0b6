"""Whether the saliency of a voxel has the same sign over participants: t, and corrected p."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from fmridecode.core.settings import EvaluationConfig
from fmridecode.pipeline.group.stack import Stack

ALPHA = 0.05
FORMING = 0.001
"""Two-sided p of a voxel, uncorrected, from which on it belongs to a cluster."""

FEWEST = 6
"""Participants from which on 2^(n-1) distinct changes of sign allow a two-sided p below 0.05."""

CLUSTER_MAPS = {"logpMaxSize": "logp_max_size", "logpMaxMass": "logp_max_mass"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependence:
    """How much the maps are the decoders' rather than the participants'.

    The gradient of a decoder that is almost linear hardly depends on the map that is decoded, so
    all participants whom it explains have almost the same map, and a test that takes them for
    independent is far too sure.

    Parameters
    ----------
    n_decoders
        Decoders that made the maps.
    same, other
        Mean correlation of the maps of two participants by the same decoder, and by different
        ones; NaN where there are no such two.
    """

    n_decoders: int
    same: float
    other: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Inference:
    """A one-sample test in every voxel, two-sided.

    Parameters
    ----------
    t
        On the grid, 0 where nobody has a value or all have the same.
    corrected
        ``-log10 p`` on the grid, corrected for the family of all voxels by the maximum over
        permutations: ``logpMaxT`` of the voxel, and where asked for ``logpMaxSize`` and
        ``logpMaxMass`` of its cluster.
    n_participants, n_voxels, n_permutations
        What it is over.
    dependence
        How far the participants can be taken for independent.
    """

    t: NDArray[np.float64]
    corrected: Mapping[str, NDArray[np.float64]]
    n_participants: int
    n_voxels: int
    n_permutations: int
    dependence: Dependence

    @property
    def survives(self) -> NDArray[np.bool_]:
        """Where the corrected p of the voxel is below `ALPHA`."""
        survives: NDArray[np.bool_] = self.corrected["logpMaxT"] > -np.log10(ALPHA)
        return survives


def why_untested(stack: Stack, config: EvaluationConfig, *, main: str) -> str:
    """Say why a group map is not tested; empty where it can be.

    Parameters
    ----------
    stack, config
        The map, and what is asked for.
    main
        The method that is tested where not all are.
    """
    if config.group_statistics == "off":
        return "not asked for (--group-statistics off)"
    if stack.is_copy:
        return "it is a copy on another grid; the map that was computed is tested"
    if not stack.is_of_interest:
        return "only maps of the true class are tested, on the grid of the decoder"
    if config.group_statistics == "quick" and stack.method != main:
        return f"only {main} is tested (--group-statistics full tests every method)"
    n = len(stack.participants)
    if n < FEWEST:
        return (
            f"{n} participants are too few: from {FEWEST} on, changes of sign can give a "
            f"two-sided p below {ALPHA}"
        )
    return ""


def infer(stack: Stack, config: EvaluationConfig, *, seed: int) -> Inference:
    """Test one group map by changing the signs of whole participants' maps.

    The same seed gives the same changes for every map, and the same result bit for bit.

    Parameters
    ----------
    stack
        At least `FEWEST` participants.
    config
        Says how many permutations, and whether clusters are tested.
    seed
        Of the changes of sign.
    """
    import nibabel as nib
    from nilearn.glm.second_level import non_parametric_inference

    covered, affine = stack.covered, stack.grid.matrix
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nilearn's own, about data types and its masker
        found = non_parametric_inference(
            [nib.Nifti1Image(each, affine) for each in stack.values],
            design_matrix=pd.DataFrame({"intercept": np.ones(len(stack.values))}),
            mask=nib.Nifti1Image(covered.astype(np.uint8), affine),
            n_perm=config.permutations,
            two_sided_test=True,
            threshold=FORMING if config.group_statistics == "full" else None,
            random_state=int(np.random.SeedSequence(seed).generate_state(1)[0]),
            n_jobs=1,  # the draws depend on it
        )
    images = found if isinstance(found, dict) else {"logp_max_t": found}
    names = {"logpMaxT": "logp_max_t", **CLUSTER_MAPS}
    return Inference(
        t=t_map(stack.values),
        corrected={
            name: np.asarray(images[key].get_fdata()).reshape(stack.grid.shape)
            for name, key in names.items()
            if key in images
        },
        n_participants=len(stack.participants),
        n_voxels=int(covered.sum()),
        n_permutations=config.permutations,
        dependence=dependence(stack),
    )


def t_map(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the one-sample t of every voxel over the first axis, 0 where it is not defined."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)  # voxels without spread
        t = stats.ttest_1samp(values.astype(np.float64), 0.0, axis=0).statistic
    return np.where(np.isfinite(t), t, 0.0)


def dependence(stack: Stack) -> Dependence:
    """Correlate the maps of every two participants, over the voxels that are covered."""
    return alike(stack.values[:, stack.covered].astype(np.float64), stack.decoders)


def alike(rows: NDArray[np.float64], by: Sequence[str]) -> Dependence:
    """Correlate what every two participants have, a row each, by the decoders that made them."""
    rows = rows - rows.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(rows, axis=1)
    rows = rows[norms > 0] / norms[norms > 0, np.newaxis]
    decoders = np.array(by)[norms > 0]
    r, pairs = rows @ rows.T, np.triu(np.ones((len(rows),) * 2, dtype=bool), k=1)
    shared = decoders[:, np.newaxis] == decoders
    same, other = (r[pairs & which] for which in (shared, ~shared))
    return Dependence(
        n_decoders=len(set(by)),
        same=float(same.mean()) if len(same) else np.nan,
        other=float(other.mean()) if len(other) else np.nan,
    )
