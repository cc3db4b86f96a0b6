import math

import pytest
import torch

from fmridecode.core.robustness import attacked_logits

MASK = torch.ones(6, 6, dtype=torch.bool)
MASK[0] = False


def test_an_attack_on_a_linear_decoder_of_two_classes_takes_the_shortest_way(a_decoder) -> None:
    """The margin falls by the bound times the norm of the difference of the weights."""
    model = a_decoder("linear", MASK)
    with torch.no_grad():
        model.head.weight[2], model.head.bias[2] = 0, -1e6  # never chosen
    x, labels = torch.randn(5, 6, 6) * MASK, torch.tensor([0, 1, 0, 1, 0])
    strengths = (0.0, 0.1, 0.4)
    found = attacked_logits(model, x, labels, strengths=strengths, steps=20)
    assert torch.equal(found[0], model(x))
    sign = 1 - 2 * labels
    margin = sign * (found[..., 0] - found[..., 1])
    weight = model.head.weight.detach()
    norm = float((weight[0] - weight[1]).norm())
    for k, strength in enumerate(strengths):
        fall = strength * math.sqrt(int(MASK.sum())) * norm
        torch.testing.assert_close(margin[k], margin[0] - fall, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("architecture", ["linear", "cnn"])
def test_what_was_fooled_stays_fooled(architecture: str, a_decoder) -> None:
    model = a_decoder(architecture, MASK, gain=2.0)
    x = torch.randn(40, 6, 6, generator=torch.Generator().manual_seed(0)) * MASK
    labels = model(x).argmax(dim=1)  # all correct without an attack
    logits = attacked_logits(model, x, labels, strengths=(0.0, 0.05, 0.1, 0.2, 0.8), steps=5)
    correct = logits.argmax(dim=2) == labels
    assert correct[0].all()
    assert not correct[-1].all()
    assert (correct[1:] <= correct[:-1]).all()
