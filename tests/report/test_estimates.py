import numpy as np
from matplotlib.figure import Figure

from fmridecode.report.charts.accuracies import accuracy_bins
from fmridecode.report.charts.estimates import (
    MOST_DOTS,
    Estimate,
    common_limits,
    paint_estimates,
)


def painted(row: Estimate) -> Figure:
    figure = Figure()
    paint_estimates(figure.add_subplot(), (row,), limits=(-1, 1))
    return figure


def test_each_participant_is_a_dot_until_there_are_too_many() -> None:
    few = Estimate(label="a", value=0.1, low=0, high=0.2, single=(0.1,) * 20)
    many = Estimate(label="a", value=0.1, low=0, high=0.2, single=(0.1,) * (MOST_DOTS + 1))
    longest = [
        max(len(line.get_xdata()) for line in painted(row).axes[0].lines)  # type: ignore[arg-type]
        for row in (few, many)
    ]
    assert longest == [20, 2]


def test_unknown_intervals_and_values_are_left_out() -> None:
    nan = float("nan")
    painted(Estimate(label="a", value=0.1, low=nan, high=nan, single=(nan, nan)))


def test_limits_hold_all_that_is_shown() -> None:
    row = Estimate(label="a", value=0.2, low=0.1, high=0.3, single=(-0.5, float("nan")))
    low, high = common_limits((row,), include=0.0)
    assert low < -0.5
    assert high > 0.3


def test_many_different_accuracies_are_counted_in_tenths() -> None:
    positions, counts, width = accuracy_bins(np.linspace(0, 1, 101))
    assert len(positions) == 10
    assert sum(counts) == 101
    assert width == 0.1
