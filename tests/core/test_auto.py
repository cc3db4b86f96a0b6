import pytest
import torch

from fmridecode.config import compose, to_toml
from fmridecode.core.fit import fit
from fmridecode.core.saliency import smoothgrad
from fmridecode.core.settings import SaliencyConfig, TrainingConfig
from fmridecode.errors import UsageError

MASK = torch.ones(6, 6, dtype=torch.bool)


@pytest.mark.parametrize(
    ("config", "values", "flag"),
    [
        (TrainingConfig, {"epsilon": "big"}, "--epsilon"),
        (SaliencyConfig, {"smoothgrad_sigma": "some"}, "--smoothgrad-sigma"),
    ],
)
def test_no_other_word_than_auto_stands_for_a_number(config, values, flag):
    config(**dict.fromkeys(values, "auto"))
    with pytest.raises(UsageError, match=f"^{flag} is .*; expected a positive number, or auto"):
        config(**values)


def test_auto_is_a_value_in_a_config_file_only_where_a_number_can_be_chosen():
    config = compose({"training": {"epsilon": "auto"}, "saliency": {"smoothgrad_sigma": "auto"}})
    assert config.training.epsilon == config.saliency.smoothgrad_sigma == "auto"
    assert 'epsilon = "auto"' in to_toml(config, {})
    with pytest.raises(UsageError, match="expected a value of type float"):
        compose({"training": {"l2": "auto"}})


def test_nothing_computes_with_a_number_that_is_not_chosen_yet(a_decoder, batches):
    model, generator = a_decoder("linear", MASK), torch.Generator()
    with pytest.raises(UsageError, match="--epsilon is auto and not chosen"):
        fit(model, batches(6), batches(6), TrainingConfig(epsilon="auto"), n_outputs=3,
            generator=generator)  # fmt: skip
    with pytest.raises(UsageError, match="--smoothgrad-sigma is auto and not chosen"):
        smoothgrad(model, batches(6).take(slice(None))[0], 1.0,
                   SaliencyConfig(smoothgrad_sigma="auto"), generator=generator)  # fmt: skip
