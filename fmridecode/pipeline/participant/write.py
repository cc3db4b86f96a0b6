"""The participant level: decode and explain everyone with a decoder that has not seen them."""

import logging
import time
from collections.abc import Iterable
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from fmridecode.bids.derivatives import map_path, table_path, write_map, write_table
from fmridecode.bids.labels import camel, listing
from fmridecode.bundles.bundle import Bundle
from fmridecode.config import RunConfig
from fmridecode.core.maps import UNKNOWN, MapSet
from fmridecode.core.typicality import UNLIKE
from fmridecode.pipeline.cores import in_threads
from fmridecode.pipeline.memory import spare_memory, work_on
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
from fmridecode.pipeline.participant.interactions import SUFFIX as INTERACTIONS
from fmridecode.pipeline.participant.interactions import announce, write_interactions
from fmridecode.pipeline.participant.measures import write_measures
from fmridecode.pipeline.participant.output import Output
from fmridecode.pipeline.participant.panel import Panels
from fmridecode.pipeline.participant.stale import remove_stale
from fmridecode.pipeline.participant.subject import Subject
from fmridecode.pipeline.regression.predict import Predicted, predict
from fmridecode.pipeline.regression.write import write_number
from fmridecode.pipeline.training.leaks import recognised, warn_of_seen
from fmridecode.pipeline.training.train import WORTH_SAYING
from fmridecode.pipeline.turns import Turn
from fmridecode.progress import progress

log = logging.getLogger(__name__)

ENDINGS = ("saliency.nii.gz", "panel.nii.gz", f"{INTERACTIONS}.tsv")

METHOD_WORDS = {
    "gradient": "gradient of the class's probability with respect to the z-scored input",
    "gradient-x-input": "gradient of the class's probability times the z-scored input",
    "smoothgrad": "mean gradient of the class's probability over noisy copies of the input",
    "weights": "gradient of the class's logit, the weights of the linear decoder",
}


def write_participants(
    turns: Iterable[Turn],
    maps: MapSet,
    output: Output,
    *,
    n_participants: int,
    device: torch.device,
) -> None:
    """Write predictions, scores and saliency maps of every participant.

    Parameters
    ----------
    turns
        Which decoder decodes whom.
    maps
        All maps, with the decoders' classes.
    output
        Where to write.
    n_participants
        How many there are in all turns.
    device
        Where to compute.
    """
    left, started = n_participants, time.monotonic()
    strange: list[str] = []
    n_maps = 0
    with progress("Explaining", n_participants) as advance:
        for turn in turns:
            spare_memory(turn.bundle.decoder.model, turn.config, work_on(maps.grid))
            strangers = [who for who in turn.participants if who not in turn.seen]
            seen = dict.fromkeys(turn.seen, "the folds' table")
            seen |= recognised(turn.bundle.decoder, maps, strangers)
            warn_of_seen(seen, str(turn.bundle.path))
            for participant in turn.participants:
                one = _write_one if maps.target is None else _write_one_number
                decoded = one(
                    turn,
                    maps,
                    participant,
                    output,
                    device,
                    seen=participant in seen,
                    first_of=left if left == n_participants else 0,
                )
                strange += _unlike(decoded, participant)
                n_maps += len(decoded.indices)
                advance()
                left -= 1
                if left == n_participants - 1:
                    _log_estimate((time.monotonic() - started) * left, turn.config)
    if strange:
        log.warning(
            "%d of %d maps are unlike those that trained the decoder (unlike_training above %g in "
            "predictions.tsv): %s. What is decoded of them may mean nothing.",
            len(strange),
            n_maps,
            UNLIKE,
            listing(strange),
        )


def _write_one(
    turn: Turn,
    maps: MapSet,
    participant: str,
    output: Output,
    device: torch.device,
    *,
    seen: bool,
    first_of: int,
) -> Decoded:
    """Decode classes and write them; ``first_of`` so many participants, 0 for a later one."""
    decoded = decode(
        turn.bundle, maps, participant, fold=turn.fold, seen_in_training=seen, device=device
    )
    if output.parcels is not None and first_of:
        announce(turn, maps, decoded, output.parcels, device, n_participants=first_of)
    write_baseline(turn.baseline, maps, decoded, output.folder, device=device)
    _write_participant(turn, maps, decoded, output, device)
    return decoded


def _write_one_number(
    turn: Turn,
    maps: MapSet,
    participant: str,
    output: Output,
    device: torch.device,
    *,
    seen: bool,
    first_of: int,
) -> Predicted:
    """Predict the number and write it."""
    predicted = predict(
        turn.bundle, maps, participant, fold=turn.fold, seen_in_training=seen, device=device
    )
    write_number(turn, maps, predicted, output, device)
    return predicted


