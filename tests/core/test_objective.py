import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from fmridecode.core import training
from fmridecode.core.attacks import ascent_direction, pgd
from fmridecode.core.batches import Batches
from fmridecode.core.fit import fit
from fmridecode.core.gaussian import likelihood_gradient, moments
from fmridecode.core.models import build
from fmridecode.core.noise import norms
from fmridecode.core.objective import NUMBER
from fmridecode.core.portions import logits_of
from fmridecode.core.settings import ModelConfig, TrainingConfig
from fmridecode.core.training import SCHEMES
from fmridecode.errors import UsageError

MASK = torch.ones(6, 6, dtype=torch.bool)
MASK[0] = False
PATTERN = torch.zeros(6, 6)
PATTERN[3, 1:4] = 1.0


def a_decoder(architecture="linear", **model):
    config = ModelConfig(architecture=architecture, **{"filters": (4, 5), **model})
    return build(config, MASK, 2, generator=torch.Generator().manual_seed(0))


def numbered(n, *, seed=0, signal=1.5, shuffled=False):
    """Maps whose pattern grows with a standardised number."""
    generator = np.random.default_rng(seed)
    numbers = generator.standard_normal(n).astype(np.float32)
    values = generator.standard_normal((n, 6, 6)).astype(np.float32)
    values += signal * numbers[:, None, None] * PATTERN.numpy()
    return Batches(
        values=values,
        labels=generator.permutation(numbers) if shuffled else numbers,
        indices=np.arange(n, dtype=np.int64),
        device=torch.device("cpu"),
    )


def trained(model, *, seed=3, shuffled=False, **config):
    settings = TrainingConfig(**{"batch_size": 16, "epochs": 12, "learning_rate": 0.01, **config})
    history = fit(
        model,
        numbered(96, shuffled=shuffled),
        numbered(64, seed=1, shuffled=shuffled),
        settings,
        n_outputs=2,
        objective=NUMBER,
        generator=torch.Generator().manual_seed(seed),
    )
    return {name: value.clone() for name, value in model.state_dict().items()}, history


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("architecture", ["linear", "cnn"])
def test_a_seeded_training_on_numbers_repeats_bit_for_bit(architecture, scheme):
    recipe = {"scheme": scheme, "mixup": True, "input_noise": 0.3, "epsilon": 0.2}
    first, again = (trained(a_decoder(architecture), **recipe) for _ in range(2))
    other, _ = trained(a_decoder(architecture), seed=4, **recipe)
    assert all(torch.equal(first[0][name], again[0][name]) for name in first[0])
    assert str(first[1]) == str(again[1])
    assert any(not torch.equal(first[0][name], other[name]) for name in other)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_number_in_the_maps_is_learnt_and_its_pattern_found(scheme):
    model = a_decoder()
    _, history = trained(model, scheme=scheme, epsilon=0.1, epochs=48)
    kept = history.epochs[history.selected]
    assert kept.validation_score > 0.5
    assert math.isnan(kept.robust_score) == (scheme in ("standard", "random-noise"))
    weights = torch.zeros(6, 6)
    weights[MASK] = model.head.weight[0].detach()
    assert functional.cosine_similarity(weights.flatten(), PATTERN.flatten(), dim=0) > 0.6


def test_numbers_that_are_shuffled_are_not_learnt():
    _, history = trained(a_decoder(), scheme="standard", epochs=24, shuffled=True)
    assert history.epochs[history.selected].validation_score < 0.1


def test_the_score_is_r2_against_the_mean_of_the_training_participants():
    model, data = a_decoder(), numbered(64, seed=1)
    _, history = trained(model, scheme="standard")
    predicted = moments(logits_of(model, torch.from_numpy(data.values)))[0].numpy()
    expected = 1 - ((data.labels - predicted) ** 2).sum() / (data.labels**2).sum()
    kept = history.epochs[history.selected]
    assert kept.validation_score == pytest.approx(expected, rel=1e-5)


