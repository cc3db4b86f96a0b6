import pytest
import torch
from torch.nn import functional

from fmridecode.core.attacks import ascent_direction, outputs_under_attack, pgd
from fmridecode.core.noise import norms

MASK = torch.ones(6, 6, dtype=torch.bool)
MASK[0] = False


def true_probabilities(model, x, labels):
    return torch.softmax(model(x), dim=1)[torch.arange(len(x)), labels]


@pytest.mark.parametrize("architecture", ["linear", "cnn"])
def test_the_direction_is_that_of_the_gradient_of_cross_entropy(a_decoder, architecture):
    model, labels = a_decoder(architecture, MASK, gain=1.0), torch.tensor([0, 1, 2, 0])
    x = torch.randn(4, 6, 6, requires_grad=True)
    (log,) = torch.autograd.grad(functional.cross_entropy(model(x), labels, reduction="sum"), x)
    (p,) = torch.autograd.grad(true_probabilities(model, x, labels).sum(), x)
    found = ascent_direction(model, x, labels)
    torch.testing.assert_close(found, functional.normalize(log.flatten(1)).view_as(x))
    torch.testing.assert_close(found, functional.normalize(-p.flatten(1)).view_as(x))


def test_mixed_targets_are_attacked_along_the_gradient_of_their_cross_entropy(a_decoder):
    model, targets = a_decoder("linear", MASK), torch.softmax(torch.randn(5, 3), dim=1)
    x = torch.randn(5, 6, 6, requires_grad=True)
    (gradient,) = torch.autograd.grad(functional.cross_entropy(model(x), targets), x)
    expected = functional.normalize(gradient.flatten(1)).view_as(x)
    torch.testing.assert_close(ascent_direction(model, x, targets), expected)


def test_a_decoder_too_sure_for_float32_is_attacked_all_the_same(a_decoder):
    model, labels = a_decoder("linear", MASK), torch.tensor([1])
    x = torch.randn(1, 6, 6)
    with torch.no_grad():
        model.head.bias.copy_(torch.tensor([0.0, 200.0, 1.0]))
    assert true_probabilities(model, x, labels).item() == 1.0
    exact = x.double().requires_grad_()
    logits = exact[:, MASK] @ model.head.weight.double().T + model.head.bias.double()
    margin = logits[:, 1] - torch.logsumexp(logits[:, [0, 2]], dim=1)
    (gradient,) = torch.autograd.grad(-margin, exact)
    expected = functional.normalize(gradient.flatten(1)).view_as(x).float()
    torch.testing.assert_close(ascent_direction(model, x, labels), expected, rtol=1e-3, atol=1e-5)


def test_an_input_that_does_not_matter_is_left_alone(a_decoder):
    model = a_decoder("linear", MASK)
    with torch.no_grad():
        model.head.weight.zero_()
    x = torch.randn(2, 6, 6)
    noise = pgd(model, x, torch.tensor([0, 1]), bound=1.0, step=1.0, steps=3)
    assert torch.all(noise == 0)


@pytest.mark.parametrize("architecture", ["linear", "cnn", "dense"])
def test_pgd_stays_in_the_ball_and_the_mask_and_lowers_the_true_probability(
    a_decoder, architecture
):
    model, labels = a_decoder(architecture, MASK, gain=1.0), torch.tensor([0, 1, 2, 0])
    x = torch.randn(4, 6, 6)
    before = x.clone()
    noise = pgd(model, x, labels, bound=0.7, step=0.3, steps=5)
    assert torch.all(norms(noise) <= 0.7 * (1 + 1e-6))
    assert torch.all(norms(noise) > 0.6)
    assert torch.all(noise[:, ~MASK] == 0)
    lowered = true_probabilities(model, x + noise, labels)
    assert torch.all(lowered < true_probabilities(model, x, labels))
    assert torch.equal(x, before)
    assert not x.requires_grad
    assert all(p.requires_grad and p.grad is None for p in model.parameters())


def test_pgd_goes_straight_to_the_wall_of_the_ball_for_two_classes_of_a_linear_decoder(a_decoder):
    model = a_decoder("linear", MASK)
    with torch.no_grad():
        model.head.weight[2] = 0
        model.head.bias[2] = -1e4
    difference = (model.head.weight[1] - model.head.weight[0]).detach()
    noise = pgd(model, torch.randn(1, 6, 6), torch.tensor([0]), bound=0.5, step=0.4, steps=4)
    torch.testing.assert_close(noise[0, MASK], 0.5 * difference / difference.norm())


def test_projecting_last_only_is_another_path_that_also_ends_in_the_ball(a_decoder):
    model, labels = a_decoder("cnn", MASK, gain=1.0), torch.tensor([0, 1])
    x = 3 * torch.randn(2, 6, 6)
    each, last = (
        pgd(model, x, labels, bound=1.0, step=1.0, steps=3, project_each_step=each)
        for each in (True, False)
    )
    assert torch.all(norms(last) <= 1 + 1e-6)
    assert not torch.allclose(each, last)


def test_examples_do_not_disturb_each_other(a_decoder):
    model = a_decoder("cnn", MASK)
    x, labels = torch.randn(600, 6, 6), torch.arange(600) % 3
    together = pgd(model, x, labels, bound=1.0, step=0.5, steps=2)
    alone = pgd(model, x[555:556], labels[555:556], bound=1.0, step=0.5, steps=2)
    torch.testing.assert_close(together[555:556], alone, rtol=1e-4, atol=1e-6)


def test_accuracy_under_attack_counts_the_margins_wider_than_the_bound(a_decoder):
    model = a_decoder("linear", MASK)
    with torch.no_grad():
        model.head.weight.zero_()
        model.head.bias.zero_()
        model.head.weight[0, 0], model.head.weight[1, 0] = 1.0, -1.0
        model.head.bias[2] = -1e4
    row, column = MASK.nonzero()[0].tolist()
    x = torch.zeros(4, 6, 6)
    x[:, row, column] = torch.tensor([0.5, 1.5, 2.5, -1.0])  # distances to the boundary at 0
    labels = torch.tensor([0, 0, 0, 0])
    decoded = [outputs_under_attack(model, x, labels, bound=bound) for bound in (0.1, 1.0, 2.0)]
    accuracies = [float((each.argmax(dim=1) == labels).double().mean()) for each in decoded]
    assert accuracies == [0.75, 0.5, 0.25]
