"""Mean saliency in the parcels of an atlas, of every participant and over them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import ndimage, stats

from fmridecode.bids.atlas import Atlas
from fmridecode.pipeline.group.inference import FEWEST
from fmridecode.pipeline.group.stack import Stack

_KEYS = {
    "label": "True class of the maps that are explained.",
    "target": "Class, or difference of two, whose probability is explained.",
    "method": "Saliency method.",
}
PARCELS_DICTIONARY = {
    **_KEYS,
    "parcel": "Name of the parcel.",
    "index": "Its number in the atlas.",
    "n_voxels": "Its voxels on the grid; parcels without any are left out.",
    "mean": "Mean over participants of the participant's mean saliency in the parcel; each "
    "participant's map is scaled to a root mean square of 1.",
    "standard_error": "Standard error over participants.",
    "ci_low": "Lower end of the 95 % confidence interval of the mean (t distribution).",
    "ci_high": "Upper end of that interval.",
    "t": f"One-sample t over participants, two-sided; n/a below {FEWEST} participants.",
    "df": "Degrees of freedom.",
    "p": "Its p, not corrected.",
    "q": "p adjusted for the false discovery rate over the parcels of this class and method "
    "(Benjamini and Hochberg 1995).",
    "n_participants": "Participants.",
}
_PARTICIPANT_KEYS = {"participant_id": "Participant.", **_KEYS}


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelMeans:
    """Mean saliency of every participant in every parcel, of one class by one method.

    Parameters
    ----------
    label, target, method
        As in the tables.
    participants
        With ``sub-``.
    values
        ``(participants, parcels)``, parcels in the order of `Atlas.numbers`.
    """

    label: str
    target: str
    method: str
    participants: tuple[str, ...]
    values: NDArray[np.float64]


def parcel_means(stack: Stack, atlas: Atlas) -> ParcelMeans:
    """Average each participant's map over the voxels of each parcel on the grid."""
    means = [
        np.asarray(ndimage.mean(each.astype(np.float64), atlas.labels, atlas.numbers))
        for each in stack.values
    ]
    return ParcelMeans(
        label=stack.label,
        target=stack.target,
        method=stack.method,
        participants=stack.participants,
        values=np.stack(means),
    )


def parcels_table(found: list[ParcelMeans], atlas: Atlas) -> pd.DataFrame:
    """Return mean, interval and test of every parcel of every map."""
    sizes = ndimage.sum_labels(np.ones(atlas.labels.shape), atlas.labels, atlas.numbers)
    tables = [
        pd.DataFrame(
            {
                "label": each.label,
                "target": each.target,
                "method": each.method,
                "parcel": [atlas.names[number] for number in atlas.numbers],
                "index": atlas.numbers,
                "n_voxels": sizes.astype(int),
                "mean": each.values.mean(axis=0),
                **_tested(each.values),
                "n_participants": len(each.values),
            }
        )
        for each in found
    ]
    return pd.concat(tables, ignore_index=True)


def _tested(means: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    n, n_parcels = means.shape
    nothing = np.full(n_parcels, np.nan)
    spread = means.std(axis=0, ddof=1) if n > 1 else nothing
    standard_error = spread / np.sqrt(n)
    half = stats.t.ppf(0.975, n - 1) * standard_error if n > 1 else nothing
    t, p, q = nothing, nothing.copy(), nothing.copy()
    if n >= FEWEST:
        varying = spread > 0
        t = np.divide(means.mean(axis=0), standard_error, out=t, where=varying)
        p[varying] = stats.ttest_1samp(means[:, varying], 0.0).pvalue
        q[varying] = stats.false_discovery_control(p[varying])
    return {
        "standard_error": standard_error,
        "ci_low": means.mean(axis=0) - half,
        "ci_high": means.mean(axis=0) + half,
        "t": t,
        "df": np.full(n_parcels, n - 1),
        "p": p,
        "q": q,
    }


def participants_table(
    found: list[ParcelMeans], atlas: Atlas
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return every participant's parcel means, a column for each parcel, and the dictionary."""
    columns = [f"parcel_{number}" for number in atlas.numbers]
    tables = [
        pd.DataFrame(each.values, columns=columns).assign(
            participant_id=each.participants,
            label=each.label,
            target=each.target,
            method=each.method,
        )[[*_PARTICIPANT_KEYS, *columns]]
        for each in found
    ]
    dictionary = {
        column: f"Mean saliency in {atlas.names[number]} ({atlas.source})."
        for column, number in zip(columns, atlas.numbers, strict=True)
    }
    return pd.concat(tables, ignore_index=True), {**_PARTICIPANT_KEYS, **dictionary}
