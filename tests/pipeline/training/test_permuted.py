from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fmridecode.bids.derivatives import read_table
from fmridecode.pipeline.training.permuted import has_permuted, permuted_maps

FULL = (
    "--saliency", "gradient", "--faithfulness", "off", "--reliability", "off",
    "--robustness", "off", "--sanity", "full", "--epochs", "2", "--group-statistics", "off",
)  # fmt: skip


def test_maps_are_compared_with_those_of_decoders_trained_on_permuted_labels(
    study: Path, job: Callable[..., int], tmp_path: Path
) -> None:
    assert job(study, tmp_path, "participant", *FULL) == 0
    folder = tmp_path / "models" / "linear-adversarial" / "permuted-labels"
    made = {path: path.stat().st_mtime_ns for path in folder.glob("fold-*/config.json")}
    assert len(made) == 3
    own = (folder.parent / "fold-1" / "model.safetensors").read_bytes()
    assert own != (folder / "fold-1" / "model.safetensors").read_bytes()
    table = read_table(next(tmp_path.glob("sub-*/func/*_desc-sanity_scores.tsv")))
    assert set(table["randomised"]) == {"weights", "labels"}
    assert table[table["randomised"] == "labels"]["depth"].isna().all()
    assert job(study, tmp_path, "participant", *FULL, "--participant-label", "001") == 0
    assert {path: path.stat().st_mtime_ns for path in made} == made  # nothing is trained twice
    assert job(study, tmp_path, "group", *FULL) == 0
    summary = read_table(tmp_path / "group_desc-sanity_summary.tsv")
    labels = summary[summary["randomised"] == "labels"]
    assert len(labels) == 3  # similarities
    marked = labels.set_index("similarity")["survives"]
    assert marked.isna()["ssim"]
    assert not marked.isna()["rank_correlation"]


def test_labels_are_exchanged_within_participants_only(small_maps: Callable) -> None:
    maps = small_maps(12)
    mixed = permuted_maps(maps, seed=0)
    assert not np.array_equal(mixed.labels, maps.labels)
    for who in set(maps.participants):
        own = maps.where({who})
        assert sorted(mixed.labels[own]) == sorted(maps.labels[own])
    assert mixed.values is maps.values
    assert np.array_equal(permuted_maps(maps, seed=0).labels, mixed.labels)


@pytest.mark.parametrize("reach", ["off", "quick"])
def test_nothing_is_trained_on_permuted_labels_unless_asked_for(
    reach: str, quick: Callable, whole: Path
) -> None:
    assert not has_permuted(quick({"evaluation": {"sanity": reach}}))
    assert not list(whole.rglob("permuted-labels"))
