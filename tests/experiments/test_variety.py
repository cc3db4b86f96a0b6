import numpy as np

from fmridecode.experiments.variety import (
    Acquisition,
    Expression,
    make_acquisition,
    make_expression,
)


def test_without_variety_all_are_alike() -> None:
    rng = np.random.default_rng(0)
    assert make_acquisition(rng, variety=0.0) == Acquisition()
    assert make_expression(rng, variety=0.0) == Expression()


def test_with_full_variety_everything_departs_in_either_direction() -> None:
    rng = np.random.default_rng(0)
    acquired = [make_acquisition(rng, variety=1.0) for _ in range(200)]
    expressed = [make_expression(rng, variety=1.0) for _ in range(200)]
    assert min(each.contrast for each in acquired) < 0.5
    assert max(each.contrast for each in acquired) > 2
    assert min(each.smoothness for each in acquired) < 0.7
    assert max(each.smoothness for each in acquired) > 1.3
    assert (
        min(each.broad_share for each in acquired) < 0 < max(each.broad_share for each in acquired)
    )
    for name in ("cut_below", "cut_above"):
        assert {getattr(each, name) > 0 for each in acquired} == {True, False}
    assert {each.sign for each in expressed} == {-1.0, 1.0}
    assert {each.mirrored for each in expressed} == {True, False}
    assert all(0 <= each.deactivation <= 0.3 for each in expressed)
    assert all(0 <= each.dropout <= 0.4 for each in expressed)
    assert max(each.unspecific for each in expressed) > 2
