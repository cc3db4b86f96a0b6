"""The participant level: decode and explain everyone with a decoder that has not seen them."""

import logging
from pathlib import Path

import torch

from fmridecode.bids.derivatives import map_path, table_path, write_map, write_table
from fmridecode.bids.labels import camel
from fmridecode.bundles.bundle import Bundle
from fmridecode.config import RunConfig
from fmridecode.core.maps import MapSet
from fmridecode.pipeline.choose import resolved
from fmridecode.pipeline.decode import Decoded, decode, predictions_dictionary, predictions_table
from fmridecode.pipeline.explain import SCORES_DICTIONARY, SaliencyMap, explain, scores_table
from fmridecode.pipeline.folds import Folds
from fmridecode.pipeline.progress import progress

log = logging.getLogger(__name__)

METHOD_WORDS = {
    "gradient": "gradient of the class's probability with respect to the z-scored input",
    "gradient-x-input": "gradient of the class's probability times the z-scored input",
    "smoothgrad": "mean gradient of the class's probability over noisy copies of the input",
    "weights": "gradient of the class's logit, the weights of the linear decoder",
}


def write_participants(
    config: RunConfig,
    maps: MapSet,
    folds: Folds,
    participants: tuple[str, ...],
    output_dir: Path,
    device: torch.device,
) -> dict[str, str]:
    """Write predictions, scores and saliency maps of every participant.

    Returns
    -------
    dict
        Participants that were not decoded, with the reason.
    """
    skipped: dict[str, str] = {}
    by_fold: dict[int, list[str]] = {}
    for participant in participants:
        fold = folds.testing(participant)
        if fold is None:
            skipped[participant] = "its maps trained the decoder (--holdout)"
        else:
            by_fold.setdefault(fold, []).append(participant)
    with progress("Explaining", sum(map(len, by_fold.values()))) as advance:
        for fold, members in sorted(by_fold.items()):
            bundle = folds.load(fold, device=device)
            explaining = resolved(config, folds, fold)
            for participant in members:
                seen = folds.splits[fold - 1].role(participant) in ("train", "validation")
                decoded = decode(
                    bundle, maps, participant, fold=fold, seen_in_training=seen, device=device
                )
                _write_participant(explaining, maps, bundle, decoded, output_dir, device)
                advance()
    return skipped


def _write_participant(
    config: RunConfig,
    maps: MapSet,
    bundle: Bundle,
    decoded: Decoded,
    output_dir: Path,
    device: torch.device,
) -> None:
    participant = maps.examples[decoded.indices[0]].participant
    rows: list[dict[str, object]] = []
    for part in explain(bundle, maps, decoded, config, device=device):
        rows += part.scores
        for each in part.maps:
            _write_saliency(each, maps, bundle, decoded, config, output_dir)
    write_table(
        table_path(output_dir, participant, "desc-interpretability_scores"),
        scores_table(rows),
        SCORES_DICTIONARY,
    )
    # Last, so that a participant with predictions is complete.
    write_table(
        table_path(output_dir, participant, "desc-decoding_predictions"),
        predictions_table(decoded, maps),
        predictions_dictionary(maps.class_names),
    )


def _write_saliency(
    saliency: SaliencyMap,
    maps: MapSet,
    bundle: Bundle,
    decoded: Decoded,
    config: RunConfig,
    output_dir: Path,
) -> None:
    example = maps.examples[saliency.index]
    shown = maps.classes[example.label]
    path = map_path(
        output_dir,
        participant=example.participant,
        session=example.session,
        task=shown.task,
        contrast=shown.contrast,
        grid=maps.grid,
        description=camel(saliency.method, "to", saliency.target.replace(">", " minus ")),
    )
    sidecar: dict[str, object] = {
        "Description": f"{METHOD_WORDS[saliency.method].capitalize()}: class {saliency.target}, "
        f"for a map of class {shown.name}.",
        "Sources": list(example.sources),
        "SaliencyMethod": saliency.method,
        "TargetClass": saliency.target,
        "TrueClass": shown.name,
        "Sign": "Positive where more activation makes the target class more probable.",
        "Units": "Arbitrary: divided by its root mean square over the mask (GradientRMS).",
        "GradientRMS": saliency.gradient_rms,
        "Temperature": bundle.decoder.temperature,
        "DecoderHash": bundle.hash,
        "Fold": decoded.fold,
        "TrainedOnParticipant": decoded.seen_in_training,
        "ForcedSpace": config.space.force_space,
        "Mask": maps.mask_source,
    }
    if saliency.method == "smoothgrad":
        sidecar["SmoothGradSigma"] = config.saliency.smoothgrad_sigma
        sidecar["SmoothGradSamples"] = config.saliency.smoothgrad_samples
    write_map(path, saliency.values, grid=maps.grid, mask=maps.mask, sidecar=sidecar)