def test_the_mean_is_trained_as_by_the_squared_error_and_the_variance_by_the_likelihood():
    outputs = torch.randn(20, 2, dtype=torch.float64).requires_grad_()
    numbers = torch.randn(20, dtype=torch.float64)
    (found,) = torch.autograd.grad(NUMBER.loss(outputs, numbers[:, None]), outputs)
    likelihood = likelihood_gradient(outputs.detach(), numbers)
    variance = moments(outputs.detach())[1]
    torch.testing.assert_close(found[:, 0], outputs.detach()[:, 0] - numbers)
    torch.testing.assert_close(found[:, 1], variance * likelihood[:, 1])


def test_the_epoch_is_chosen_by_the_squared_error():
    _, history = trained(a_decoder(), scheme="standard", epochs=24)
    best = min(history.epochs, key=lambda each: each.validation_loss)
    assert best.epoch == history.selected
    assert best.validation_score == max(each.validation_score for each in history.epochs)


def test_a_training_on_numbers_goes_on_bit_for_bit_from_a_checkpoint():
    def run(start=None, stop_at=None):
        model, captured, calls = a_decoder("cnn"), [], 0

        def on_batch(capture):
            nonlocal calls
            calls += 1
            if calls == stop_at:
                captured.append(capture())
                raise InterruptedError

        config = TrainingConfig(batch_size=16, epochs=8, steps=2, learning_rate=0.02)
        try:
            history = fit(
                model,
                numbered(48),
                numbered(20, seed=1),
                config,
                n_outputs=2,
                objective=NUMBER,
                generator=torch.Generator().manual_seed(3),
                start=start,
                on_batch=on_batch,
            )
        except InterruptedError:
            return captured[0], None
        return {name: value.clone() for name, value in model.state_dict().items()}, str(history)

    expected, history = run()
    for stop_at in (1, 4, 7):
        checkpoint, _ = run(stop_at=stop_at)
        found, again = run(start=checkpoint)
        assert again == history
        assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_a_number_of_minus_one_is_no_unknown_class():
    labels = np.array([-1.0, 0.5], dtype=np.float32)
    assert NUMBER.most(labels).tolist() == [1.0, 0.25]


def test_the_attack_on_a_linear_decoder_has_a_closed_form():
    model, x = a_decoder(), torch.randn(5, 6, 6)
    y = torch.tensor([-1.0, 0.0, 0.3, 1.0, 2.0])
    mean, variance = likelihood_gradient(logits_of(model, x), y).T
    weights = torch.zeros(2, 6, 6)
    weights[:, MASK] = model.head.weight.detach()
    expected = mean[:, None, None] * weights[0] + variance[:, None, None] * weights[1]
    expected = functional.normalize(expected.flatten(1)).view_as(x)
    for targets in (y, y[:, None]):
        found = ascent_direction(model, x, targets, objective=NUMBER)
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_with_a_constant_variance_the_attack_moves_the_mean_away_from_the_truth():
    model, x = a_decoder(), torch.zeros(2, 6, 6)
    with torch.no_grad():
        model.head.weight[1].zero_()
    y = torch.tensor([[1.0], [-1.0]])
    noise = pgd(model, x, y, bound=0.5, step=0.1, steps=8, objective=NUMBER)
    weights = torch.zeros(6, 6)
    weights[MASK] = model.head.weight[0].detach()
    straight = 0.5 * weights / weights.norm()
    torch.testing.assert_close(noise, torch.stack([-straight, straight]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("architecture", ["linear", "cnn"])
def test_the_pass_that_updates_gives_the_direction_of_the_attack(architecture):
    model, config = a_decoder(architecture), TrainingConfig()
    x, y = torch.randn(4, 6, 6), torch.randn(4, 1)
    expected = ascent_direction(model, x, y, objective=NUMBER)
    trainer = training.Trainer(model, config, 1, torch.Generator(), objective=NUMBER)
    _, direction = trainer.update(x, y, attack=True)
    torch.testing.assert_close(direction, expected, rtol=1e-4, atol=1e-5)
    assert norms(direction).tolist() == pytest.approx([1.0] * 4, rel=1e-5)


def test_a_targeted_attack_needs_classes():
    with pytest.raises(UsageError, match="needs classes"):
        trained(a_decoder(), attack="targeted")
