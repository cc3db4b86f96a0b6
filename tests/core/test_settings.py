import subprocess
import sys
from dataclasses import FrozenInstanceError, fields

import pytest

from fmridecode.core import settings
from fmridecode.core.settings import ModelConfig, SaliencyConfig, SplitConfig, TrainingConfig
from fmridecode.errors import UsageError
from fmridecode.options import options_of

CONFIGS = [ModelConfig, TrainingConfig, SplitConfig, SaliencyConfig]


def test_the_defaults_are_the_papers():
    model, training, saliency = ModelConfig(), TrainingConfig(), SaliencyConfig()
    assert model.filters == (32, 32, 64, 64, 64)
    assert (model.halvings, model.gain) == (5, 0.25)
    assert (training.scheme, training.epsilon, training.steps) == ("adversarial", 0.1, 4)
    assert (training.batch_size, training.learning_rate, training.l2) == (32, 1e-3, 1e-5)
    assert (saliency.smoothgrad_sigma, saliency.smoothgrad_samples) == (2.0, 20)
    assert SplitConfig().folds == 5


@pytest.mark.parametrize(
    ("config", "field", "value", "flag"),
    [
        (ModelConfig, "architecture", "transformer", "--architecture"),
        (ModelConfig, "filters", (), "--filters"),
        (ModelConfig, "filters", (8, 0), "--filters"),
        (ModelConfig, "halvings", -1, "--halvings"),
        (ModelConfig, "gain", 0.0, "--gain"),
        (ModelConfig, "hidden", 0, "--hidden"),
        (ModelConfig, "ensemble", 0, "--ensemble"),
        (TrainingConfig, "scheme", "free", "--training"),
        (TrainingConfig, "epsilon", 0.0, "--epsilon"),
        (TrainingConfig, "steps", 0, "--adversarial-steps"),
        (TrainingConfig, "pgd_step", -1.0, "--pgd-step"),
        (TrainingConfig, "epochs", 0, "--epochs"),
        (TrainingConfig, "batch_size", -1, "--batch-size"),
        (TrainingConfig, "learning_rate", 0.0, "--learning-rate"),
        (TrainingConfig, "l2", -1e-5, "--l2"),
        (TrainingConfig, "input_noise", -0.1, "--input-noise"),
        (TrainingConfig, "epsilon", float("nan"), "--epsilon"),
        (TrainingConfig, "schedule", "linear", "--schedule"),
        (SplitConfig, "folds", 1, "--folds"),
        (SplitConfig, "validation_share", 0.0, "--validation-share"),
        (SplitConfig, "validation_share", 1.0, "--validation-share"),
        (SaliencyConfig, "methods", (), "--saliency"),
        (SaliencyConfig, "methods", ("lime",), "--saliency"),
        (SaliencyConfig, "smoothgrad_sigma", 0.0, "--smoothgrad-sigma"),
        (SaliencyConfig, "smoothgrad_samples", 0, "--smoothgrad-samples"),
    ],
)
def test_a_bad_value_is_named_with_its_option(config, field, value, flag):
    with pytest.raises(UsageError, match=f"^{flag} is .*; expected "):
        config(**{field: value})


@pytest.mark.parametrize("config", CONFIGS)
def test_every_setting_is_an_option_with_a_flag_of_its_own_a_sentence_and_a_panel(config):
    options = options_of(config)
    assert list(options) == [each.name for each in fields(config)]
    for info, _ in options.values():
        assert info.flags[0].startswith("--")
        assert info.help.endswith(".")
        assert info.panel


def test_no_two_settings_share_a_flag():
    flags = [
        flag
        for config in CONFIGS
        for info, _ in options_of(config).values()
        for flag in info.flags
    ]
    assert len(set(flags)) == len(flags)


def test_settings_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        ModelConfig().hidden = 3


def test_reading_the_settings_does_not_import_torch():
    code = f"import sys, {settings.__name__}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
