import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from fmridecode.core import training
from fmridecode.core.attacks import pgd
from fmridecode.core.batches import Batches
from fmridecode.core.fit import fit
from fmridecode.core.history import Epoch, History
from fmridecode.core.maps import UNKNOWN
from fmridecode.core.models import build
from fmridecode.core.noise import norms, radius
from fmridecode.core.settings import ModelConfig, TrainingConfig
from fmridecode.core.training import SCHEMES, passes
from fmridecode.errors import BadDataError, UsageError

MASK = torch.ones(6, 6, dtype=torch.bool)
MASK[0] = False
EXACT = {"rtol": 1e-5, "atol": 1e-6}


def trained(model, batches, *, seed=3, n=48, **config):
    settings = TrainingConfig(**{"batch_size": 16, "epochs": 4, "learning_rate": 0.01, **config})
    history = fit(
        model,
        batches(n),
        batches(24, seed=1),
        settings,
        n_outputs=3,
        generator=torch.Generator().manual_seed(seed),
    )
    return {name: value.clone() for name, value in model.state_dict().items()}, history


def differ(a, b):
    return any(not torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("architecture", ["linear", "cnn"])
def test_a_seeded_training_repeats_bit_for_bit(a_decoder, batches, architecture, scheme):
    recipe = {"scheme": scheme, "mixup": True, "input_noise": 0.3, "epsilon": 0.2}
    first, again = (trained(a_decoder(architecture, MASK), batches, **recipe) for _ in range(2))
    other, _ = trained(a_decoder(architecture, MASK), batches, seed=4, **recipe)
    assert not differ(first[0], again[0])
    assert str(first[1]) == str(again[1])
    assert differ(first[0], other)


@pytest.mark.parametrize("reuse", [True, False])
def test_one_hop_is_standard_training_bit_for_bit(a_decoder, batches, reuse):
    one_hop, history = trained(
        a_decoder("cnn", MASK), batches, scheme="adversarial", steps=1, gradient_reuse=reuse
    )
    standard, expected = trained(a_decoder("cnn", MASK), batches, scheme="standard")
    assert not differ(one_hop, standard)
    assert [e.train_loss for e in history.epochs] == [e.train_loss for e in expected.epochs]


def algorithm_1(model, data, *, epochs, m, epsilon, learning_rate, generator):
    """Algorithm 1, literally: the input gradient is that of p after the update."""
    optimiser = torch.optim.Adam(model.parameters(), lr=learning_rate)
    for _ in range(epochs // m):
        order = torch.randperm(len(data), generator=generator)
        for chosen in order.split(16):
            x, y = data.take(chosen.numpy())
            d = torch.zeros_like(x)
            for hop in range(m):
                optimiser.zero_grad()
                functional.cross_entropy(model(x + d), y).backward()
                optimiser.step()
                if hop == m - 1:
                    break  # d is zeroed next
                noisy = (x + d).requires_grad_()
                torch.softmax(model(noisy), dim=1)[torch.arange(len(y)), y].sum().backward()
                nu = epsilon * torch.rand(len(x), generator=generator)[:, None, None]
                d = d - nu * noisy.grad / noisy.grad.norm(dim=(1, 2), keepdim=True)
                d = d * (epsilon / d.norm(dim=(1, 2), keepdim=True)).clamp(max=1)


@pytest.mark.parametrize("architecture", ["linear", "cnn"])
def test_without_gradient_reuse_training_is_algorithm_1(a_decoder, batches, architecture):
    recipe = {"epsilon": 0.5, "epochs": 3, "learning_rate": 0.01}
    ours, literal = (a_decoder(architecture, MASK, gain=1.0) for _ in range(2))
    trained(ours, batches, scheme="adversarial", steps=3, gradient_reuse=False, l2=0.0, **recipe)
    recipe["epsilon"] = radius(0.5, int(MASK.sum()))
    algorithm_1(literal, batches(48), m=3, generator=torch.Generator().manual_seed(3), **recipe)
    for mine, theirs in zip(ours.parameters(), literal.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-3, atol=1e-5)


def test_gradient_reuse_takes_the_direction_before_the_update(a_decoder, batches):
    model, settings = a_decoder("linear", MASK), TrainingConfig()
    x, y = batches(6).take(slice(None))
    targets = functional.one_hot(y, 3).float()
    leaf = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(functional.cross_entropy(model(leaf), y), leaf)
    trainer = training.Trainer(model, settings, 1, torch.Generator())
    _, direction = trainer.update(x, targets, attack=True)
    expected = functional.normalize(gradient.flatten(1)).view_as(x)
    torch.testing.assert_close(direction, expected, **EXACT)


def test_gradient_reuse_and_algorithm_1_differ_but_by_little(a_decoder, batches):
    recipe = {"scheme": "adversarial", "steps": 4, "epsilon": 0.3}
    reused, _ = trained(a_decoder("linear", MASK), batches, **recipe)
    literal, _ = trained(a_decoder("linear", MASK), batches, gradient_reuse=False, **recipe)
    assert differ(reused, literal)
    torch.testing.assert_close(reused["head.weight"], literal["head.weight"], rtol=0, atol=0.02)


@pytest.mark.parametrize("scheme", ["random-noise", "adversarial", "pgd"])
def test_training_noise_stays_in_the_ball_and_the_mask(a_decoder, batches, monkeypatch, scheme):
    model = a_decoder("linear", MASK)
    config = TrainingConfig(scheme=scheme, epsilon=0.2, steps=4, pgd_step=0.3)
    trainer = training.Trainer(model, config, 4, torch.Generator().manual_seed(0))
    seen, update = [], trainer.update
    monkeypatch.setattr(
        trainer, "update", lambda x, *args, **more: seen.append(x) or update(x, *args, **more)
    )
    x, y = batches(12).take(slice(None))
    SCHEMES[scheme](trainer, x, functional.one_hot(y, 3).float())
    noise = seen[-1] - x
    assert torch.all(norms(noise) <= 0.2 * math.sqrt(30) * (1 + 1e-5))
    assert torch.all(norms(noise) > 0)
    assert torch.all(noise[:, ~MASK] == 0)
    assert len(seen) == (4 if scheme == "adversarial" else 1)
    assert scheme != "adversarial" or torch.equal(seen[0], x)


@pytest.mark.parametrize("each", [True, False])
def test_a_pgd_update_steps_by_sd_per_voxel_and_projects_as_asked(
    a_decoder, batches, monkeypatch, each
):
    model, root_v = a_decoder("cnn", MASK, gain=1.0), math.sqrt(30)
    config = TrainingConfig(
        scheme="pgd", epsilon=0.2, pgd_step=0.15, steps=3, project_each_step=each
    )
    trainer = training.Trainer(model, config, 1, torch.Generator())
    x, y = batches(12).take(slice(None))
    expected = x + pgd(
        model, x, y, bound=0.2 * root_v, step=0.15 * root_v, steps=3, project_each_step=each
    )
    seen = []
    monkeypatch.setattr(trainer, "update", lambda noisy, _: seen.append(noisy) or (0.0, None))
    SCHEMES["pgd"](trainer, x, functional.one_hot(y, 3).float())
    torch.testing.assert_close(seen[0], expected, rtol=1e-6, atol=1e-6)


def test_every_second_pgd_update_can_be_clean(a_decoder, batches, monkeypatch):
    config = TrainingConfig(scheme="pgd", steps=3, clean_every_second=True)
    trainer = training.Trainer(a_decoder("linear", MASK), config, 4, torch.Generator())
    x, y = batches(12).take(slice(None))
    clean, update = [], trainer.update
    monkeypatch.setattr(
        trainer, "update", lambda seen, *a: clean.append(torch.equal(seen, x)) or update(seen, *a)
    )
    for _ in range(4):
        SCHEMES["pgd"](trainer, x, functional.one_hot(y, 3).float())
    assert clean == [False, True, False, True]


@pytest.mark.parametrize(
    ("scheme", "epochs", "steps", "expected"),
    [
        ("standard", 12, 4, 12),
        ("pgd", 12, 4, 12),
        ("adversarial", 12, 4, 3),
        ("adversarial", 2, 4, 1),
    ],
)
def test_hops_divide_the_passes_so_that_the_updates_are_as_many(scheme, epochs, steps, expected):
    assert passes(TrainingConfig(scheme=scheme, epochs=epochs, steps=steps)) == expected


def test_every_scheme_makes_the_same_number_of_updates(a_decoder, batches, monkeypatch):
    counts, update = [], training.Trainer.update

    def counted(self, *args, **more):
        counts[-1] += 1
        return update(self, *args, **more)

    monkeypatch.setattr(training.Trainer, "update", counted)
    for scheme in SCHEMES:
        counts.append(0)
        trained(a_decoder("linear", MASK), batches, scheme=scheme, epochs=8, steps=4)
    assert counts == [24, 24, 24, 24]


@pytest.mark.parametrize("architecture", ["linear", "cnn"])
def test_l2_adds_twice_the_weights_to_the_gradient(a_decoder, batches, architecture):
    x, y = batches(6).take(slice(None))
    found = []
    for l2 in (0.0, 0.5):
        model = a_decoder(architecture, MASK)
        trainer = training.Trainer(model, TrainingConfig(l2=l2), 1, torch.Generator())
        head = model.head.weight.detach().clone()
        trainer.update(x, functional.one_hot(y, 3).float())
        found.append(model.head.weight.grad)
    torch.testing.assert_close(found[1] - found[0], 2 * 0.5 * head, **EXACT)


def test_l2_shrinks_the_weights(a_decoder, batches):
    free, held = (
        trained(a_decoder("linear", MASK), batches, scheme="standard", epochs=30, l2=l2)[0]
        for l2 in (0.0, 1.0)
    )
    assert held["head.weight"].norm() < free["head.weight"].norm() / 3


def test_the_weights_of_the_epoch_with_the_lowest_validation_loss_are_kept(a_decoder, batches):
    model, after_each = a_decoder("cnn", MASK, gain=1.0), []
    validation = replace(batches(24, seed=1), labels=(batches(24).labels + 1) % 3)  # gets worse
    history = fit(
        model,
        batches(48, signal=3.0),
        validation,
        TrainingConfig(scheme="standard", batch_size=16, epochs=8, learning_rate=0.003),
        n_outputs=3,
        generator=torch.Generator().manual_seed(0),
        on_epoch=lambda _: after_each.append([p.detach().clone() for p in model.parameters()]),
    )
    losses = [epoch.validation_loss for epoch in history.epochs]
    assert [epoch.epoch for epoch in history.epochs] == list(range(8))
    assert history.selected == losses.index(min(losses)) < 7
    for kept, then in zip(model.parameters(), after_each[history.selected], strict=True):
        assert torch.equal(kept, then)


def test_an_epoch_reports_the_clean_loss_and_accuracy_of_all_validation_maps(a_decoder, batches):
    model = a_decoder("linear", MASK)
    _, history = trained(model, batches, scheme="adversarial", mixup=True)
    x, y = batches(24, seed=1).take(slice(None))
    kept = history.epochs[history.selected]
    assert kept.validation_loss == pytest.approx(
        float(functional.cross_entropy(model(x), y).detach())
    )
    assert kept.validation_score == float((model(x).argmax(1) == y).double().mean())
    assert kept.robust_score <= kept.validation_score


def test_training_learns_what_distinguishes_the_classes(a_decoder, batches):
    for scheme in SCHEMES:
        _, history = trained(
            a_decoder("linear", MASK), batches, scheme=scheme, epochs=40, epsilon=0.1
        )
        assert history.epochs[history.selected].validation_score > 0.9
        assert math.isnan(history.epochs[0].robust_score) == (
            scheme in ("standard", "random-noise")
        )


def test_the_gradients_of_a_batch_do_not_depend_on_its_size(a_decoder, batches):
    """The loss is a mean: the same maps twice give the same gradient."""
    x, y = batches(6).take(slice(None))
    targets, gradients = functional.one_hot(y, 3).float(), []
    for times in (1, 2):
        model = a_decoder("linear", MASK)
        trainer = training.Trainer(model, TrainingConfig(), 1, torch.Generator())
        trainer.update(x.repeat(times, 1, 1), targets.repeat(times, 1))
        gradients.append(model.head.weight.grad)
    torch.testing.assert_close(*gradients, **EXACT)


def augmented(model, batches, **config):
    trainer = training.Trainer(
        model, TrainingConfig(**config), 1, torch.Generator().manual_seed(0)
    )
    data = batches(600)

    def load(positions):
        x, y = data.take(positions)
        return x, functional.one_hot(y, 3).float()

    return *data.take(slice(None)), *training.minibatch(trainer, load, np.arange(600))


def test_mixed_targets_sum_to_one_and_mix_as_their_maps_do(a_decoder, batches):
    x, y, mixed, targets = augmented(a_decoder("linear", MASK), batches, mixup=True)
    torch.testing.assert_close(targets.sum(dim=1), torch.ones(600))
    share = targets[torch.arange(600), y]
    assert 0 < share.min() < 0.1
    between = (share < 1).nonzero().squeeze(1)
    partner = (mixed - share[:, None, None] * x)[between] / (1 - share[between, None, None])
    nearest = torch.cdist(partner.flatten(1), x.flatten(1)).argmin(dim=1)
    certain = share[between] < 0.9
    assert torch.equal(y[nearest][certain], _other_class(targets, y)[between][certain])


def _other_class(targets, y):
    return targets.scatter(1, y[:, None], -1).argmax(dim=1)


def test_input_noise_has_its_sd_and_stays_in_the_mask(a_decoder, batches):
    x, _, noisy, targets = augmented(a_decoder("linear", MASK), batches, input_noise=0.5)
    noise = noisy - x
    assert torch.all(noise[:, ~MASK] == 0)
    assert float(noise[:, MASK].std()) == pytest.approx(0.5, rel=0.02)
    assert torch.all(targets.amax(dim=1) == 1)


def test_the_cosine_schedule_goes_from_the_learning_rate_to_zero(a_decoder, batches):
    config = TrainingConfig(schedule="cosine", learning_rate=0.1)
    trainer = training.Trainer(a_decoder("linear", MASK), config, 4, torch.Generator())
    x, y = batches(6).take(slice(None))
    rates = []
    for _ in range(4):
        trainer.update(x, functional.one_hot(y, 3).float())
        rates.append(trainer.optimiser.param_groups[0]["lr"])
    assert rates == pytest.approx([0.1 * (1 + math.cos(math.pi * k / 4)) / 2 for k in range(4)])


@pytest.mark.parametrize("scheme", SCHEMES)
def test_training_leaves_the_maps_and_the_modules_mode_alone(a_decoder, batches, scheme):
    model, data = a_decoder("cnn", MASK).eval(), batches(12)
    before = data.values.copy()
    config = TrainingConfig(scheme=scheme, epochs=2, steps=2, mixup=True, input_noise=0.1)
    fit(model, data, data, config, n_outputs=3, generator=torch.Generator())
    assert (data.values == before).all()
    assert not model.training
    assert all(p.requires_grad for p in model.parameters())


def test_a_diverging_training_is_an_error_that_names_the_learning_rate(a_decoder, batches):
    data = batches(12)
    endless = replace(data, values=data.values * float("inf"))
    with pytest.raises(UsageError, match=r"diverged.*epoch 1.*--learning-rate 0\.001"):
        fit(
            a_decoder("linear", MASK),
            endless,
            data,
            TrainingConfig(scheme="standard"),
            n_outputs=3,
            generator=torch.Generator(),
        )


def test_a_correlation_decoder_only_remembers_the_class_means(a_decoder, batches):
    model = a_decoder("correlation", MASK)
    state, history = trained(model, batches)
    data = batches(48)
    expected = torch.from_numpy(data.values[data.labels == 1].mean(axis=0))
    torch.testing.assert_close(state["class_means"][1], expected[MASK])
    assert history.selected == 0
    assert len(history.epochs) == 1
    assert history.epochs[0].validation_score > 0.8


def test_a_correlation_decoder_without_a_class_is_an_error_that_names_it(a_decoder, batches):
    data = batches(12)
    without = replace(data, indices=data.indices[data.labels != 2])
    with pytest.raises(BadDataError, match="class 2"):
        fit(
            a_decoder("correlation", MASK),
            without,
            data,
            TrainingConfig(),
            n_outputs=3,
            generator=torch.Generator(),
        )


@pytest.mark.parametrize(
    ("clean", "robust", "collapsed"),
    [
        ([0.8, 0.9], [0.7, 0.1], True),
        ([0.8, 0.9], [0.7, 0.6], False),
        ([0.8, 0.3], [0.7, 0.1], False),
        ([0.8, 0.9], [math.nan, math.nan], False),
    ],
    ids=["robustness lost", "robustness kept", "all lost", "no attack"],
)
def test_a_collapse_is_robustness_lost_while_accuracy_is_not(clean, robust, collapsed):
    epochs = tuple(
        Epoch(
            epoch=number,
            train_loss=1.0,
            validation_loss=1.0,
            validation_score=accuracy,
            robust_score=under_attack,
        )
        for number, (accuracy, under_attack) in enumerate(zip(clean, robust, strict=True))
    )
    assert History(epochs=epochs, selected=1, n_attacked=32).collapsed == collapsed


@pytest.mark.gpu
@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_seeded_training_repeats_bit_for_bit_on_cuda(a_decoder, batches, scheme):
    def run():
        on_gpu = {"device": torch.device("cuda")}
        model = a_decoder("cnn", MASK).to("cuda")
        fit(
            model,
            replace(batches(48), **on_gpu),
            replace(batches(24, seed=1), **on_gpu),
            TrainingConfig(scheme=scheme, mixup=True, input_noise=0.3),
            n_outputs=3,
            generator=torch.Generator("cuda").manual_seed(0),
        )
        return model.state_dict()

    assert not differ(run(), run())


def test_the_rate_of_voxel_weights_is_divided_by_the_number_of_voxels() -> None:
    mask = torch.ones(6, 6, 6, dtype=torch.bool)
    model = build(
        ModelConfig(architecture="linear", dense_init="zero"),
        mask,
        2,
        generator=torch.Generator().manual_seed(0),
    )
    values = np.random.default_rng(0).standard_normal((8, 6, 6, 6)).astype(np.float32)
    batches = Batches(
        values=values,
        labels=np.arange(8) % 2,
        indices=np.arange(8),
        device=torch.device("cpu"),
    )
    config = TrainingConfig(
        scheme="standard", epochs=1, batch_size=0, voxel_rate=1.0, learning_rate=1e-3, l2=0.0
    )
    generator = torch.Generator().manual_seed(0)
    fit(model, batches, batches, config, n_outputs=2, generator=generator)
    moved = model.head.weight.abs()  # the first step of Adam is the learning rate
    torch.testing.assert_close(moved, torch.full_like(moved, 1 / 6**3), rtol=1e-3, atol=0)
    torch.testing.assert_close(model.head.bias.abs().max(), torch.tensor(1e-3), rtol=1, atol=1e-3)


@pytest.mark.parametrize("scheme", ["standard", "adversarial"])
def test_a_decoder_learns_to_be_undecided_about_maps_of_no_class(a_decoder, batches, scheme):
    known, strange = batches(60), batches(60, seed=9)
    values = np.concatenate([known.values, -2 * strange.values])
    labels = np.concatenate([known.labels, np.full(60, UNKNOWN)])
    both = replace(known, values=values, labels=labels, indices=np.arange(120))
    settings = TrainingConfig(
        scheme=scheme, batch_size=24, epochs=32, learning_rate=0.01, epsilon=0.05
    )
    sure = {}
    for name, data in (("known", known), ("both", both)):
        model = a_decoder("cnn", MASK)
        history = fit(
            model, data, data, settings, n_outputs=3, generator=torch.Generator().manual_seed(0)
        )
        with torch.no_grad():
            x = torch.from_numpy(-2 * strange.values)
            sure[name] = float(torch.softmax(model(x), dim=1).amax(dim=1).mean())
    assert sure["both"] < 0.5 < sure["known"]
    assert history.epochs[history.selected].validation_score > 0.9


def test_the_fused_optimiser_is_adam_in_float64(a_decoder):
    x = torch.randn(6, 6, 6, dtype=torch.float64)
    targets = functional.one_hot(torch.arange(6) % 3, 3).double()
    ours, plain = (a_decoder("cnn", MASK, gain=1.0).double() for _ in range(2))
    config = TrainingConfig(l2=0.0, schedule="cosine")
    trainer = training.Trainer(ours, config, 5, torch.Generator())
    adam = torch.optim.Adam(plain.parameters(), lr=config.learning_rate, foreach=False)
    for step in range(5):
        trainer.update(x, targets)
        adam.param_groups[0]["lr"] = config.learning_rate * (1 + math.cos(math.pi * step / 5)) / 2
        adam.zero_grad()
        functional.cross_entropy(plain(x), targets).backward()
        adam.step()
    for mine, theirs in zip(ours.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-7, atol=1e-9)
