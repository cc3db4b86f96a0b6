import pytest
import torch
from torch.nn import functional

from fmridecode.core import training
from fmridecode.core.attacks import pgd
from fmridecode.core.noise import norms
from fmridecode.core.objective import CLASSES
from fmridecode.core.settings import TrainingConfig
from fmridecode.core.training import SCHEMES

MASK = torch.ones(6, 6, dtype=torch.bool)


def test_the_class_aimed_at_is_never_the_true_one_and_every_other_one_is_drawn():
    targets = functional.one_hot(torch.arange(900) % 3, 3).float()
    drawn = CLASSES.others(targets, generator=torch.Generator().manual_seed(0))
    assert torch.all(drawn.sum(dim=1) == 1)
    assert torch.all((drawn * targets).sum(dim=1) == 0)
    share = torch.stack([drawn[torch.arange(900) % 3 == k].mean(dim=0) for k in range(3)])
    torch.testing.assert_close(share, (1 - torch.eye(3)) / 2, rtol=0, atol=0.1)


def test_a_targeted_attack_raises_the_probability_of_its_class(a_decoder):
    model, aim = a_decoder("cnn", MASK, gain=1.0), torch.tensor([0, 1, 2, 1])
    x = torch.randn(4, 6, 6)
    noise = pgd(model, x, aim, bound=0.5, step=0.05, steps=20, toward=True)
    assert torch.all(norms(noise) <= 0.5 * (1 + 1e-5))
    rows = torch.arange(4)
    clean, attacked = (torch.softmax(model(each), dim=1)[rows, aim] for each in (x, x + noise))
    assert torch.all(attacked > clean)


@pytest.mark.parametrize("scheme", ["adversarial", "pgd"])
def test_targeted_training_moves_its_maps_towards_other_classes(
    a_decoder, batches, monkeypatch, scheme
):
    model = a_decoder("linear", MASK)
    config = TrainingConfig(
        scheme=scheme, attack="targeted", epsilon=0.2, steps=3, learning_rate=1e-6
    )
    trainer = training.Trainer(model, config, 3, torch.Generator().manual_seed(0))
    goals, seen, goal, update = [], [], trainer.goal, trainer.update
    monkeypatch.setattr(trainer, "goal", lambda y: goals.append(goal(y)) or goals[-1])
    monkeypatch.setattr(
        trainer, "update", lambda x, *args, **more: seen.append(x) or update(x, *args, **more)
    )
    x, y = batches(12).take(slice(None))
    SCHEMES[scheme](trainer, x, functional.one_hot(y, 3).float())
    aim = goals[0].argmax(dim=1)
    assert torch.all(aim != y)
    clean, attacked = (
        torch.softmax(model(each), dim=1)[torch.arange(12), aim] for each in (x, seen[-1])
    )
    assert torch.all(attacked > clean)


def test_an_untargeted_attack_draws_no_class(a_decoder):
    generator = torch.Generator().manual_seed(0)
    trainer = training.Trainer(a_decoder("linear", MASK), TrainingConfig(), 1, generator)
    before = generator.get_state()
    targets = functional.one_hot(torch.tensor([0, 1]), 3).float()
    assert trainer.goal(targets) is targets
    assert torch.equal(generator.get_state(), before)
