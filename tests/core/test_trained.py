from dataclasses import replace

import numpy as np
import pytest
import torch

from fmridecode.core.averaged import averaged
from fmridecode.core.calibration import Calibration
from fmridecode.core.grid import Grid
from fmridecode.core.maps import MapClass
from fmridecode.core.models import ConvolutionalDecoder, Ensemble
from fmridecode.core.origin import Fingerprints, Origin, Usual
from fmridecode.core.settings import ModelConfig, TrainingConfig
from fmridecode.core.trained import (
    TrainedDecoder,
    build_whole,
    members_logits,
    predict_logits,
)
from fmridecode.errors import BadDataError

MASK = torch.ones(6, 6, dtype=torch.bool)


def test_logits_of_all_examples_come_in_order_whatever_the_batch_size(a_decoder, batches):
    model, data = a_decoder("cnn", MASK), batches(20)
    found = predict_logits(model, data)
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


def trained(seed: int, *, ensemble: int = 1, temperature: float = 1.0) -> TrainedDecoder:
    config = ModelConfig(architecture="linear", ensemble=ensemble)
    numbers = dict.fromkeys(("nll_before", "nll_after", "ece_before", "ece_after"), float(seed))
    return TrainedDecoder(
        model=build_whole(config, MASK, 2, generator=torch.Generator().manual_seed(seed)),
        model_config=config,
        training_config=TrainingConfig(),
        classes=(MapClass(name="a"), MapClass(name="b")),
        grid=Grid(shape=(6, 6), affine=((1.0,),), space="S", resolution="01"),
        mask_source="a square",
        zscore="brain",
        calibration=Calibration(temperature=temperature, at_bound=seed == 2, **numbers),
        n_maps=10 * seed,
        n_participants=seed,
        seed=0,
        origin=Origin(
            dataset="D",
            usual=(Usual(statistic="fwhm", median=float(seed), spread=1.0),),
            fingerprints=Fingerprints(salt="00", maps=(f"{seed:02x}",), participants=("aa",)),
        ),
    )


def test_the_mean_of_decoders_averages_the_logits_of_all_their_members():
    both = averaged([trained(1, ensemble=2), trained(2, ensemble=2)])
    x = torch.randn(3, 6, 6)
    expected = sum(each.model(x) for each in (trained(1, ensemble=2), trained(2, ensemble=2))) / 2
    torch.testing.assert_close(both.model(x), expected)
    assert both.model_config.ensemble == len(both.model.members) == 4


def test_the_mean_has_the_temperature_that_equal_logits_would_give_it():
    members = [trained(1, temperature=1.0), trained(2, temperature=3.0)]
    z = np.array([2.0, -1.0])
    expected = np.mean([z / each.temperature for each in members], axis=0)
    both = averaged(members)
    np.testing.assert_allclose(z / both.temperature, expected)
    assert both.calibration.at_bound
    assert both.calibration.nll_after == 1.5


def test_what_one_of_the_decoders_saw_their_mean_has_seen():
    origin = averaged([trained(1), trained(2)]).origin
    assert origin.fingerprints == Fingerprints(salt="00", maps=("01", "02"), participants=("aa",))
    assert origin.usual[0].median == 1.5
    assert averaged([trained(1)]).n_maps == 10


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"classes": (MapClass(name="a"), MapClass(name="c"))}, "classes"),
        ({"zscore": "volume"}, "zscore"),
    ],
)
def test_decoders_that_differ_are_not_averaged(change, said):
    with pytest.raises(BadDataError, match=said):
        averaged([trained(1), replace(trained(2), **change)])


@pytest.mark.parametrize("alike", [True, False])
def test_the_logits_of_members_are_those_of_each_alone(a_decoder, batches, alike):
    squash = (1.0, 1.0) if alike else (1.0, 2.0)
    members = [a_decoder("cnn", MASK, seed=k, squash=s) for k, s in enumerate(squash)]
    data = batches(40)
    found = members_logits(Ensemble(members), data)
    alone = [predict_logits(each, data) for each in members]
    torch.testing.assert_close(found, torch.stack(alone))
    assert torch.equal(members_logits(members[0], data), alone[0][None])
