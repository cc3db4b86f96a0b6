import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from nilearn.glm.second_level import SecondLevelModel
from numpy.typing import NDArray
from scipy import stats

from fmridecode.bids.derivatives import read_table
from fmridecode.config import RunConfig, compose
from fmridecode.core.settings import EvaluationConfig
from fmridecode.errors import UsageError
from fmridecode.pipeline.group.inference import FEWEST, dependence, infer, t_map
from fmridecode.pipeline.group.maps import write_group_maps
from fmridecode.pipeline.group.stack import Stack

FEW = EvaluationConfig(permutations=200)
SHAPE = (5, 6, 4)

MakeStack = Callable[..., Stack]
Store = Callable[..., Path]


def maps(n: int = 10, *, seed: int = 0, shift: float = 0.0) -> NDArray[np.float64]:
    values = np.random.default_rng(seed).standard_normal((n, *SHAPE))
    values[:, 1:3, 2:4, 1:3] += shift
    return values


def written(values: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    return {f"sub-{number:02d}": one for number, one in enumerate(values)}


def config(**values: object) -> RunConfig:
    return compose({"evaluation": {"permutations": 200, **values}})


def contents(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(out.glob("group_*"))}


def test_t_is_that_of_a_second_level_model(store_maps: Store) -> None:
    values = maps()
    out = store_maps(written(values))
    write_group_maps(out, config())
    (path,) = out.glob("group_*_stat-t_desc-gradientToHeat_statmap.nii.gz")
    found = nib.load(path)
    images = [nib.Nifti1Image(one, found.affine) for one in values]
    everywhere = nib.Nifti1Image(np.ones(SHAPE, dtype=np.uint8), found.affine)
    model = SecondLevelModel(mask_img=everywhere)
    model.fit(images, design_matrix=pd.DataFrame({"intercept": np.ones(len(values))}))
    expected = model.compute_contrast(second_level_stat_type="t", output_type="stat")
    assert np.allclose(found.get_fdata(), expected.get_fdata(), atol=1e-4)
    assert (
        json.loads(path.with_name(path.name[:-7] + ".json").read_text())["DegreesOfFreedom"]
        == len(values) - 1
    )


def test_t_is_the_mean_over_its_standard_error_and_0_without_spread() -> None:
    values = np.stack([np.full(SHAPE, float(each)) for each in (1, 2, 3, 6)])
    values[:, 0] = 2.0
    t = t_map(values)
    assert np.allclose(t[1:], 3 / (np.std([1, 2, 3, 6], ddof=1) / 2))
    assert not t[0].any()


def test_a_signal_in_everyone_survives_and_noise_does_not(stack_of: MakeStack) -> None:
    found = infer(stack_of(maps(14, shift=2.5)), FEW, seed=0)
    inside = np.zeros(SHAPE, dtype=bool)
    inside[1:3, 2:4, 1:3] = True
    assert found.survives[inside].mean() > 0.7
    assert not found.survives[~inside].any()
    assert found.corrected["logpMaxT"].max() <= np.log10(201) + 1e-9


def test_signs_do_not_matter_to_a_two_sided_test(stack_of: MakeStack) -> None:
    values = maps(12, shift=2.0)
    plus, minus = (infer(stack_of(each), FEW, seed=0) for each in (values, -values))
    assert np.array_equal(plus.corrected["logpMaxT"], minus.corrected["logpMaxT"])
    assert np.allclose(plus.t, -minus.t)


def test_under_the_null_the_smallest_corrected_p_is_uniform(stack_of: MakeStack) -> None:
    smallest = [
        10
        ** -infer(stack_of(maps(8, seed=seed)), EvaluationConfig(permutations=100), seed=seed)
        .corrected["logpMaxT"]
        .max()
        for seed in range(100)
    ]
    assert stats.kstest(smallest, "uniform").pvalue > 0.01
    assert 0.35 < np.mean(smallest) < 0.65


def test_clusters_are_tested_only_when_all_is_asked_for(stack_of: MakeStack) -> None:
    stack = stack_of(maps(14, shift=2.5))
    assert set(infer(stack, FEW, seed=0).corrected) == {"logpMaxT"}
    full = infer(stack, replace(FEW, group_statistics="full"), seed=0)
    assert full.corrected["logpMaxSize"][1, 2, 1] > -np.log10(0.05)
    assert np.array_equal(
        full.corrected["logpMaxT"], infer(stack, FEW, seed=0).corrected["logpMaxT"]
    )


def test_a_repeated_run_gives_the_same_bytes(store_maps: Store) -> None:
    out = store_maps(written(maps(shift=1.5)))
    write_group_maps(out, config())
    before = contents(out)
    write_group_maps(out, config())
    assert contents(out) == before
    other = compose({"evaluation": {"permutations": 200}, "execution": {"random_seed": 5}})
    write_group_maps(out, other)
    assert contents(out) != before


def test_two_sessions_of_a_participant_count_once(store_maps: Store) -> None:
    values = maps(8)
    sessions = {
        f"sub-{number:02d}_ses-{s}": one for number, one in enumerate(values) for s in "ab"
    }
    write_group_maps(store_maps(sessions), config())
    out = store_maps({})
    said = read_table(out / "group_desc-maps_tests.tsv")
    assert said.loc[0, "n_participants"] == 8
    assert said.loc[0, "df"] == 7
    (path,) = out.glob("group_*_stat-t_*.nii.gz")
    assert np.allclose(nib.load(path).get_fdata(), t_map(values), atol=1e-4)


def test_too_few_participants_are_not_tested_and_the_sidecar_says_why(store_maps: Store) -> None:
    out = store_maps(written(maps(FEWEST - 1)))
    write_group_maps(out, config())
    assert not list(out.glob("group_*_statmap.nii.gz"))
    (sidecar,) = out.glob("group_*_saliency.json")
    assert "too few" in json.loads(sidecar.read_text())["Statistics"]


def test_what_is_not_asked_for_any_more_is_removed(store_maps: Store) -> None:
    out = store_maps(written(maps()))
    write_group_maps(out, config())
    assert len(list(out.glob("group_*_statmap.*"))) == 4
    write_group_maps(out, config(group_statistics="off"))
    assert not list(out.glob("group_*_statmap.*"))
    assert not (out / "group_desc-maps_tests.tsv").exists()


def test_maps_of_other_classes_are_averaged_but_not_tested(store_maps: Store) -> None:
    out = store_maps(written(maps()), target="warmth")
    (mean,) = write_group_maps(out, config())
    said = json.loads(mean.with_name(mean.name[:-7] + ".json").read_text())
    assert "only maps of the true class" in said["Statistics"]


def test_one_method_is_tested_unless_all_are_asked_for(store_maps: Store) -> None:
    for method in ("gradient", "smoothgrad"):
        out = store_maps(written(maps()), method=method)
    write_group_maps(out, config())
    (only,) = out.glob("group_*_stat-t_*_statmap.nii.gz")
    assert "smoothgradToHeat" in only.name
    (other,) = out.glob("group_*-gradientToHeat_saliency.json")
    assert "only smoothgrad is tested" in json.loads(other.read_text())["Statistics"]
    write_group_maps(out, config(group_statistics="full"))
    assert len(list(out.glob("group_*_stat-t_*_statmap.nii.gz"))) == 2


def test_permutations_that_could_not_reach_significance_are_refused() -> None:
    with pytest.raises(UsageError, match="--permutations is 10; expected 100 or more"):
        EvaluationConfig(permutations=10)


def test_maps_that_are_the_decoders_rather_than_the_participants_are_told(
    stack_of: MakeStack,
) -> None:
    decoders = np.random.default_rng(0).standard_normal((2, *SHAPE))
    copies = np.repeat(decoders, 5, axis=0) * np.arange(1, 11).reshape(-1, 1, 1, 1)
    found = dependence(stack_of(copies, decoders=("a",) * 5 + ("b",) * 5))
    expected = np.corrcoef(decoders.reshape(2, -1))[0, 1]
    assert found.n_decoders == 2
    assert found.same == pytest.approx(1.0)
    assert found.other == pytest.approx(expected, abs=1e-6)
    own = dependence(stack_of(maps(10), decoders=("a",) * 10))
    assert abs(own.same) < 0.1
    assert np.isnan(own.other)