def _log_estimate(seconds: float, config: RunConfig) -> None:
    """Say how long the others will take, if long, and what would be shorter."""
    if seconds < WORTH_SAYING:
        return
    thorough = [
        f"--{name} {reach}"
        for name in ("faithfulness", "sanity", "reliability", "robustness")
        if (reach := getattr(config.evaluation, name)) != "off"
    ]
    log.info(
        "Explaining the other participants will take about %d minutes%s.",
        round(seconds / 60),
        f"; of which {', '.join(thorough)} can be off, or quick" if thorough else "",
    )


def _unlike(decoded: Decoded | Predicted, participant: str) -> list[str]:
    """Name the maps that are unlike the training maps, by participant and statistic."""
    return [
        f"sub-{participant} ({statistic})"
        for distance, statistic in zip(decoded.unlike, decoded.unlike_in, strict=True)
        if distance > UNLIKE
    ]


def _write_participant(
    turn: Turn, maps: MapSet, decoded: Decoded, output: Output, device: torch.device
) -> None:
    output_dir, bundle = output.folder, turn.bundle
    participant = maps.examples[decoded.indices[0]].participant
    rows: list[dict[str, object]] = []
    saliency: dict[str, list[NDArray[np.float32]]] = {}
    written: set[Path] = set()
    wanted = turn.config.evaluation.panels == "all"
    panels = Panels(maps, participant, only=None if wanted else ())
    for part in explain(bundle, maps, decoded, turn.config, device=device):
        panels.add(part)
        rows += part.scores
        saliency.setdefault(part.method, []).append(part.true_class)
        to_files = partial(
            _write_saliency,
            maps=maps,
            bundle=bundle,
            decoded=decoded,
            config=turn.config,
            output=output,
        )
        written.update(chain.from_iterable(in_threads(to_files, part.maps)))
    written.update(panels.write(bundle, decoded, output_dir))
    if output.parcels is not None:
        found = write_interactions(turn, maps, decoded, output_dir, output.parcels, device)
        written.update(found)
    remove_stale(output_dir / f"sub-{participant}", written, bundle.hash, endings=ENDINGS)
    write_table(
        table_path(output_dir, participant, "desc-interpretability_scores"),
        scores_table(rows),
        SCORES_DICTIONARY,
    )
    subject = Subject(
        turn=turn,
        maps=maps,
        decoded=decoded,
        saliency={method: np.concatenate(parts) for method, parts in saliency.items()},
        device=device,
    )
    write_measures(subject, output_dir)
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
    output: Output,
) -> list[Path]:
    """Write a map and, where one is asked for, its copy on another grid; return the paths."""
    example = maps.examples[saliency.index]
    shown = maps.called(example)
    known = example.label != UNKNOWN
    sidecar: dict[str, object] = {
        "Description": f"{METHOD_WORDS[saliency.method].capitalize()}: class {saliency.target}, "
        f"for a map of class {shown.name}.",
        "Sources": list(example.sources),
        "SaliencyMethod": saliency.method,
        "TargetClass": saliency.target,
        **({"TrueClass": maps.class_names[example.label]} if known else {}),
        **({"DataClass": shown.name} if example.own else {}),
        "Sign": "Positive where more activation makes the target class more probable.",
        "Units": "Arbitrary: divided by its root mean square over the mask (GradientRMS).",
        "GradientRMS": saliency.gradient_rms,
        "Temperature": bundle.decoder.temperature,
        "DecoderHash": bundle.hash,
        **({"Fold": decoded.fold} if decoded.fold is not None else {}),
        "TrainedOnParticipant": decoded.seen_in_training,
        "ForcedSpace": config.space.force_space,
        "SpaceTransforms": list(example.transforms),
        "Mask": maps.mask_source,
    }
    if saliency.method == "smoothgrad":
        sidecar["SmoothGradSigma"] = config.saliency.smoothgrad_sigma
        sidecar["SmoothGradSamples"] = config.saliency.smoothgrad_samples
    paths = []
    for drawn in output.drawings(saliency.values, maps):
        path = map_path(
            output.folder,
            participant=example.participant,
            session=example.session,
            task=shown.task,
            contrast=shown.contrast,
            grid=drawn.grid,
            description=camel(saliency.method, "to", saliency.target.replace(">", " minus ")),
        )
        said = {**sidecar, **drawn.said}
        write_map(path, drawn.values, grid=drawn.grid, mask=drawn.mask, sidecar=said)
        paths.append(path)
    return paths
