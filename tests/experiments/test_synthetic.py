import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from fmridecode.cli import synthetic as cli
from fmridecode.cli.running import exit_code_of
from fmridecode.errors import UsageError
from fmridecode.experiments import gradient_reuse, synthetic_tables
from fmridecode.experiments.parallel import run_all
from fmridecode.experiments.synthetic import METHODS, Job, MethodScores, jobs, run
from fmridecode.experiments.synthetic_settings import (
    CLASSES,
    PRESETS,
    ImagesConfig,
    SyntheticConfig,
)
from fmridecode.experiments.templates import draw, templates, truth

TINY = SyntheticConfig(images=ImagesConfig(train=60, validation=30, test=30)).with_recipe(
    updates=8
)
TOLERANCE = 0.03


def _flat(found: list[list[MethodScores]]) -> list[MethodScores]:
    return [each for of_job in found for each in of_job]


def _run_tiny(processes: int = 1) -> list[MethodScores]:
    return _flat(run_all(run, jobs(TINY, range(2)), processes=processes))


def _few_test_images(preset: str) -> SyntheticConfig:
    config = PRESETS[preset]
    if preset == "authors":
        return config
    return replace(config, images=replace(config.images, validation=30, test=300))


def _means(
    config: SyntheticConfig, networks: list[str], seed: int
) -> dict[tuple[str, str], float]:
    todo = [Job(config=config, network=network, seed=seed) for network in networks]
    scores = _flat(run_all(run, todo))
    return {
        (each.method, criterion): float(values.mean())
        for each in scores
        for criterion, values in each.criteria.items()
    }


@pytest.fixture(scope="module")
def tiny() -> list[MethodScores]:
    return _run_tiny()


@pytest.fixture(scope="module")
def paper() -> dict[tuple[str, str], float]:
    networks = ["linear", "nn", "random-noise", "adversarial"]
    return _means(_few_test_images("paper"), networks, seed=1)


@pytest.fixture(scope="module")
def authors() -> dict[tuple[str, str], float]:
    return _means(_few_test_images("authors"), ["linear", "nn", "adversarial"], seed=1)


def test_every_class_is_active_in_six_squares_of_nine_pixels() -> None:
    assert templates().sum(axis=(1, 2)).tolist() == [54, 54, 54]


def test_the_last_row_of_squares_says_nothing_about_the_class() -> None:
    assert (templates()[:, 23:26] == templates()[0, 23:26]).all()
    assert not truth().informative(0).reshape(32, 32)[23:26].any()


def test_images_are_templates_plus_noise_of_the_stated_spread() -> None:
    images = draw(ImagesConfig(train=600), generator=np.random.default_rng(0))
    x, y = images.train.take(slice(None))
    residual = x.numpy() - templates()[y.numpy()]
    assert residual.std() == pytest.approx(0.5, rel=0.01)
    assert residual.mean() == pytest.approx(0, abs=0.01)


def test_balanced_parts_have_equally_many_images_of_each_class() -> None:
    images = draw(PRESETS["paper"].images, generator=np.random.default_rng(0))
    for part in (images.train, images.validation, images.test):
        assert np.bincount(part.labels[part.indices]).tolist() == [1000, 1000, 1000]


def test_the_authors_divide_one_balanced_pool_at_random() -> None:
    images = draw(PRESETS["authors"].images, generator=np.random.default_rng(0))
    assert [len(part) for part in (images.train, images.validation, images.test)] == [
        8800,
        100,
        100,
    ]
    assert np.bincount(images.train.labels).tolist() == [3000, 3000, 3000]
    assert len(set(np.bincount(images.train.labels[images.train.indices]))) > 1


def test_too_few_images_are_refused() -> None:
    with pytest.raises(UsageError, match="test = 2"):
        ImagesConfig(test=2)


def test_the_presets_differ_as_the_code_differs_from_the_paper() -> None:
    ours, theirs = PRESETS["paper"].recipe, PRESETS["authors"].recipe
    assert (ours.l2, ours.project_each_step, ours.clean_every_second) == (1e-5, True, False)
    assert (theirs.l2, theirs.project_each_step, theirs.clean_every_second) == (0, False, True)


def test_a_preset_with_its_own_options_is_the_preset() -> None:
    assert PRESETS["authors"].with_recipe(training="pgd") == PRESETS["authors"]


@pytest.mark.parametrize("criterion", ["CIA", "CAD"])
@pytest.mark.parametrize("preset", ["paper", "authors"])
def test_one_seed_lands_near_the_measured_reference(
    preset: str, criterion: str, request: pytest.FixtureRequest
) -> None:
    found = request.getfixturevalue(preset)
    known = synthetic_tables.reference()
    known = known[(known["preset"] == preset) & (known["criterion"] == criterion)]
    expected = dict(zip(known["method"], known["measured"], strict=True))
    off = {
        method: found[method, criterion] - value
        for method, value in expected.items()
        if (method, criterion) in found
    }
    assert len(off) >= 6
    assert max(map(abs, off.values())) < TOLERANCE, off


@pytest.mark.parametrize("criterion", ["CIA", "CAD"])
@pytest.mark.parametrize("preset", ["paper", "authors"])
def test_the_orderings_of_the_paper_that_hold_do_hold(
    preset: str, criterion: str, request: pytest.FixtureRequest
) -> None:
    found = {
        method: value
        for (method, of), value in request.getfixturevalue(preset).items()
        if of == criterion
    }
    others = [value for method, value in found.items() if method != "adversarial"]
    assert found["adversarial"] > max(others)
    assert found["nn-gradient"] > found["linear-gradient"] > found["weights"]
    assert found["gradient-x-input"] < found["nn-gradient"]


