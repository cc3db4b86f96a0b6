"""Permutation test of a linear decoder that is trained anew on permuted labels, fold by fold."""

import logging
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, recall_score

from fmridecode.bids.derivatives import read_table, write_table
from fmridecode.config import RunConfig
from fmridecode.core.maps import MapSet
from fmridecode.core.splits import Split
from fmridecode.core.trained import predict_logits
from fmridecode.errors import UsageError
from fmridecode.pipeline.memory import n_processes, work_of_maps
from fmridecode.pipeline.participant.decode import batches_of
from fmridecode.pipeline.training.baseline import baseline_config, has_baseline
from fmridecode.pipeline.training.choose import epsilons, with_epsilon
from fmridecode.pipeline.training.fitting import fit_members
from fmridecode.pipeline.training.folds import Folds
from fmridecode.progress import progress

log = logging.getLogger(__name__)

PERMUTATIONS = "permutations.tsv"
PERMUTATIONS_DICTIONARY = {
    "permutation": "Number of the permutation: labels exchanged within every participant, "
    "training, validation and test alike. 0: the labels as they are.",
    "accuracy": "Accuracy of the cross-validation with these labels.",
    "balanced_accuracy": "Mean recall over classes.",
    "n_maps": "Maps tested.",
}
BETWEEN_WRITES = 10.0
"""Seconds of work that an interruption may lose."""


def check_refits(config: RunConfig) -> None:
    """Raise a UsageError where refits are asked for and there is no linear decoder to refit."""
    if not config.evaluation.permutation_refits:
        return
    if config.model.architecture != "linear" and not has_baseline(config):
        raise UsageError(
            "--permutation-refits trains a linear decoder anew on permuted labels, and there is "
            "none: use --architecture linear, or --baseline linear."
        )
    if len(epsilons(_tested(config))) > 1:
        raise UsageError(
            "--permutation-refits with --epsilon auto would choose the bound anew for every "
            "permutation; give --epsilon a number."
        )


def refits_done(config: RunConfig, folds: Folds) -> bool:
    """Whether the table has as many permutations as are asked for."""
    return not _missing(config, _known(linear_folds(config, folds)))


def _missing(config: RunConfig, rows: list[dict[str, float]]) -> list[int]:
    wanted = config.evaluation.permutation_refits
    numbers = set(range(wanted + 1)) if wanted else set[int]()
    return sorted(numbers - {int(row["permutation"]) for row in rows})


def linear_folds(config: RunConfig, folds: Folds) -> Folds:
    """Return the folds of the linear decoder: the decoder's own, or those of the baseline."""
    return folds if config.model.architecture == "linear" else folds.baseline()


def refit(config: RunConfig, maps: MapSet, folds: Folds) -> None:
    """Train on permuted labels what is missing in ``permutations.tsv``, on the CPU.

    The table grows while this runs, and what is in it is not computed again.
    """
    folds = linear_folds(config, folds)
    rows = _known(folds)
    missing = _missing(config, rows)
    if not missing:
        return
    folds.check_everyone(maps)
    config, maps = _tested(config), _voxels_only(maps)
    start = time.monotonic()
    rows.append(refit_once(config, maps, folds.splits, missing.pop(0)))
    n_jobs = max(1, min(n_processes(config, work_of_maps(maps)), len(missing)))
    _announce(len(missing), time.monotonic() - start, n_jobs)
    written = time.monotonic()
    try:
        with progress("Permutations", len(missing)) as advance:
            for row in _refitted(config, maps, folds.splits, missing, n_jobs):
                rows.append(row)
                advance()
                if time.monotonic() - written > BETWEEN_WRITES:
                    _write(rows, folds)
                    written = time.monotonic()
    finally:
        _write(rows, folds)


def _announce(n_missing: int, seconds: float, n_jobs: int) -> None:
    log.info(
        "The linear decoder will be trained anew on %d permutations of the labels, which takes "
        "about %d minutes in %d processes; --permutation-refits says how many.",
        n_missing,
        max(1, round(seconds * n_missing / n_jobs / 60)),
        n_jobs,
    )


def _refitted(
    config: RunConfig,
    maps: MapSet,
    splits: tuple[Split, ...],
    permutations: list[int],
    n_jobs: int,
) -> Iterator[dict[str, float]]:
    from joblib import Parallel, delayed

    jobs = (delayed(refit_once)(config, maps, splits, each) for each in permutations)
    yield from Parallel(n_jobs=n_jobs, return_as="generator")(jobs)


def refit_once(
    config: RunConfig, maps: MapSet, splits: tuple[Split, ...], permutation: int
) -> dict[str, float]:
    """Cross-validate with one permutation of the labels; the seeds are those of the decoders.

    So the statistic is one function of the labels, and the test is exact under exchangeability.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the permutations are spread over processes
    try:
        return _cross_validated(config, maps, splits, permutation)
    finally:
        torch.set_num_threads(threads)


def _cross_validated(
    config: RunConfig, maps: MapSet, splits: tuple[Split, ...], permutation: int
) -> dict[str, float]:
    device = torch.device("cpu")
    labels = permuted(maps, permutation, seed=config.execution.random_seed)
    examples = tuple(
        replace(example, label=int(label))
        for example, label in zip(maps.examples, labels, strict=True)
    )
    maps = replace(maps, examples=examples)
    true, decoded = [], []
    for fold, split in enumerate(splits, start=1):
        model = fit_members(config, maps, split, fold=fold, device=device, n_attacked=0).model
        tested = maps.where(set(split.test))
        logits = predict_logits(model, batches_of(maps, tested, device))
        decoded.append(logits.numpy().argmax(axis=1))
        true.append(labels[tested])
    y, z = np.concatenate(true), np.concatenate(decoded)
    recall = recall_score(y, z, labels=np.unique(y), average="macro")
    return {
        "permutation": permutation,
        "accuracy": float(accuracy_score(y, z)),
        "balanced_accuracy": float(recall),
        "n_maps": len(y),
    }


def permuted(maps: MapSet, permutation: int, *, seed: int) -> NDArray[np.int64]:
    """Return the labels exchanged within participants; ``permutation`` 0 leaves them.

    A participant's permutation does not depend on who else is there.
    """
    labels = maps.labels
    if permutation == 0:
        return labels
    for who in sorted(set(maps.participants)):
        indices = maps.where({who})
        random = np.random.default_rng([seed, permutation, *who.encode()])
        labels[indices] = random.permutation(labels[indices])
    return labels


def _tested(config: RunConfig) -> RunConfig:
    linear = config.model.architecture == "linear"
    tested = config if linear else baseline_config(config)
    found = epsilons(tested)
    return with_epsilon(tested, found[0]) if len(found) == 1 else tested


def _voxels_only(maps: MapSet) -> MapSet:
    """Return the maps as rows of the mask's voxels: all that a linear decoder sees of them."""
    values = np.ascontiguousarray(np.asarray(maps.values)[:, maps.mask])
    return replace(maps, values=values, mask=np.ones(values.shape[1], dtype=np.bool_))


def _known(folds: Folds) -> list[dict[str, float]]:
    path = folds.folder / PERMUTATIONS
    if not path.exists():
        return []
    rows = read_table(path).to_dict("records")
    return [{str(name): float(value) for name, value in row.items()} for row in rows]


def _write(rows: list[dict[str, float]], folds: Folds) -> None:
    if rows:
        table = pd.DataFrame(rows).sort_values("permutation")
        table = table.astype({"permutation": int, "n_maps": int})
        write_table(folds.folder / PERMUTATIONS, table, PERMUTATIONS_DICTIONARY)
