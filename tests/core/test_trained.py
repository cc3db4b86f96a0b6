import torch

from fmridecode.core.models import ConvolutionalDecoder, Ensemble
from fmridecode.core.settings import ModelConfig
from fmridecode.core.trained import build_whole, predict_logits

MASK = torch.ones(6, 6, dtype=torch.bool)


def test_logits_of_all_examples_come_in_order_whatever_the_batch_size(a_decoder, batches):
    model, data = a_decoder("cnn", MASK), batches(20)
    found = predict_logits(model, data, batch_size=7)
    torch.testing.assert_close(found, model(torch.from_numpy(data.values)))
    assert not found.requires_grad


def test_an_ensemble_is_built_of_as_many_different_members_as_asked():
    def whole(n):
        return build_whole(
            ModelConfig(filters=(4,), ensemble=n), MASK, 3, generator=torch.Generator()
        )

    assert isinstance(whole(1), ConvolutionalDecoder)
    three = whole(3)
    assert isinstance(three, Ensemble)
    x = torch.randn(2, 6, 6)
    logits = [member(x) for member in three.members]
    assert len(logits) == 3
    assert not torch.equal(logits[0], logits[1])
    assert not torch.equal(logits[1], logits[2])
