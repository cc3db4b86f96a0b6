"""Decoders trained on permuted labels: what their maps share with others was not learnt."""

from dataclasses import replace

from fmridecode.config import RunConfig
from fmridecode.core.maps import MapSet
from fmridecode.pipeline.training.folds import Folds
from fmridecode.pipeline.training.refits import permuted


def has_permuted(config: RunConfig) -> bool:
    """Whether decoders are trained on permuted labels, to compare saliency maps with theirs."""
    return config.evaluation.sanity == "full"


def permuted_trained(config: RunConfig, folds: Folds) -> bool:
    """Whether nothing is left to train for the comparison."""
    return not has_permuted(config) or folds.permuted().complete()


def permuted_maps(maps: MapSet, *, seed: int) -> MapSet:
    """Return the maps with their labels exchanged within every participant."""
    labels = permuted(maps, 1, seed=seed)
    examples = tuple(
        replace(example, label=int(label))
        for example, label in zip(maps.examples, labels, strict=True)
    )
    return replace(maps, examples=examples)
