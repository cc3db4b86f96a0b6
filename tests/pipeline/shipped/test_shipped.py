"""The decoder in the package itself."""

from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch

from fmridecode.bids.derivatives import read_table
from fmridecode.bids.templates import Template
from fmridecode.bundles.bundle import load
from fmridecode.bundles.shipped import shipped
from fmridecode.core.abstention import best, knows
from fmridecode.core.trained import TrainedDecoder
from fmridecode.experiments.study import SimulationConfig
from fmridecode.pipeline.given import template_of
from fmridecode.pipeline.shipped.evaluate import probabilities, real_scores
from fmridecode.pipeline.shipped.maps import simulated_maps
from fmridecode.pipeline.shipped.recipe import CLASS_NAMES, NAME, OTHER, ShippedRecipe

CPU = torch.device("cpu")
FRESH = 987654
"""A seed that the recipe does not use."""


@pytest.fixture(scope="module")
def decoder() -> TrainedDecoder:
    return load(shipped()[NAME], device=CPU).decoder


@pytest.fixture(scope="module")
def own(decoder: TrainedDecoder) -> Template:
    return template_of(decoder)


def test_it_is_small_and_made_by_the_recipe_that_the_package_has(decoder: TrainedDecoder) -> None:
    size = sum(path.stat().st_size for path in shipped()[NAME].iterdir())
    assert size < 3_000_000
    recipe = ShippedRecipe()
    assert decoder.model_config == recipe.model
    assert decoder.training_config == recipe.training
    assert decoder.seed == recipe.seed
    assert decoder.grid.resolution == "04"
    assert [each.name for each in decoder.classes] == [*CLASS_NAMES.values(), OTHER]


def test_its_mask_is_templateflows(decoder: TrainedDecoder) -> None:
    assert "MD5 verified" in decoder.mask_source


def test_the_real_motor_map_is_decoded_as_motor_as_its_card_says(
    decoder: TrainedDecoder, own: Template
) -> None:
    scores = {each.metric: each.estimate for each in real_scores(decoder, own, device=CPU)}
    if not scores:
        pytest.skip("this nilearn packages no motor map")
    assert scores["decoded as motor"] == 1
    recorded = {s.metric: s.estimate for s in decoder.origin.scores if "real map" in s.data}
    for metric, value in scores.items():
        assert value == pytest.approx(recorded[metric], abs=0.02)


def test_it_does_not_know_noise(decoder: TrainedDecoder, own: Template) -> None:
    config = SimulationConfig(participants=15, classes=("noise",), variety=1.0, seed=FRESH)
    maps = simulated_maps(own, {"n": config})
    assert decoder.abstention is not None
    known = knows(probabilities(decoder, maps.values, CPU), maps.class_names, decoder.abstention)
    assert known.mean() <= 0.4


def test_it_decodes_simulated_maps_of_fresh_laboratories_well_above_chance(
    decoder: TrainedDecoder, own: Template
) -> None:
    maps = simulated_maps(own, {"f": SimulationConfig(participants=8, variety=1.0, seed=FRESH)})
    found = probabilities(decoder, maps.values, CPU)
    assert (best(found, maps.class_names, OTHER) == maps.labels).mean() > 0.4


def test_it_decodes_a_data_set_without_any_file_of_templateflow(
    template: Template, job: Callable[..., int], tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    bids = tmp_path / "bids"
    folder = bids / "sub-01" / "func"
    folder.mkdir(parents=True)
    (bids / "dataset_description.json").write_text(
        '{"Name": "maps", "BIDSVersion": "1.9.0", "DatasetType": "derivative"}'
    )
    for task in ("motor", "rest"):
        image = nib.Nifti1Image(
            rng.standard_normal(template.grid.shape).astype(np.float32), template.grid.matrix
        )
        name = f"sub-01_task-{task}_space-MNI152NLin2009cAsym_stat-z_statmap.nii.gz"
        nib.save(image, folder / name)
    options = ["--model", NAME, "--saliency", "gradient", "--faithfulness", "off"]
    assert job.plain(bids, tmp_path / "out", "participant", *options) == 0
    (path,) = (tmp_path / "out").rglob("*_predictions.tsv")
    table = read_table(path)
    assert {"known", "confidence", "predicted_label"} <= set(table.columns)
    assert table["known"].isin([True, False]).all()
    assert table["confidence"].between(0, 1).all()
