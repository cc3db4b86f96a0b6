import pytest
import torch

from fmridecode.core.fit import fit
from fmridecode.core.models import Ensemble
from fmridecode.core.settings import ModelConfig, TrainingConfig
from fmridecode.core.transfer import TAKEN_OVER, members_of, take_over, with_layers_of
from fmridecode.errors import UsageError

MASK = torch.ones(6, 6, dtype=torch.bool)


def _layers(model):
    return [{k: v.clone() for k, v in each.state_dict().items()} for each in model.convolutions()]


def _equal(a, b):
    return [all(torch.equal(x[k], y[k]) for k in x) for x, y in zip(a, b, strict=True)]


def test_layers_are_copied_and_the_head_is_not(a_decoder):
    source, target = a_decoder("cnn", MASK, seed=1), a_decoder("cnn", MASK, seed=2)
    head = target.head.weight.clone()
    take_over(source, target, said="source")
    assert _equal(_layers(source), _layers(target)) == [True, True]
    assert torch.equal(target.head.weight, head)
    assert not torch.equal(source.head.weight, head)


def test_what_was_taken_over_is_a_copy(a_decoder):
    source, target = a_decoder("cnn", MASK, seed=1), a_decoder("cnn", MASK, seed=2)
    take_over(source, target, said="source")
    before = _layers(source)
    with torch.no_grad():
        for parameter in target.parameters():
            parameter += 1
    assert all(_equal(before, _layers(source)))


@pytest.mark.parametrize("other", [{"filters": (4, 6)}, {"filters": (4,)}, {"pooling": "stride"}])
def test_other_filters_layers_or_widths_are_one_clear_line(a_decoder, other):
    with pytest.raises(
        UsageError, match=r"--init-from X has layers of 4 filters.*: give"
    ) as caught:
        take_over(a_decoder("cnn", MASK), a_decoder("cnn", MASK, **other), said="X")
    assert "\n" not in str(caught.value)


def test_a_decoder_without_convolutions_has_nothing_to_give_or_to_take(a_decoder):
    for pair in (("linear", "cnn"), ("cnn", "linear")):
        with pytest.raises(UsageError, match="no convolutional layers"):
            take_over(*(a_decoder(each, MASK) for each in pair), said="X")


def test_members_of_an_ensemble_are_its_decoders(a_decoder):
    one, two = a_decoder("cnn", MASK), a_decoder("cnn", MASK, seed=1)
    assert members_of(one) == [one]
    assert members_of(Ensemble([one, two])) == [one, two]


def test_settings_of_the_layers_are_the_sources_and_the_others_stay():
    source = ModelConfig(filters=(3,), halvings=1, pooling="stride", coarsen_from=9, squash=2.0)
    mixed = with_layers_of(ModelConfig(linear_path=True, ensemble=2), source)
    assert all(getattr(mixed, name) == getattr(source, name) for name in TAKEN_OVER)
    assert mixed.linear_path
    assert mixed.ensemble == 2


@pytest.mark.parametrize(
    ("settings", "stays"),
    [
        ({"freeze_layers": 0}, [False, False]),
        ({"freeze_layers": 1}, [True, False]),
        ({"freeze_layers": 5}, [True, True]),
        ({"transfer_rate": 0.0}, [True, True]),
    ],
)
@pytest.mark.parametrize("scheme", ["standard", "adversarial"])
def test_frozen_layers_stay_and_the_head_learns(a_decoder, batches, settings, stays, scheme):
    model = a_decoder("cnn", MASK)
    before, head = _layers(model), model.head.weight.clone()
    config = TrainingConfig(scheme=scheme, epochs=4, batch_size=16, init_from="X", **settings)
    data = batches(48)
    fit(model, data, data, config, n_outputs=3, generator=torch.Generator().manual_seed(0))
    assert _equal(before, _layers(model)) == stays
    assert not torch.equal(head, model.head.weight)


def test_the_rate_of_layers_taken_over_is_the_factor_times_the_others(a_decoder, batches):
    moved = {}
    for rate in (1.0, 0.1):
        model = a_decoder("cnn", MASK)
        before = _layers(model)
        config = TrainingConfig(
            scheme="standard", epochs=1, batch_size=0, init_from="X", transfer_rate=rate, l2=0.0
        )
        data = batches(48)
        fit(model, data, data, config, n_outputs=3, generator=torch.Generator().manual_seed(0))
        bias = _layers(model)[1]["bias"] - before[1]["bias"]
        moved[rate] = float(bias.abs().max())
    assert moved[0.1] == pytest.approx(0.1 * moved[1.0], rel=1e-3)
    assert moved[1.0] == pytest.approx(1e-3, rel=0.01)


def test_freezing_without_a_decoder_to_start_from_is_refused():
    with pytest.raises(UsageError, match="--freeze-layers is 1"):
        TrainingConfig(freeze_layers=1)
