"""The training time that is announced is that of the training."""

import itertools

import pytest
import torch

from fmridecode.core.splits import Split
from fmridecode.pipeline.training import fitting
from fmridecode.pipeline.training.fitting import seconds_a_fold

PARTICIPANTS = tuple(f"{k:02d}" for k in range(12))
SPLIT = Split(train=PARTICIPANTS[:8], validation=PARTICIPANTS[8:10], test=PARTICIPANTS[10:])
CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("training", "minibatches", "a_minibatch_passes"),
    [
        ({"scheme": "standard", "epochs": 6}, 6 * 24 / 16, 1),
        ({"scheme": "adversarial", "epochs": 8, "steps": 4}, 2 * 24 / 16, 4),
        (
            {"scheme": "adversarial", "epochs": 8, "steps": 4, "gradient_reuse": False},
            2 * 24 / 16,
            7,
        ),
        ({"scheme": "pgd", "epochs": 3, "steps": 3}, 3 * 24 / 16, 4),
    ],
    ids=["standard", "adversarial", "without reuse", "pgd"],
)
def test_the_time_is_that_of_a_minibatch_times_their_number(
    quick, small_maps, monkeypatch, training, minibatches, a_minibatch_passes
) -> None:
    """The clock is made to say that a minibatch takes 16 s; 24 maps train, 6 validate."""
    clock = itertools.count(0, 16)
    monkeypatch.setattr(fitting.time, "monotonic", lambda: next(clock))
    config = quick({"training": training, "model": {"ensemble": 2}})
    found = seconds_a_fold(config, small_maps(12), SPLIT, CPU)
    epochs = minibatches * 16 / 24
    a_pass = 1 / a_minibatch_passes
    attacked = 20 * a_pass * 6 / 2 if config.training.scheme != "standard" else 0
    expected = 2 * (minibatches * 16 + epochs * (attacked + 6 * a_pass / 3))
    assert found == pytest.approx(expected)
