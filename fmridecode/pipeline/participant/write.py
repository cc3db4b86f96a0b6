"""The participant level: decode and explain everyone with a decoder that has not seen them."""

import json
import logging
from collections.abc import Collection, Mapping
from pathlib import Path

import pandas as pd
import torch

from fmridecode.bids.derivatives import map_path, table_path, write_map, write_table
from fmridecode.bids.labels import camel, listing
from fmridecode.bundles.bundle import Bundle
from fmridecode.config import RunConfig
from fmridecode.core.maps import MapSet
from fmridecode.pipeline.baseline import has_baseline
from fmridecode.pipeline.choose import resolved
from fmridecode.pipeline.folds import Folds, check_same_voxels
from fmridecode.pipeline.participant.baseline import write_baseline
from fmridecode.pipeline.participant.decode import (
    Decoded,
    decode,
    predictions_dictionary,
    predictions_table,
)
from fmridecode.pipeline.participant.explain import (
    SCORES_DICTIONARY,
    SaliencyMap,
    explain,
    scores_table,
)
from fmridecode.pipeline.participant.faithfulness import FAITHFULNESS_DICTIONARY
from fmridecode.progress import progress

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
    families: Mapping[str, str],
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
        fold = folds.testing(participant, families)
        if fold is None:
            skipped[participant] = "its maps, or its family's, trained the decoder (--holdout)"
        else:
            by_fold.setdefault(fold, []).append(participant)
    if skipped:
        log.info(
            "%d participants are not decoded, for their maps trained the decoder (--holdout): %s",
            len(skipped),
            listing(skipped),
        )
    with progress("Explaining", sum(map(len, by_fold.values()))) as advance:
        for fold, members in sorted(by_fold.items()):
            bundle = folds.load(fold, device=device)
            check_same_voxels(bundle, maps)
            explaining = resolved(config, folds, fold)
            baseline = None
            if has_baseline(config):
                baseline = folds.baseline().load(fold, device=device)
            for participant in members:
                seen = folds.splits[fold - 1].role(participant) in ("train", "validation")
                decoded = decode(
                    bundle, maps, participant, fold=fold, seen_in_training=seen, device=device
                )
                write_baseline(baseline, maps, decoded, output_dir, device=device)
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
    tested: list[dict[str, object]] = []
    written: set[Path] = set()
    for part in explain(bundle, maps, decoded, config, device=device):
        rows += part.scores
        tested += part.faithfulness
        for each in part.maps:
            written.add(_write_saliency(each, maps, bundle, decoded, config, output_dir))
    _remove_stale(output_dir / f"sub-{participant}", written, bundle.hash)
    write_table(
        table_path(output_dir, participant, "desc-interpretability_scores"),
        scores_table(rows),
        SCORES_DICTIONARY,
    )
    _write_faithfulness(tested, participant, output_dir)
    # Last, so that a participant with predictions is complete.
    write_table(
        table_path(output_dir, participant, "desc-decoding_predictions"),
        predictions_table(decoded, maps),
        predictions_dictionary(maps.class_names),
    )


def _write_faithfulness(rows: list[dict[str, object]], participant: str, output_dir: Path) -> None:
    """Write the table, or remove an earlier one where nothing was tested."""
    path = table_path(output_dir, participant, "desc-faithfulness_scores")
    if rows:
        write_table(path, pd.DataFrame(rows), FAITHFULNESS_DICTIONARY)
        return
    path.unlink(missing_ok=True)
    path.with_suffix(".json").unlink(missing_ok=True)


def _write_saliency(
    saliency: SaliencyMap,
    maps: MapSet,
    bundle: Bundle,
    decoded: Decoded,
    config: RunConfig,
    output_dir: Path,
) -> Path:
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
        "SpaceTransforms": list(example.transforms),
        "Mask": maps.mask_source,
    }
    if saliency.method == "smoothgrad":
        sidecar["SmoothGradSigma"] = config.saliency.smoothgrad_sigma
        sidecar["SmoothGradSamples"] = config.saliency.smoothgrad_samples
    write_map(path, saliency.values, grid=maps.grid, mask=maps.mask, sidecar=sidecar)
    return path


def _remove_stale(folder: Path, written: Collection[Path], decoder_hash: str) -> None:
    """Remove maps that another decoder left: they would mix with this one's in group means."""
    for path in folder.glob("**/*_saliency.nii.gz"):
        sidecar = path.with_name(path.name.removesuffix(".nii.gz") + ".json")
        if path in written:
            continue
        try:
            by = json.loads(sidecar.read_text(encoding="utf-8")).get("DecoderHash")
        except (OSError, ValueError, AttributeError):
            by = None
        if by != decoder_hash:
            log.info("%s is removed: another decoder made it", path)
            path.unlink(missing_ok=True)
            sidecar.unlink(missing_ok=True)
