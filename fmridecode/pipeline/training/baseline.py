"""The linear decoder that another decoder is compared with, on the same folds."""

from dataclasses import replace

from fmridecode.config import RunConfig
from fmridecode.pipeline.training.folds import Folds


def has_baseline(config: RunConfig) -> bool:
    """Whether a linear decoder is trained to compare with; one that is linear needs none.

    Of a number, it is a ridge regression, which a linear decoder is compared with too.
    """
    needed = config.model.architecture != "linear" or bool(config.input.target_column)
    return config.evaluation.baseline == "linear" and needed


def baseline_config(config: RunConfig) -> RunConfig:
    """Return the settings of the baseline: everything alike but the architecture and the scheme.

    It is the decoder that ``--architecture linear --training standard`` would give, bit for bit.
    """
    return replace(
        config,
        model=replace(config.model, architecture="linear"),
        training=replace(config.training, scheme="standard", init_from="", freeze_layers=0),
    )


def baseline_trained(config: RunConfig, folds: Folds) -> bool:
    """Whether nothing is left to train for the comparison."""
    return not has_baseline(config) or folds.baseline().complete()