def test_cia_and_cad_are_the_true_class_and_the_mean_of_the_others(
    tiny: list[MethodScores],
) -> None:
    each = tiny[0]
    label = each.labels[5]
    others = [k for k in range(len(CLASSES)) if k != label]
    assert each.criteria["CIA"][5] == each.pearson_r[5, label]
    assert each.criteria["CAD"][5] == pytest.approx(each.pearson_r[5, others].mean())


def test_a_seed_repeats_bit_for_bit_over_any_number_of_processes(
    tiny: list[MethodScores],
) -> None:
    for first, second in zip(tiny, _run_tiny(processes=2), strict=True):
        assert (first.method, first.seed) == (second.method, second.seed)
        np.testing.assert_array_equal(first.pearson_r, second.pearson_r)
        np.testing.assert_array_equal(first.mean_maps, second.mean_maps)


def test_seeds_differ(tiny: list[MethodScores]) -> None:
    first, second = (each for each in tiny if each.method == "weights")
    assert not np.array_equal(first.pearson_r, second.pearson_r)


def test_the_table_has_one_row_per_seed_method_and_criterion(tiny: list[MethodScores]) -> None:
    table = synthetic_tables.interpretability(TINY, tiny)
    assert list(table.columns) == [
        "preset", "seed", "method", "criterion", "mean", "standard_error", "n", "accuracy"
    ]  # fmt: skip
    assert len(table) == 2 * len(METHODS) * 2
    assert tuple(table["method"].unique()) == METHODS


def test_the_reference_stands_only_beside_an_unchanged_preset(tiny: list[MethodScores]) -> None:
    table = synthetic_tables.interpretability(TINY, tiny)
    changed = synthetic_tables.summary(TINY, table)
    unchanged = synthetic_tables.summary(PRESETS["paper"], table)
    assert changed["measured"].isna().all()
    assert unchanged["measured"].notna().all()
    assert unchanged["published"].isna().all()


def test_all_21_pairs_are_tested_over_images_and_over_seeds(tiny: list[MethodScores]) -> None:
    tests = synthetic_tables.pairwise_tests(TINY, tiny)
    assert (tests.groupby(["criterion", "unit"]).size() == 21).all()
    assert set(tests["unit"]) == {"images of seed 0", "images of seed 1", "seeds"}
    np.testing.assert_allclose(tests["p_bonferroni"], np.minimum(1, 21 * tests["p"]))
    shown = tests["p_bonferroni"] < 0.05
    assert (tests.loc[~shown, "verdict"] == "no difference shown").all()
    assert tests.loc[shown, "verdict"].str.endswith(" higher").all()


def test_one_seed_is_not_tested_over_seeds(tiny: list[MethodScores]) -> None:
    tests = synthetic_tables.pairwise_tests(TINY, [each for each in tiny if each.seed == 0])
    assert set(tests["unit"]) == {"images of seed 0"}


def test_reusing_the_gradient_is_tested_over_seeds() -> None:
    scores = run_all(gradient_reuse.run, gradient_reuse.jobs(TINY, range(3)))
    table = gradient_reuse.seeds_table(TINY, scores)
    assert len(table) == 6
    assert (table["difference"] != 0).any()
    test = gradient_reuse.tested(table)
    assert (test["low"] < test["difference"]).all()
    assert (test["difference"] < test["high"]).all()


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    monkeypatch.setitem(PRESETS, "paper", TINY)
    app = typer.Typer()
    app.command()(cli.synthetic)
    app.command()(cli.synthetic_sweep)
    return app


def test_the_command_writes_tables_and_figures(app: typer.Typer, tmp_path: Path) -> None:
    done = CliRunner().invoke(
        app, ["synthetic", str(tmp_path / "new" / "out"), "--seeds", "1", "--nprocs", "1"]
    )
    assert done.exit_code == 0, done.output
    out = tmp_path / "new" / "out"
    assert {path.name for path in out.iterdir()} == {
        "figure1a.png", "figure1b.png", "interpretability.tsv", "summary.tsv", "synthetic.toml",
        "tests.tsv",
    }  # fmt: skip
    assert len(pd.read_csv(out / "interpretability.tsv", sep="\t")) == 14
    assert "adversarial" in done.stdout
    assert all((out / f"figure1{letter}.png").stat().st_size > 10_000 for letter in "ab")


def test_the_same_command_writes_the_same_bytes(app: typer.Typer, tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("first", "second")]
    for folder in folders:
        line = ["synthetic", str(folder), "--seeds", "1", "--nprocs", "1"]
        done = CliRunner().invoke(app, line)
        assert done.exit_code == 0, done.output
    for path in folders[0].iterdir():
        assert path.read_bytes() == (folders[1] / path.name).read_bytes()


def test_an_unusable_folder_is_refused_before_anything_is_computed(
    app: typer.Typer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    arguments = ["synthetic", str(tmp_path / "file" / "out")]
    assert exit_code_of(lambda: app(args=arguments, standalone_mode=False)) == 73
    assert "Cannot make the folder" in capsys.readouterr().err


def test_a_result_that_cannot_be_written_is_an_error(app: typer.Typer, tmp_path: Path) -> None:
    (tmp_path / "synthetic.toml").mkdir()
    arguments = ["synthetic", str(tmp_path)]
    assert exit_code_of(lambda: app(args=arguments, standalone_mode=False)) == 74


def test_a_negative_l2_is_refused(app: typer.Typer, tmp_path: Path) -> None:
    arguments = ["synthetic", str(tmp_path), "--l2", "-1"]
    assert exit_code_of(lambda: app(args=arguments, standalone_mode=False)) == 64


def test_help_does_not_import_torch() -> None:
    code = "import sys, fmridecode.cli.synthetic; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
