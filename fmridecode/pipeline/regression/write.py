"""What is written of a participant whose number is decoded."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from fmridecode.bids.derivatives import map_path, table_path, write_map, write_table
from fmridecode.bids.labels import camel
from fmridecode.core.maps import Example, MapSet
from fmridecode.core.number_saliency import METHODS
from fmridecode.core.target import Target
from fmridecode.pipeline.participant.decode import batches_of
from fmridecode.pipeline.participant.explain import BATCH
from fmridecode.pipeline.participant.output import Output
from fmridecode.pipeline.participant.seeds import seed_of
from fmridecode.pipeline.participant.stale import remove_stale
from fmridecode.pipeline.regression.predict import (
    Predicted,
    predict,
    predictions_dictionary,
    predictions_table,
)
from fmridecode.pipeline.turns import Turn

PREDICTIONS, BASELINE = "desc-regression_predictions", "desc-baseline_predictions"
ZSCORED = "zscored"
ENDINGS = ("saliency.nii.gz", "statmap.nii.gz")

METHOD_WORDS = {
    "gradient": "gradient of the predicted {} with respect to the z-scored input",
    "gradient-x-input": "gradient of the predicted {} times the z-scored input",
    "smoothgrad": "mean gradient of the predicted {} over noisy copies of the input",
    "weights": "weights of the linear decoder for the predicted {}",
}


def write_number(
    turn: Turn, maps: MapSet, predicted: Predicted, output: Output, device: torch.device
) -> None:
    """Write predictions, saliency maps, and the maps as the decoder saw them."""
    participant = maps.examples[predicted.indices[0]].participant
    written = set(_write_saliency(turn, maps, predicted, output, device))
    written.update(_write_zscored(turn, maps, predicted, output.folder))
    folder = output.folder / f"sub-{participant}"
    remove_stale(folder, written, turn.bundle.hash, endings=ENDINGS)
    _write_baseline(turn, maps, predicted, output.folder, device)
    # Last, so that a participant with predictions is complete.
    write_table(
        table_path(output.folder, participant, PREDICTIONS),
        predictions_table(predicted, maps),
        predictions_dictionary(_target(maps)),
    )


def _target(maps: MapSet) -> Target:
    if maps.target is None:
        raise ValueError("the maps have no number")
    return maps.target


def _write_baseline(
    turn: Turn, maps: MapSet, predicted: Predicted, output_dir: Path, device: torch.device
) -> None:
    """Write what ridge regression predicts, or remove what an earlier run wrote."""
    participant = maps.examples[predicted.indices[0]].participant
    path = table_path(output_dir, participant, BASELINE)
    if turn.baseline is None:
        path.unlink(missing_ok=True)
        path.with_suffix(".json").unlink(missing_ok=True)
        return
    found = predict(
        turn.baseline,
        maps,
        participant,
        fold=predicted.fold,
        seen_in_training=predicted.seen_in_training,
        device=device,
    )
    write_table(path, predictions_table(found, maps), predictions_dictionary(_target(maps)))


def explained(
    turn: Turn, maps: MapSet, indices: NDArray[np.int64], method: str, device: torch.device
) -> NDArray[np.float32]:
    """Return ``(maps, *grid)`` saliency of some maps, in units of the number per SD of the map.

    The noise of SmoothGrad depends on the run's seed and the first map alone.
    """
    decoder, config = turn.bundle.decoder, turn.config
    if decoder.number is None:
        raise ValueError(f"{turn.bundle.path} decodes classes")
    x, _ = batches_of(maps, indices, device).take(slice(None))
    seed = seed_of(maps, int(indices[0]), seed=config.execution.random_seed).generate_state(1)
    generator = torch.Generator(device).manual_seed(int(seed[0]))
    found = METHODS[method](decoder.model, x, config.saliency, generator=generator)
    return (decoder.number.sd * found).cpu().numpy()


def _write_saliency(
    turn: Turn, maps: MapSet, predicted: Predicted, output: Output, device: torch.device
) -> Iterator[Path]:
    for start in range(0, len(predicted.indices), BATCH):
        indices = predicted.indices[start : start + BATCH]
        for method in turn.config.saliency.map_methods:
            found = explained(turn, maps, indices, method, device)
            for index, values in zip(indices, found, strict=True):
                example = maps.examples[index]
                sidecar = _sidecar(turn, maps, predicted, example, method)
                for drawn in output.drawings(values, maps):
                    path = map_path(
                        output.folder,
                        participant=example.participant,
                        session=example.session,
                        task=maps.called(example).task,
                        contrast=maps.called(example).contrast,
                        grid=drawn.grid,
                        description=camel(method, "to", _target(maps).name),
                    )
                    said = {**sidecar, **drawn.said}
                    write_map(path, drawn.values, grid=drawn.grid, mask=drawn.mask, sidecar=said)
                    yield path


def _sidecar(
    turn: Turn, maps: MapSet, predicted: Predicted, example: Example, method: str
) -> dict[str, object]:
    target, config = predicted.number.target, turn.config
    words = METHOD_WORDS[method].format(target.name)
    unit = target.unit or f"units of {target.name}"
    sidecar: dict[str, object] = {
        "Description": f"{words[0].upper()}{words[1:]}, for a map of {maps.called(example).name}.",
        "Sources": list(example.sources),
        "SaliencyMethod": method,
        "TargetColumn": target.name,
        **({"TargetUnit": target.unit} if target.unit else {}),
        "TargetSource": _target(maps).source,
        "TrainingMean": predicted.number.mean,
        "TrainingSD": predicted.number.sd,
        "Sign": f"Positive where more activation raises the predicted {target.name}.",
        "Units": unit if method == "gradient-x-input" else f"{unit} per SD of the z-scored map",
        **_origin(turn, maps, predicted, example),
        "ForcedSpace": config.space.force_space,
        "SpaceTransforms": list(example.transforms),
    }
    if method == "smoothgrad":
        sidecar["SmoothGradSigma"] = config.saliency.smoothgrad_sigma
        sidecar["SmoothGradSamples"] = config.saliency.smoothgrad_samples
    return sidecar


def _origin(turn: Turn, maps: MapSet, predicted: Predicted, example: Example) -> dict[str, object]:
    return {
        "DecoderHash": turn.bundle.hash,
        **({"Fold": predicted.fold} if predicted.fold is not None else {}),
        "TrainedOnParticipant": predicted.seen_in_training,
        "Mask": maps.mask_source,
    }


def _write_zscored(
    turn: Turn, maps: MapSet, predicted: Predicted, output_dir: Path
) -> Iterator[Path]:
    """Write the maps themselves: the group level regresses them on the number, voxel by voxel."""
    for index in predicted.indices:
        example = maps.examples[index]
        shown = maps.called(example)
        path = map_path(
            output_dir,
            participant=example.participant,
            session=example.session,
            task=shown.task,
            contrast=shown.contrast,
            grid=maps.grid,
            description=ZSCORED,
            suffix="statmap",
        )
        sidecar: dict[str, object] = {
            "Description": f"Map of {shown.name} as the decoder saw it: on its grid, z-scored.",
            "Sources": list(example.sources),
            "Units": "SD of the map",
            "Label": shown.name,
            **_origin(turn, maps, predicted, example),
        }
        values = np.asarray(maps.values[index], dtype=np.float32)
        write_map(path, values, grid=maps.grid, mask=maps.mask, sidecar=sidecar)
        yield path
