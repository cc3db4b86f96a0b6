"""Decode one participant's maps with a decoder that has not seen the participant."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy.special import softmax

from fmridecode.bundles.bundle import Bundle
from fmridecode.core.abstention import best, knows
from fmridecode.core.batches import Batches
from fmridecode.core.disagreement import agreement, disagreement
from fmridecode.core.maps import UNKNOWN, MapSet
from fmridecode.core.trained import members_logits
from fmridecode.core.typicality import UNLIKE, unlike
from fmridecode.pipeline.training.training_maps import statistics


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """Out-of-sample probabilities of one participant's maps.

    Parameters
    ----------
    indices
        ``(maps,)`` the participant's examples in the map set.
    logits, probabilities
        ``(maps, classes)``; the probabilities are softmax(logits / temperature).
    temperature
        What divided the logits.
    predicted
        ``(maps,)`` index of the class that each map is decoded as.
    fold
        Fold whose decoder made them, from 1; None for a decoder of no fold.
    seen_in_training
        Whether the decoder was trained or validated on this participant.
    unlike, unlike_in
        ``(maps,)`` how far each map is from the training maps, and in which statistic; see
        `fmridecode.core.typicality.unlike`.
    known
        ``(maps,)`` whether the decoder knows the map, None for a decoder that never abstains.
    disagreement, agreement
        ``(maps,)`` of the members of an ensemble; see `fmridecode.core.disagreement`.
    """

    indices: NDArray[np.int64]
    logits: NDArray[np.float64]
    probabilities: NDArray[np.float64]
    temperature: float
    predicted: NDArray[np.int64]
    fold: int | None
    seen_in_training: bool
    unlike: NDArray[np.float64]
    unlike_in: tuple[str, ...]
    disagreement: NDArray[np.float64]
    agreement: NDArray[np.float64]
    known: NDArray[np.bool_] | None = None


def batches_of(maps: MapSet, indices: NDArray[np.int64], device: torch.device) -> Batches:
    """Return these examples as batches."""
    return Batches(values=maps.values, labels=maps.labels, indices=indices, device=device)


def decode(
    bundle: Bundle,
    maps: MapSet,
    participant: str,
    *,
    fold: int | None,
    seen_in_training: bool,
    device: torch.device,
) -> Decoded:
    """Decode all maps of a participant."""
    indices = maps.where({participant})
    batches = batches_of(maps, indices, device)
    distances, unlike_in = unlike(statistics(maps, indices), bundle.decoder.origin.usual)
    of_members = members_logits(bundle.decoder.model, batches)
    logits, apart = of_members.mean(dim=0).double().numpy(), of_members.double().numpy()
    one, alone = len(apart) == 1, np.full(len(indices), np.nan)
    probabilities = softmax(logits / bundle.decoder.temperature, axis=1)
    abstention = bundle.decoder.abstention
    names, other = maps.class_names, abstention.other if abstention else ""
    return Decoded(
        indices=indices,
        logits=logits,
        probabilities=probabilities,
        temperature=bundle.decoder.temperature,
        predicted=best(probabilities, names, other),
        fold=fold,
        seen_in_training=seen_in_training,
        unlike=distances,
        unlike_in=unlike_in,
        known=knows(probabilities, names, abstention) if abstention else None,
        disagreement=alone if one else disagreement(apart, bundle.decoder.temperature),
        agreement=alone if one else agreement(apart),
    )


def predictions_table(decoded: Decoded, maps: MapSet) -> pd.DataFrame:
    """Return one row per map: what it is, what it was taken for, and every probability."""
    names = maps.class_names
    rows: list[dict[str, object]] = []
    for position, (index, probabilities) in enumerate(
        zip(decoded.indices, decoded.probabilities, strict=True)
    ):
        example = maps.examples[index]
        predicted, known = int(decoded.predicted[position]), example.label != UNKNOWN
        rows.append(
            {
                "participant_id": f"sub-{example.participant}",
                "session_id": f"ses-{example.session}" if example.session else None,
                "source": " ".join(example.sources),
                **({"data_label": example.own.name} if example.own else {}),
                "true_label": names[example.label] if known else None,
                "predicted_label": names[predicted],
                "correct": predicted == example.label if known else None,
                "true_task": (maps.classes[example.label].task or None) if known else None,
                "predicted_task": maps.classes[predicted].task or None,
                **{f"prob_{k}": p for k, p in zip(names, probabilities, strict=True)},
                "temperature": decoded.temperature,
                "missing": example.missing,
                "fold": decoded.fold,
                "seen_in_training": decoded.seen_in_training,
                "unlike_training": decoded.unlike[position],
                "unlike_in": decoded.unlike_in[position] or None,
                "disagreement": decoded.disagreement[position],
                "agreement": decoded.agreement[position],
            }
        )
    table = pd.DataFrame(rows).astype({"correct": "boolean", "fold": "Int64"})
    if decoded.known is not None:
        table.insert(list(table.columns).index("predicted_label"), "known", decoded.known)
        rows_of_maps = np.arange(len(table))
        table["confidence"] = decoded.probabilities[rows_of_maps, decoded.predicted]
    return table


def predictions_dictionary(names: tuple[str, ...]) -> dict[str, str]:
    """Return the data dictionary of a predictions table."""
    return {
        "participant_id": "Participant.",
        "session_id": "Session, n/a where the data set has none.",
        "source": "BIDS URIs of the maps that were averaged, separated by spaces.",
        "data_label": "Class of the map as the data set calls it.",
        "true_label": "Class of the map, n/a where the decoder does not know it.",
        "known": "Whether the decoder knows the map. Where it does not, the map is like none of "
        "the classes as far as it can tell, and predicted_label is only its best guess.",
        "predicted_label": "Class with the highest probability; never the one that stands for "
        "maps of none of the others, if the decoder has one.",
        "correct": "Whether the two agree, n/a where the class is not known.",
        "true_task": "Task of the true class, n/a where its maps are of several tasks.",
        "predicted_task": "Task of the predicted class.",
        **{f"prob_{k}": f"Calibrated probability of class {k}, 0 to 1." for k in names},
        "temperature": "Temperature of the decoder: softmax(temperature * log(prob_*)) are the "
        "probabilities before calibration.",
        "missing": "Share of the brain mask in which the map has no data, 0 to 1.",
        "fold": "Fold whose decoder was used; its participants are in models/*/folds.tsv. n/a for "
        "a decoder that was given (--model) and is of no fold.",
        "seen_in_training": "Whether that decoder was trained or validated on the participant, "
        "by the folds' table, or recognised by a map or by the data set's name and the label.",
        "unlike_training": "How far the map is from the decoder's training maps in a simple "
        "statistic: the largest distance from their median, in units of their spread (1.4826 "
        f"median absolute deviations). Above {UNLIKE:g} the decoder is used outside of what it "
        "knows, and its probabilities may mean nothing.",
        "unlike_in": "The statistic of that distance: log10_sd, of the SD before the z-score; "
        "fwhm, the smoothness; negative, the share of negative voxels; overlap, the share of the "
        "mask with data.",
        "confidence": "Probability of the predicted class; below the decoder's threshold, "
        "which is in its config.json (abstention), a map is not known.",
        "disagreement": "How far the decoders of the ensemble are apart: the Jensen-Shannon "
        "divergence of their probabilities in nats, 0 where all say the same; n/a for a single "
        "decoder.",
        "agreement": "Share of the decoders of the ensemble that decode the map alone as the "
        "ensemble does.",
    }
