"""Saliency maps of one participant: scored against the participant's own activation."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from fmridecode.bundles.bundle import Bundle
from fmridecode.config import RunConfig
from fmridecode.core.criteria import score
from fmridecode.core.maps import UNKNOWN, MapSet
from fmridecode.core.saliency import METHODS, Saliency
from fmridecode.core.settings import ModelConfig
from fmridecode.core.trained import TrainedDecoder
from fmridecode.core.truth import ClassMaps, class_maps
from fmridecode.errors import UsageError
from fmridecode.pipeline.cores import in_threads
from fmridecode.pipeline.participant.decode import Decoded, batches_of
from fmridecode.pipeline.participant.seeds import seed_of

BATCH = 8
"""Maps explained at once."""

SCORES_DICTIONARY = {
    "participant_id": "Participant.",
    "session_id": "Session, n/a where the data set has none.",
    "label": "True class of the map.",
    "method": "Saliency method.",
    "criterion": "CIA: the true class's saliency against that class's activation minus the mean "
    "over classes. CAD: another class's saliency against that class's activation minus the true "
    "class's.",
    "target": "Class whose saliency is scored.",
    "pearson_r": "Signed Pearson correlation over the voxels of the mask.",
    "n_voxels": "Voxels of the mask.",
    "n_classes": "Classes that the participant has.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SaliencyMap:
    """One map to be written.

    Parameters
    ----------
    index
        The example in the map set.
    method
        Saliency method.
    target
        Name of the class explained, or ``A>B`` for a difference of two.
    values
        ``grid``, scaled to a root mean square of 1 over the mask.
    gradient_rms
        The root mean square before scaling, in probability per SD of the input.
    """

    index: int
    method: str
    target: str
    values: NDArray[np.float32]
    gradient_rms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """Maps and scores of some examples of one participant by one method.

    Parameters
    ----------
    indices
        The examples in the map set.
    method
        Saliency method.
    saliency
        ``(examples, classes, voxels of the mask)``, each up to a positive factor.
    maps
        What is to be written.
    scores
        Rows of the table of scores.
    true_class
        ``(examples of known class, voxels of the mask)`` saliency of the true class.
    """

    indices: NDArray[np.int64]
    method: str
    saliency: NDArray[np.float32]
    maps: list[SaliencyMap]
    scores: list[dict[str, object]]
    true_class: NDArray[np.float32]


def check_target(target: str, names: tuple[str, ...]) -> None:
    """Raise a UsageError unless the target is a keyword or a difference of two classes."""
    if target in ("true", "predicted", "all"):
        return
    a, separator, b = target.partition(">")
    if not separator or a not in names or b not in names or a == b:
        raise UsageError(
            f"--target is {target!r}; use true, predicted, all, or A>B with two of the classes "
            f"{', '.join(names)}."
        )


def check_methods(methods: tuple[str, ...], model: ModelConfig) -> None:
    """Raise a UsageError when `weights` is asked for and the decoder is not linear."""
    linear = model.architecture == "linear" or (model.architecture == "cln" and model.squash == 0)
    if "weights" in methods and not linear:
        raise UsageError(
            "--saliency weights needs a linear decoder (--architecture linear, or cln without "
            f"--squash); this one is {model.architecture}."
        )


def explain(
    bundle: Bundle, maps: MapSet, decoded: Decoded, config: RunConfig, *, device: torch.device
) -> Iterator[Explained]:
    """Yield maps and scores of a participant, method by method, a few examples at a time.

    The random numbers of SmoothGrad depend on the run's seed and the example alone, so that
    participants can be explained in any order and number.
    """
    names = maps.class_names
    values = np.asarray(maps.values[decoded.indices])[:, maps.mask]
    truth = class_maps(values, maps.labels[decoded.indices], len(names))
    for start in range(0, len(decoded.indices), BATCH):
        chosen = slice(start, start + BATCH)
        indices, predicted = decoded.indices[chosen], decoded.predicted[chosen]
        for method in config.saliency.map_methods:
            saliency = saliency_of(bundle.decoder, maps, indices, method, config, device)
            by_class = saliency.inside.cpu().numpy()
            scored = partial(_scores, maps=maps, method=method, truth=truth)
            yield Explained(
                indices=indices,
                method=method,
                saliency=by_class,
                maps=list(_targeted(saliency, indices, predicted, method, config, maps)),
                scores=list(chain.from_iterable(in_threads(scored, by_class, indices))),
                true_class=_of_true_class(by_class, maps.labels[indices]),
            )


def _scores(
    by_class: NDArray[np.float32], index: int, *, maps: MapSet, method: str, truth: ClassMaps
) -> list[dict[str, object]]:
    """Return the rows of one example; none where its class is not known."""
    example, names = maps.examples[index], maps.class_names
    if example.label == UNKNOWN:
        return []
    return [
        {
            "participant_id": f"sub-{example.participant}",
            "session_id": f"ses-{example.session}" if example.session else None,
            "label": names[example.label],
            "method": method,
            "criterion": found.criterion,
            "target": names[found.target],
            "pearson_r": found.pearson_r,
            "n_voxels": by_class.shape[1],
            "n_classes": truth.n_classes,
        }
        for found in score(by_class, example.label, truth)
    ]


def saliency_of(
    decoder: TrainedDecoder,
    maps: MapSet,
    indices: NDArray[np.int64],
    method: str,
    config: RunConfig,
    device: torch.device,
) -> Saliency:
    """Explain at most `BATCH` examples at once, for every class."""
    x, _ = batches_of(maps, indices, device).take(slice(None))
    return METHODS[method](
        decoder.model,
        x,
        decoder.temperature,
        config.saliency,
        generator=_generator(config, maps, int(indices[0]), device),
    )


def _of_true_class(
    by_class: NDArray[np.float32], labels: NDArray[np.int64]
) -> NDArray[np.float32]:
    known = labels != UNKNOWN
    return np.asarray(by_class[np.flatnonzero(known), labels[known]])


def scores_table(rows: list[dict[str, object]]) -> pd.DataFrame:
    """Return the scores as a table, with all columns even when there are none."""
    return pd.DataFrame(rows, columns=list(SCORES_DICTIONARY))


def _generator(
    config: RunConfig, maps: MapSet, index: int, device: torch.device
) -> torch.Generator:
    seed = seed_of(maps, index, seed=config.execution.random_seed).generate_state(1)
    return torch.Generator(device).manual_seed(int(seed[0]))


def _targeted(
    saliency: Saliency,
    indices: NDArray[np.int64],
    predicted: NDArray[np.int64],
    method: str,
    config: RunConfig,
    maps: MapSet,
) -> Iterator[SaliencyMap]:
    """Yield the maps that ``--target`` asks for, of every example."""
    names, target = maps.class_names, config.saliency.target
    for position, index in enumerate(indices):
        maps_of_one, factors = saliency.inside[position], saliency.log_factor[position]
        if ">" in target:
            a, b = (names.index(name) for name in target.split(">"))
            largest = torch.maximum(factors[a], factors[b])
            difference = maps_of_one[a] * torch.exp(factors[a] - largest)
            difference = difference - maps_of_one[b] * torch.exp(factors[b] - largest)
            yield _scaled(difference, largest, int(index), method, target, maps)
            continue
        label, guess = maps.examples[index].label, int(predicted[position])
        for k in classes_explained(target, label, guess, len(names)):
            yield _scaled(maps_of_one[k], factors[k], int(index), method, names[k], maps)


def classes_explained(target: str, label: int, predicted: int, n_classes: int) -> Sequence[int]:
    """Return the classes that ``--target true``, ``predicted`` or ``all`` asks for of one map."""
    return {
        "true": [predicted if label == UNKNOWN else label],
        "predicted": [predicted],
        "all": range(n_classes),
    }[target]


def _scaled(
    values: torch.Tensor,
    log_factor: torch.Tensor,
    index: int,
    method: str,
    target: str,
    maps: MapSet,
) -> SaliencyMap:
    array = values.cpu().numpy().astype(np.float64)
    rms = float(np.sqrt(np.mean(array**2)))
    scaled = array / rms if rms > 0 else array
    return SaliencyMap(
        index=index,
        method=method,
        target=target,
        values=maps.on_grid(scaled.astype(np.float32)),
        gradient_rms=rms * float(torch.exp(log_factor.double())),
    )
