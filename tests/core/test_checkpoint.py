"""A training that stops at any minibatch and goes on ends as if it had not stopped."""

from dataclasses import replace

import pytest
import torch

from fmridecode.core.checkpoint import Checkpoint
from fmridecode.core.fit import fit
from fmridecode.core.settings import TrainingConfig
from fmridecode.core.training import SCHEMES

MASK = torch.ones(6, 6, dtype=torch.bool)
MASK[0] = False
RECIPES = {scheme: {"scheme": scheme} for scheme in SCHEMES} | {
    "targeted": {"scheme": "adversarial", "attack": "targeted"},
    "two passes": {"scheme": "adversarial", "gradient_reuse": False},
    "authors": {"scheme": "pgd", "clean_every_second": True},
    "full batch": {"scheme": "pgd", "batch_size": 0},
    "cosine and mixtures": {
        "scheme": "adversarial",
        "schedule": "cosine",
        "mixup": True,
        "input_noise": 0.3,
        "voxel_rate": 0.1,
    },
}


class StoppedError(Exception):
    pass


def run(a_decoder, batches, recipe, *, start=None, stop_at=None, architecture="cnn", seed=3):
    """Train; return the weights and the history, or what was captured at minibatch ``stop_at``."""
    captured: list[Checkpoint] = []
    calls = 0

    def on_batch(capture):
        nonlocal calls
        calls += 1
        if calls == stop_at:
            captured.append(capture())
            raise StoppedError

    model = a_decoder(architecture, MASK, gain=1.0)
    config = TrainingConfig(
        **{"batch_size": 10, "epochs": 2, "steps": 2, "learning_rate": 0.02, **recipe}
    )
    try:
        history = fit(
            model,
            batches(24),
            batches(12, seed=1),
            config,
            n_outputs=3,
            generator=torch.Generator().manual_seed(seed),
            start=start,
            on_batch=on_batch,
            n_attacked=2,
        )
    except StoppedError:
        return captured[0], None
    return {name: value.clone() for name, value in model.state_dict().items()}, history


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("name", RECIPES)
def test_a_training_goes_on_bit_for_bit_from_every_minibatch(a_decoder, batches, name):
    recipe = RECIPES[name]
    expected, history = run(a_decoder, batches, recipe)
    for stop_at in range(1, 100):
        checkpoint, finished = run(a_decoder, batches, recipe, stop_at=stop_at)
        if finished:
            break
        # the seed is another: it must not matter
        weights, resumed = run(a_decoder, batches, recipe, start=checkpoint, seed=99)
        assert same(weights, expected), stop_at
        assert repr(resumed) == repr(history)
    assert stop_at > 2


def test_a_training_may_stop_again_and_again(a_decoder, batches):
    recipe = RECIPES["cosine and mixtures"]
    expected, history = run(a_decoder, batches, recipe)
    found, checkpoint = None, None
    while found is None:
        weights, found = run(a_decoder, batches, recipe, start=checkpoint, stop_at=1)
        checkpoint = weights
    assert same(weights, expected)
    assert repr(found) == repr(history)


def test_a_checkpoint_does_not_change_with_the_training_that_made_it(a_decoder, batches):
    seen: list[Checkpoint] = []
    model = a_decoder("linear", MASK)
    fit(
        model,
        batches(24),
        batches(12, seed=1),
        TrainingConfig(scheme="standard", batch_size=8, epochs=2),
        n_outputs=3,
        generator=torch.Generator().manual_seed(0),
        on_batch=lambda capture: seen.append(capture()),
    )
    assert not torch.equal(seen[0].model["head.weight"], seen[1].model["head.weight"])
    assert not torch.equal(seen[0].optimiser["0.exp_avg"], seen[1].optimiser["0.exp_avg"])
    assert [each.updates for each in seen] == [1, 2, 3, 3, 4, 5, 6, 6]
    assert [len(each.losses) for each in seen] == [1, 2, 3, 0, 1, 2, 3, 0]


def test_the_epochs_before_the_checkpoint_are_counted_for_the_progress_bar(a_decoder, batches):
    checkpoint, _ = run(a_decoder, batches, {"scheme": "standard"}, stop_at=6)
    numbers = []
    fit(
        a_decoder("cnn", MASK, gain=1.0),
        batches(24),
        batches(12, seed=1),
        TrainingConfig(scheme="standard", batch_size=10, epochs=3, learning_rate=0.02),
        n_outputs=3,
        generator=torch.Generator(),
        start=checkpoint,
        on_epoch=lambda epoch: numbers.append(epoch.epoch),
    )
    assert numbers == [0, 1, 2]


@pytest.mark.gpu
def test_a_training_on_cuda_goes_on_bit_for_bit(a_decoder, batches):
    def cuda_batches(n, *, seed=0):
        return replace(batches(n, seed=seed), device=torch.device("cuda"))

    def train(start=None, stop_at=None):
        captured = []

        def on_batch(capture):
            captured.append(capture)
            if len(captured) == stop_at:
                raise StoppedError

        model = a_decoder("cnn", MASK, gain=1.0).to("cuda")
        try:
            fit(
                model,
                cuda_batches(24),
                cuda_batches(12, seed=1),
                TrainingConfig(scheme="adversarial", batch_size=10, epochs=8, input_noise=0.1),
                n_outputs=3,
                generator=torch.Generator("cuda").manual_seed(0),
                start=start,
                on_batch=on_batch,
            )
        except StoppedError:
            return captured[-1]()
        return {name: value.cpu() for name, value in model.state_dict().items()}

    assert same(train(start=train(stop_at=5)), train())
