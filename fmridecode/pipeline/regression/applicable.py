"""Which settings mean something where a number is decoded, and which need classes."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

from fmridecode.config import RunConfig
from fmridecode.core.settings import AUTO
from fmridecode.errors import UsageError
from fmridecode.pipeline.given import Given
from fmridecode.pipeline.preparing.target import OPTION, is_there

log = logging.getLogger(__name__)

METHODS = ("weights", "gradient", "gradient-x-input", "smoothgrad")
"""Saliency methods that explain a number."""

MEASURES = ("faithfulness", "sanity", "reliability", "robustness")
"""Fields of `EvaluationConfig` that measure what classes alone have."""


def settled_for_number(config: RunConfig) -> RunConfig:
    """Return the settings with everything off that needs classes and that nobody asked for.

    Raises
    ------
    UsageError
        Something was asked for that needs classes.
    """
    refused = [flag for flag, asked in _needing_classes(config).items() if asked]
    if refused:
        raise UsageError(
            f"{refused[0]} needs classes, and {OPTION} {config.input.target_column} decodes a "
            "number; leave one of the two out."
        )
    off: dict[str, Any] = dict.fromkeys((*MEASURES, "panels", "group_statistics"), "off")
    return replace(config, evaluation=replace(config.evaluation, **off))


def settled_for_given(config: RunConfig, given: Given, bids_dir: Path) -> RunConfig:
    """Return the settings for the decoder of ``--model``, which decodes classes or a number.

    The number's column is the decoder's own, where the data set has it and no other is named.

    Raises
    ------
    UsageError
        A number is asked for of a decoder of classes, or something that needs classes of one of
        a number.
    """
    number, column = given.decoder.number, config.input.target_column
    if number is None:
        if column:
            raise UsageError(
                f"--model {given.name} decodes classes, and {OPTION} {column} asks for a number; "
                "leave the column out, or name a decoder of a number."
            )
        return config
    name = number.target.name
    config = settled_for_number(
        replace(config, input=replace(config.input, target_column=column or name))
    )
    if column or is_there(bids_dir, config, name):
        return config
    log.warning(
        "No participants.tsv has the column %s that --model %s decodes: it is predicted, but "
        "cannot be scored. %s names another column.",
        name,
        given.name,
        OPTION,
    )
    return replace(config, input=replace(config.input, target_column=""))


def _needing_classes(config: RunConfig) -> dict[str, bool]:
    """Return the options that classes alone have, and whether each was asked for."""
    evaluation, saliency, training = config.evaluation, config.saliency, config.training
    return {
        "--architecture correlation": config.model.architecture == "correlation",
        "--attack targeted": training.attack == "targeted",
        "--epsilon auto": training.epsilon == AUTO,
        "--init-from": bool(training.init_from),
        "--smoothgrad-sigma auto": saliency.smoothgrad_sigma == AUTO,
        f"--target {saliency.target}": saliency.target != "true",
        **{f"--saliency {each}": each not in METHODS for each in saliency.methods},
        **{f"--{each} full": getattr(evaluation, each) == "full" for each in MEASURES},
        "--group-statistics full": evaluation.group_statistics == "full",
        "--panels all": evaluation.panels == "all",
        "--permutation-refits": evaluation.permutation_refits > 0,
        "--atlas": bool(evaluation.atlas),
        "--model-labels": bool(config.given.labels),
    }
