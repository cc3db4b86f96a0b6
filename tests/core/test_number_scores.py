import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from fmridecode.core.number_scores import METRICS, covered, permutation_p
from fmridecode.core.statistics import bootstrap

RNG = np.random.default_rng(0)
TRUE = RNG.normal(40, 10, size=60)
PREDICTED = TRUE + RNG.normal(0, 6, size=60)
CENTRE = np.full(60, TRUE.mean())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("r2", metrics.r2_score(TRUE, PREDICTED)),
        ("mae", metrics.mean_absolute_error(TRUE, PREDICTED)),
        ("rmse", metrics.root_mean_squared_error(TRUE, PREDICTED)),
        ("pearson_r", stats.pearsonr(TRUE, PREDICTED).statistic),
    ],
)
def test_the_scores_are_those_of_scikit_learn_and_scipy(name: str, expected: float) -> None:
    assert METRICS[name](TRUE, PREDICTED, CENTRE) == pytest.approx(expected)


def test_r2_is_against_what_a_decoder_could_know() -> None:
    expected = np.full(60, 30.0)
    r2 = METRICS["r2"](TRUE, PREDICTED, expected)
    assert r2 == pytest.approx(1 - ((TRUE - PREDICTED) ** 2).sum() / ((TRUE - 30) ** 2).sum())
    assert METRICS["r2"](TRUE, expected, expected) == 0


@pytest.mark.parametrize("constant", [TRUE * 0 + 7.1, TRUE * 0])
def test_a_constant_correlates_with_nothing(constant: np.ndarray) -> None:
    assert np.isnan(METRICS["pearson_r"](TRUE, constant, CENTRE))
    generator = np.random.default_rng(0)
    assert np.isnan(permutation_p("pearson_r", TRUE, constant, CENTRE, generator=generator))


@pytest.mark.parametrize("share", [0.68, 0.95])
def test_right_sds_cover_their_share(share: float) -> None:
    sds = RNG.uniform(0.5, 3.0, size=20000)
    inside = covered(sds * RNG.normal(size=20000), sds, share)
    assert inside.mean() == pytest.approx(share, abs=0.01)


@pytest.mark.parametrize("name", ["r2", "mae", "pearson_r"])
def test_a_prediction_is_significant_and_noise_is_uniform(name: str) -> None:
    def p(predicted: np.ndarray, seed: int) -> float:
        generator = np.random.default_rng(seed)
        return permutation_p(name, TRUE, predicted, CENTRE, generator=generator, n_permutations=99)

    assert p(PREDICTED, 0) == 0.01
    of_noise = [p(RNG.normal(40, 10, size=60), seed) for seed in range(200)]
    assert stats.kstest(of_noise, "uniform").pvalue > 0.001
    assert p(PREDICTED[::-1], 5) == p(PREDICTED[::-1], 5)


def test_the_intervals_of_r_hold_the_truth_about_as_often_as_they_say() -> None:
    held = 0
    for _ in range(150):
        true = RNG.normal(size=50)
        guess = 0.6 * true + 0.8 * RNG.normal(size=50)
        found = bootstrap(
            50,
            lambda rows, t=true, g=guess: METRICS["pearson_r"](t[rows], g[rows], 0 * t[rows]),
            generator=np.random.default_rng(1),
            n_resamples=400,
        )
        held += found.low <= 0.6 <= found.high
    assert 0.86 <= held / 150 <= 0.995
