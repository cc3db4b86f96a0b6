from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from fmridecode.experiments.figures import sweep_figure
from fmridecode.experiments.parallel import run_all
from fmridecode.experiments.sweep import (
    EXPLAINED,
    Setting,
    SweepConfig,
    SweepJob,
    jobs,
    run,
    selection,
    sweep_table,
)
from fmridecode.experiments.synthetic_settings import RECIPE, ImagesConfig

TINY = SweepConfig(
    l2s=(0.0, 0.1),
    updates=(2, 4),
    search_l2s=(1.0,),
    search=((2.0, 0.1),),
    images=ImagesConfig(train=60, validation=30, test=30),
)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return sweep_table(run_all(run, jobs(TINY, range(2))))


def test_the_default_grid_is_the_one_of_the_paper_s_open_question() -> None:
    grid = [setting for setting in SweepConfig().settings if setting.in_grid]
    assert sorted({setting.l2 for setting in grid}) == [0, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1]
    assert SweepConfig().updates == (100, 300, 1000)
    assert {setting.network for setting in grid} == {"linear", "nn", "adversarial"}


def test_every_cell_of_the_grid_is_scored_for_every_method(table: pd.DataFrame) -> None:
    grid = table[table["in_grid"]]
    assert set(grid["method"]) == set(EXPLAINED)
    assert len(grid) == len(EXPLAINED) * 2 * 2 * 2 * 2  # l2s, updates, seeds, criteria


def test_the_radius_is_that_of_the_ball() -> None:
    recipe = Setting(network="adversarial", l2=0.0, radius=2.0).recipe(RECIPE)
    assert recipe.epsilon * 32 == pytest.approx(2.0)
    assert recipe.pgd_step == recipe.epsilon


def test_scores_on_the_way_equal_those_of_a_shorter_training() -> None:
    job = SweepJob(config=TINY, setting=Setting(network="nn", l2=0.1), seed=0)
    long = run(job)
    short = run(replace(job, config=replace(TINY, updates=(2,))))
    here = long[long["updates"] == 2].reset_index(drop=True)
    pd.testing.assert_frame_equal(here, short)


def test_settings_are_chosen_on_validation_and_reported_on_test_images() -> None:
    rows = [
        {
            "method": method, "radius": np.nan, "l2": l2, "updates": 100, "seed": seed,
            "criterion": criterion, "validation": validation, "test": test + 0.01 * seed,
        }
        for method in EXPLAINED
        for l2, validation, test in ((0.0, 0.9, 0.5), (0.1, 0.8, 0.6))
        for seed in range(3)
        for criterion in ("CIA", "CAD")
    ]  # fmt: skip
    chosen = selection(pd.DataFrame(rows))
    assert (chosen["l2"] == 0.0).all()
    assert chosen["test_mean"].to_numpy() == pytest.approx(0.51)
    assert (chosen["minus_best_l2"] == 0).all()


def test_methods_are_compared_with_the_best_l2(table: pd.DataFrame) -> None:
    chosen = selection(table).set_index(["method", "criterion"])
    difference = (
        chosen.loc[("adversarial", "CIA"), "test_mean"]
        - chosen.loc[("nn-gradient", "CIA"), "test_mean"]
    )
    assert chosen.loc[("adversarial", "CIA"), "minus_best_l2"] == pytest.approx(difference)


def test_the_figure_has_a_panel_per_criterion_and_number_of_updates(table: pd.DataFrame) -> None:
    figure = sweep_figure(table, selection(table))
    assert len(figure.axes) == 4
    assert [axes.get_title() for axes in figure.axes[:2]] == ["2 updates", "4 updates"]


def test_strong_l2_lets_a_plain_network_match_an_adversarial_one() -> None:
    images = ImagesConfig(train=900, validation=30, test=60)
    config = SweepConfig(l2s=(0.0, 0.1), updates=(150,), search=(), search_l2s=(), images=images)
    table = sweep_table(run_all(run, jobs(config, [0])))
    cia = table[table["criterion"] == "CIA"].set_index(["method", "l2"])["test"]
    assert cia["adversarial", 0.0] > cia["nn-gradient", 0.0] + 0.2
    assert cia["nn-gradient", 0.1] > cia["adversarial", 0.0]
