import copy

import numpy as np
import pytest
import torch
from torch.autograd.graph import saved_tensors_hooks
from torch.nn import functional

from fmridecode.core import attacks, gradients, hessian, portions, saliency, training
from fmridecode.core.attacks import ascent_direction, pgd
from fmridecode.core.hessian import interactions
from fmridecode.core.models import ARCHITECTURES, Decoder, Ensemble
from fmridecode.core.portions import logits_of, portion, within_memory
from fmridecode.core.saliency import METHODS, mixing
from fmridecode.core.settings import SaliencyConfig, TrainingConfig
from fmridecode.core.softening import soften
from fmridecode.errors import UsageError

MASK = torch.ones(8, 7, 6, dtype=torch.bool)
MASK[0] = False
USERS = (attacks, gradients, hessian, portions, training)


@pytest.fixture
def at_once(monkeypatch):
    """Let so many maps pass at once, whatever their size."""

    def choose(size):
        for user in USERS:
            monkeypatch.setattr(user, "portion", lambda model, x: size)

    return choose


def exact(a_decoder, architecture="cnn", **model):
    return a_decoder(architecture, MASK, gain=1.0, **model).double()


def maps(n=5):
    return torch.randn(n, *MASK.shape, dtype=torch.float64)


@pytest.mark.parametrize("architecture", ["cnn", "cnn-stride1", "cln"])
@pytest.mark.parametrize("attack", [True, False])
def test_an_update_in_portions_is_the_update_of_the_whole_batch(
    a_decoder, at_once, architecture, attack
):
    x, targets = maps(), torch.softmax(torch.randn(5, 3, dtype=torch.float64), dim=1)
    found = []
    for size in (5, 2, 1):
        at_once(size)
        model = exact(a_decoder, architecture)
        trainer = training.Trainer(model, TrainingConfig(l2=0.1), 1, torch.Generator())
        loss, direction = trainer.update(x, targets, attack=attack)
        gradients = [each.grad for each in model.parameters()]
        found.append([loss, *gradients, *([direction] if attack else [])])
    for other in found[1:]:
        torch.testing.assert_close(other, found[0], rtol=1e-10, atol=1e-12)


def test_the_gradient_of_an_update_is_that_of_the_penalised_mean_loss(a_decoder, at_once):
    at_once(2)
    x, labels = maps(), torch.tensor([0, 1, 2, 0, 1])
    targets = functional.one_hot(labels, 3).double()
    model = exact(a_decoder)
    plain = copy.deepcopy(model)
    loss = functional.cross_entropy(plain(x), labels)
    (loss + 0.1 * sum(weight.square().sum() for weight in plain.weights())).backward()
    trainer = training.Trainer(model, TrainingConfig(l2=0.1), 1, torch.Generator())
    assert trainer.update(x, targets)[0] == pytest.approx(float(loss.detach()))
    for ours, theirs in zip(model.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-10, atol=1e-12)


