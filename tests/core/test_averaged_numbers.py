from dataclasses import replace

import pytest
import torch

from fmridecode.core.averaged import averaged
from fmridecode.core.gaussian import moments
from fmridecode.core.grid import Grid
from fmridecode.core.maps import MapClass
from fmridecode.core.settings import ModelConfig, TrainingConfig
from fmridecode.core.target import Number, Spread, Target
from fmridecode.core.trained import TrainedDecoder, build_whole
from fmridecode.errors import BadDataError

MASK = torch.ones(6, 6, 6, dtype=torch.bool)
X = torch.randn(3, 6, 6, 6, generator=torch.Generator().manual_seed(1))


def decoder(seed: int, *, mean: float, sd: float, name: str = "age") -> TrainedDecoder:
    config = ModelConfig(filters=(3,), linear_path=True, ensemble=2)
    spread = Spread(
        scale=float(seed), at_bound=False, nll_before=1.0, nll_after=0.5, n_participants=seed
    )
    return TrainedDecoder(
        model=build_whole(config, MASK, 2, generator=torch.Generator().manual_seed(seed)),
        model_config=config,
        training_config=TrainingConfig(),
        classes=(MapClass(name="a"),),
        grid=Grid(shape=(6, 6, 6), affine=((1.0,),), space="S", resolution="01"),
        mask_source="a cube",
        zscore="brain",
        calibration=None,
        n_maps=seed,
        n_participants=seed,
        seed=0,
        number=Number(target=Target(name=name), mean=mean, sd=sd, spread=spread),
    )


def predicted(of: TrainedDecoder) -> torch.Tensor:
    assert of.number is not None
    return of.number.mean + of.number.sd * moments(of.model(X))[0]


def test_the_mean_of_decoders_predicts_the_mean_of_their_predictions():
    parts = [decoder(1, mean=30.0, sd=10.0), decoder(2, mean=40.0, sd=5.0)]
    expected = (predicted(parts[0]) + predicted(parts[1])) / 2
    whole = averaged(parts)
    torch.testing.assert_close(predicted(whole), expected)
    torch.testing.assert_close((predicted(parts[0]) + predicted(parts[1])) / 2, expected)
    assert whole.number is not None
    assert (whole.number.mean, whole.number.sd) == (35.0, 7.5)
    assert whole.number.spread.scale == 1.5
    assert whole.model_config.ensemble == 4


def test_decoders_of_different_numbers_are_not_averaged():
    parts = [decoder(1, mean=0.0, sd=1.0), decoder(2, mean=0.0, sd=1.0, name="mood")]
    with pytest.raises(BadDataError, match="what they decode"):
        averaged(parts)


def test_a_decoder_of_a_number_has_two_outputs_and_no_temperature():
    one = decoder(1, mean=0.0, sd=1.0)
    assert one.n_outputs == 2
    with pytest.raises(ValueError, match="no temperature"):
        _ = one.temperature
    assert replace(one, number=None).n_outputs == 1
