import numpy as np
import pytest

from fmridecode.core.history import Epoch, History


def history(clean, robust, n_attacked):
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
    return History(epochs=epochs, selected=len(epochs) - 1, n_attacked=n_attacked)


@pytest.mark.parametrize(("n_attacked", "collapsed"), [(6, False), (12, False), (32, True)])
def test_the_same_fall_is_a_collapse_only_where_enough_maps_were_attacked(n_attacked, collapsed):
    assert history([0.8, 0.8], [0.6, 0.15], n_attacked).collapsed == collapsed


def test_a_collapse_is_seen_though_clean_accuracy_wavers():
    assert history([0.85, 0.9, 0.84], [0.6, 0.7, 0.05], 32).collapsed


@pytest.mark.parametrize("n_attacked", [4, 7, 14, 32])
@pytest.mark.parametrize("p", [0.2, 0.5, 0.8])
def test_noise_about_a_constant_accuracy_is_hardly_ever_called_a_collapse(n_attacked, p):
    rng = np.random.default_rng(0)
    robust = rng.binomial(n_attacked, p, size=(400, 12)) / n_attacked
    alarms = sum(history([0.9] * 12, each, n_attacked).collapsed for each in robust.tolist())
    assert alarms / 400 <= 0.01