def test_attacks_and_logits_do_not_depend_on_the_portion(a_decoder, at_once):
    model, x, labels = exact(a_decoder), maps(), torch.tensor([0, 1, 2, 0, 1])
    found = []
    for size in (5, 2):
        at_once(size)
        noise = pgd(model, x, labels, bound=1.0, step=0.5, steps=3)
        found.append((ascent_direction(model, x, labels), noise, logits_of(model, x)))
    torch.testing.assert_close(found[1], found[0], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_saliency_does_not_depend_on_the_portion(a_decoder, at_once, method):
    model, x, found = exact(a_decoder), maps(), []
    for size in (5, 2):
        at_once(size)
        generator = torch.Generator().manual_seed(0)
        config = SaliencyConfig(smoothgrad_samples=3, smoothgrad_sigma=1.0)
        saliencies = METHODS[method](model, x, 1.3, config, generator=generator)
        found.append((saliencies.maps, saliencies.log_factor))
    torch.testing.assert_close(found[1], found[0], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_gradients_from_differences_of_logits_are_those_from_the_whole_jacobian(
    a_decoder, architecture
):
    model, x = exact(a_decoder, architecture), maps()
    logits, jacobian = saliency.logit_jacobian(model, x)
    weights, log_factor = mixing(logits, 0.7)
    found = saliency.gradient(model, x, 0.7, SaliencyConfig(), generator=torch.Generator())
    torch.testing.assert_close(found.inside, weights @ jacobian, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(found.log_factor, log_factor)


@pytest.mark.parametrize(
    "model",
    [
        {},
        {"pooling": "stride"},
        {"coarsen_from": 6, "filters": (3, 2)},
        {"filters": (2, 3, 40), "halvings": 1},
    ],
)
@pytest.mark.parametrize("architecture", ["cnn", "cnn-stride1"])
def test_the_feature_numbers_are_those_of_the_largest_output_of_a_layer(
    a_decoder, architecture, model
):
    decoder, seen = a_decoder(architecture, MASK, **model), []
    for layer in decoder.layers:
        layer.register_forward_hook(lambda _, __, out: seen.append(out[0].numel()))
    decoder(maps(1).float())
    assert decoder.feature_numbers() == max(seen)
    assert Ensemble([decoder, decoder]).feature_numbers() == max(seen)


def test_portions_fill_the_cache_but_hold_two_maps(a_decoder, monkeypatch):
    model, x = a_decoder("cnn", MASK), maps(40).float()
    assert portion(model, x) == 40
    monkeypatch.setattr(portions, "CACHE", 3 * 4 * model.feature_numbers())
    assert portion(model, x) == 3
    monkeypatch.setattr(portions, "CACHE", 1)
    assert portion(model, x) == 2
    assert portion(model, x[:1]) == 1
    assert portion(a_decoder("linear", MASK), x) == 40


def test_a_batch_that_does_not_fit_into_the_gpus_memory_is_halved():
    tried = []

    def run(size):
        tried.append(size)
        if size > 3:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB.")
        return "done"

    assert within_memory(Decoder(MASK), run, 9) == ("done", 3)
    assert tried == [9, 5, 3]


def test_one_map_that_does_not_fit_is_an_error_that_says_what_to_do():
    def run(size):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB.")

    with pytest.raises(UsageError, match=r"one map.*20 GiB.*--device cpu"):
        within_memory(Decoder(MASK), run, 2)


def test_an_update_that_ran_out_of_memory_is_made_in_smaller_portions(a_decoder, monkeypatch):
    """The weights and the random numbers are as if it had fitted; the next one starts small."""
    x, targets = maps(4), functional.one_hot(torch.tensor([0, 1, 2, 0]), 3).double()
    found = []
    for capacity in (4, 2):
        model, sizes = exact(a_decoder), []
        forward = model.forward

        def limited(x, forward=forward, sizes=sizes, capacity=capacity):
            sizes.append(len(x))
            if len(x) > capacity:
                raise torch.OutOfMemoryError("CUDA out of memory.")
            return forward(x)

        monkeypatch.setattr(model, "forward", limited)
        trainer = training.Trainer(model, TrainingConfig(), 2, torch.Generator().manual_seed(0))
        training.SCHEMES["adversarial"](trainer, x, targets)
        found.append([each.detach() for each in model.parameters()])
    assert sizes == [4, *[2, 2] * 4]
    torch.testing.assert_close(found[1], found[0], rtol=1e-8, atol=1e-10)


@pytest.mark.gpu
def test_a_batch_beyond_the_gpus_memory_gives_the_logits_of_smaller_ones(a_decoder):
    """A cap of memory stands in for a large network."""
    model = a_decoder("cnn", torch.ones(64, 64, 64, dtype=torch.bool), filters=(64, 8))
    model, x = model.to("cuda"), torch.randn(64, 64, 64, 64, device="cuda")
    expected = torch.cat([logits_of(model, few) for few in x.split(4)])
    held = torch.cuda.memory_reserved()
    total = torch.cuda.get_device_properties(0).total_memory
    try:
        torch.cuda.set_per_process_memory_fraction((held + 2**30) / total)
        torch.testing.assert_close(logits_of(model, x), expected, rtol=1e-3, atol=1e-4)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)


def results(model, x):
    """Return what a training, an attack and an explanation take of a decoder."""
    targets = functional.one_hot(torch.arange(len(x)) % 3, 3).double()
    config, parcels = SaliencyConfig(smoothgrad_samples=2), np.zeros(MASK.shape, dtype=np.int64)
    parcels[2:4], parcels[4:6] = 1, 2
    curved = soften(model, x[:2]).model
    of_parcels = interactions(curved, x[:2], parcels, 1.0, torch.tensor([0, 1]))
    maps_of = [
        method(model, x, 1.3, config, generator=torch.Generator().manual_seed(0)).maps
        for method in METHODS.values()
    ]
    trainer = training.Trainer(model, TrainingConfig(l2=0.1), 3, torch.Generator().manual_seed(0))
    loss, direction = trainer.update(x, targets, attack=True)
    gradients = [each.grad for each in model.parameters()]
    training.SCHEMES["adversarial"](trainer, x, targets)
    weights = [each.detach() for each in model.parameters()]
    return [*maps_of, torch.from_numpy(of_parcels.matrix), direction, *gradients, *weights], loss


@pytest.mark.parametrize("architecture", ["cnn", "cnn-stride1", "cln"])
@pytest.mark.parametrize("size", [1, 4])
def test_features_made_anew_give_the_same_results(a_decoder, at_once, architecture, size):
    at_once(size)
    kept = exact(a_decoder, architecture)
    anew, x = copy.deepcopy(kept), maps(4)
    assert anew.recompute()
    (expected, loss), (found, other) = results(kept, x), results(anew, x)
    assert other == pytest.approx(loss, rel=1e-12)
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-13)


def test_an_ensemble_makes_the_features_of_all_members_anew(a_decoder):
    members = [exact(a_decoder), exact(a_decoder)]
    whole = Ensemble(members)
    assert (whole.recomputes, whole.recompute(), whole.recompute()) == (False, True, False)
    assert whole.recomputes
    assert all(member.recomputes for member in members)
    assert not Decoder(MASK).recompute()


def test_fewer_features_are_kept_for_the_backward_pass(a_decoder):
    model, x = exact(a_decoder, "cnn-stride1"), maps(1).requires_grad_()

    def kept():
        """Return the numbers that hooks see being kept."""
        seen = []
        with saved_tensors_hooks(lambda t: seen.append(t.numel()) or t, lambda t: t):
            model(x)
        return sum(n for n in seen if n >= MASK.numel())

    everything = kept()
    model.recompute()
    assert kept() < 0.75 * everything
    with torch.no_grad():
        model(x)


def test_where_memory_is_short_one_map_passes_at_a_time(a_decoder, monkeypatch):
    model, x = a_decoder("cnn", MASK), maps(4).float()
    monkeypatch.setattr(portions, "CACHE", 1)
    model.recompute()
    assert portion(model, x) == 1


def test_a_map_that_does_not_fit_into_the_gpus_memory_keeps_fewer_features(a_decoder):
    model, tried = a_decoder("cnn", MASK), []

    def run(size):
        tried.append((size, model.recomputes))
        if not model.recomputes:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB.")
        return "done"

    assert within_memory(model, run, 2) == ("done", 1)
    assert tried == [(2, False), (1, False), (1, True)]


def test_portions_of_a_coarsened_decoder_mind_the_size_of_its_maps(a_decoder, monkeypatch):
    model = a_decoder("cnn", MASK, coarsen_from=3, filters=(1,))
    assert model.feature_numbers() < MASK.numel()
    monkeypatch.setattr(portions, "CACHE", 3 * 4 * MASK.numel())
    assert portion(model, torch.empty(9, *MASK.shape)) == 3
