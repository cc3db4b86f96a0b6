"""Predict the number of one participant with a decoder that has not seen the participant."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from fmridecode.bundles.bundle import Bundle
from fmridecode.core.gaussian import moments
from fmridecode.core.maps import MapSet
from fmridecode.core.target import Number, Target, pooled
from fmridecode.core.trained import members_logits
from fmridecode.core.typicality import UNLIKE, unlike
from fmridecode.pipeline.participant.decode import batches_of
from fmridecode.pipeline.training.training_maps import statistics


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicted:
    """What a decoder says of one participant's maps, in the units of the number.

    Parameters
    ----------
    indices
        ``(maps,)`` the participant's examples in the map set.
    mean, sd
        ``(maps,)`` of the Gaussian that each map gives, the SD calibrated.
    whole_mean, whole_sd
        Of all maps of the participant together.
    number
        What the decoder knows of the number.
    fold
        Fold whose decoder said it, from 1; None for a decoder of no fold.
    seen_in_training
        Whether the decoder was trained or validated on this participant.
    unlike, unlike_in
        ``(maps,)`` as of `fmridecode.pipeline.participant.decode.Decoded`.
    disagreement
        ``(maps,)`` SD of the means of an ensemble's members; NaN for a single decoder.
    """

    indices: NDArray[np.int64]
    mean: NDArray[np.float64]
    sd: NDArray[np.float64]
    whole_mean: float
    whole_sd: float
    number: Number
    fold: int | None
    seen_in_training: bool
    unlike: NDArray[np.float64]
    unlike_in: tuple[str, ...]
    disagreement: NDArray[np.float64]


def predict(
    bundle: Bundle,
    maps: MapSet,
    participant: str,
    *,
    fold: int | None,
    seen_in_training: bool,
    device: torch.device,
) -> Predicted:
    """Predict the number from all maps of a participant."""
    number = bundle.decoder.number
    if number is None:
        raise ValueError(f"{bundle.path} decodes classes")
    indices = maps.where({participant})
    distances, names = unlike(statistics(maps, indices), bundle.decoder.origin.usual)
    of_members = members_logits(bundle.decoder.model, batches_of(maps, indices, device)).double()
    mean, variance = (each.numpy() for each in moments(of_members.mean(dim=0)))
    mean, sd = number.mean + number.sd * mean, number.sd * number.spread.scale * np.sqrt(variance)
    _, whole_mean, whole_variance = pooled([participant] * len(indices), mean, sd**2)
    apart = number.sd * of_members[..., 0].numpy()
    return Predicted(
        indices=indices,
        mean=mean,
        sd=sd,
        whole_mean=float(whole_mean[0]),
        whole_sd=float(np.sqrt(whole_variance[0])),
        number=number,
        fold=fold,
        seen_in_training=seen_in_training,
        unlike=distances,
        unlike_in=names,
        disagreement=apart.std(axis=0) if len(apart) > 1 else np.full(len(indices), np.nan),
    )


def predictions_table(predicted: Predicted, maps: MapSet) -> pd.DataFrame:
    """Return a row for the participant, and one for every map."""
    rows = [_row(predicted, maps, None)]
    rows += [_row(predicted, maps, position) for position in range(len(predicted.indices))]
    return pd.DataFrame(rows).astype({"fold": "Int64"})


def _row(predicted: Predicted, maps: MapSet, position: int | None) -> dict[str, object]:
    """Return the row of a map, or that of all maps together."""
    whole, first = position is None, predicted.indices[position or 0]
    example, number = maps.examples[first], predicted.number
    mean = predicted.whole_mean if position is None else float(predicted.mean[position])
    sd = predicted.whole_sd if position is None else float(predicted.sd[position])
    return {
        "participant_id": f"sub-{example.participant}",
        "session_id": f"ses-{example.session}" if example.session and not whole else None,
        "unit": "participant" if position is None else "map",
        "label": None if whole else maps.called(example).name,
        "source": None if whole else " ".join(example.sources),
        "predicted": mean,
        "sd": sd,
        "true": example.number,
        "error": mean - example.number,
        "training_mean": number.mean,
        "training_sd": number.sd,
        "missing": np.nan if position is None else example.missing,
        "fold": predicted.fold,
        "seen_in_training": predicted.seen_in_training,
        "unlike_training": np.nan if position is None else float(predicted.unlike[position]),
        "unlike_in": None if position is None else predicted.unlike_in[position] or None,
        "disagreement": np.nan if position is None else float(predicted.disagreement[position]),
    }


def predictions_dictionary(target: Target) -> dict[str, str]:
    """Return the data dictionary of a predictions table."""
    name = f"{target.name}, in {target.unit}" if target.unit else target.name
    return {
        "participant_id": "Participant.",
        "session_id": "Session, n/a where the data set has none.",
        "unit": "What is predicted from: participant, all maps together; or map, one of them. The "
        "participant's prediction is the plain mean over the maps, and so is its variance, for "
        "the errors of one person's maps go together.",
        "label": "Task or contrast of the map.",
        "source": "BIDS URIs of the maps that were averaged, separated by spaces.",
        "predicted": f"Predicted {name}: the mean of a Gaussian.",
        "sd": "SD of that Gaussian, multiplied with the factor that was found on validation "
        "participants.",
        "true": f"{target.name} of the participant, from the column {target.name} of "
        f"{target.source}; n/a where it is not known.",
        "error": "predicted minus true.",
        "training_mean": "Mean of the participants who trained the decoder: what would be "
        "predicted without a map.",
        "training_sd": "SD of these participants.",
        "missing": "Share of the brain mask in which the map has no data, 0 to 1.",
        "fold": "Fold whose decoder was used; its participants are in models/*/folds.tsv. n/a for "
        "a decoder that was given (--model) and is of no fold.",
        "seen_in_training": "Whether that decoder was trained or validated on the participant, "
        "by the folds' table, or recognised by a map or by the data set's name and the label.",
        "unlike_training": "How far the map is from the decoder's training maps in a simple "
        "statistic: the largest distance from their median, in units of their spread (1.4826 "
        f"median absolute deviations). Above {UNLIKE:g} the decoder is used outside of what it "
        "knows, and its prediction may mean nothing.",
        "unlike_in": "The statistic of that distance: log10_sd, of the SD before the z-score; "
        "fwhm, the smoothness; negative, the share of negative voxels; overlap, the share of the "
        "mask with data.",
        "disagreement": "SD of the means that the decoders of the ensemble predict from the map "
        "alone; n/a for a single decoder.",
    }
