"""A data set and a decoder to measure whole runs on."""

import os
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
import torch

from fmridecode.bids.settings import SpaceConfig
from fmridecode.bids.templates import Template, target_grid
from fmridecode.bundles.bundle import Bundle, load, save
from fmridecode.config import RunConfig, compose, preset_values
from fmridecode.core.calibration import Calibration
from fmridecode.core.fingerprints import BITS, salt_of
from fmridecode.core.maps import MapClass
from fmridecode.core.origin import Fingerprints, Origin, Usual
from fmridecode.core.trained import TrainedDecoder, build_whole
from fmridecode.core.typicality import FLOORS
from fmridecode.experiments.regions import DOMAINS
from fmridecode.pipeline.cores import n_threads
from fmridecode.pipeline.device import make_repeatable

TEMPERATURE = 1.5
MEASURES = ("faithfulness", "sanity", "reliability", "robustness")
"""What is measured of every map by default, which no script of a few lines does."""

SHIFT = 0.7
"""Millimetres along each axis between the maps' grid and the template's, so that maps have to be
resampled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """A data set of one task a map, and a decoder of random weights for it.

    Parameters
    ----------
    bids, folder
        The data set, and where results go.
    files
        The maps of the first participant, in the order of the classes.
    """

    bids: Path
    folder: Path
    files: tuple[Path, ...]
    config: RunConfig
    template: Template
    bundle: Bundle


def make_study(folder: Path, *, resolution: int = 2, participants: int = 1) -> Study:
    """Write maps with data in every voxel, on a grid beside the template's, and a decoder.

    All participants have the maps of the first, under names of their own.
    """
    config = compose(
        preset_values("default"),
        {
            "space": {"resolution": resolution},
            "model": {"dense_init": "glorot"},  # zero would make all maps zero
            "saliency": {"methods": ("gradient",), "target": "true"},
            "evaluation": dict.fromkeys(MEASURES, "off"),
            "execution": {"device": "cpu"},
        },
    )
    make_repeatable(n_threads(config.execution))
    template = target_grid(SpaceConfig(resolution=resolution))
    files = _write_maps(folder / "bids", template, participants)
    decoder = _decoder(config, template)
    save(decoder, folder / "decoder")
    return Study(
        bids=folder / "bids",
        folder=folder,
        files=files,
        config=config,
        template=template,
        bundle=load(folder / "decoder", device=torch.device("cpu")),
    )


def _write_maps(bids: Path, template: Template, participants: int) -> tuple[Path, ...]:
    bids.mkdir(parents=True)
    (bids / "dataset_description.json").write_text(
        '{"Name": "benchmark", "BIDSVersion": "1.10.0", "DatasetType": "derivative"}'
    )
    affine = template.grid.matrix.copy()
    affine[:3, 3] += SHIFT
    random = np.random.default_rng(0)
    firsts = []
    for who in range(1, participants + 1):
        for number, task in enumerate(DOMAINS):
            path = bids / f"sub-{who:04d}" / "func" / _name(f"{who:04d}", task, template)
            path.parent.mkdir(parents=True, exist_ok=True)
            if who == 1:
                data = random.normal(size=template.grid.shape).astype(np.float32)
                nib.save(nib.Nifti1Image(data, affine), path)
                firsts.append(path)
            else:
                os.link(firsts[number], path)
    return tuple(firsts)


def _name(who: str, task: str, template: Template) -> str:
    return f"sub-{who}_task-{task}_space-{template.grid.space}_stat-z_statmap.nii.gz"


def _decoder(config: RunConfig, template: Template) -> TrainedDecoder:
    model = build_whole(
        config.model,
        torch.from_numpy(template.mask),
        len(DOMAINS),
        generator=torch.Generator().manual_seed(0),
    )
    return TrainedDecoder(
        model=model,
        model_config=config.model,
        training_config=config.training,
        classes=tuple(MapClass(name=task, task=task) for task in DOMAINS),
        grid=template.grid,
        mask_source=template.mask_source,
        zscore="brain",
        calibration=Calibration(
            temperature=TEMPERATURE,
            at_bound=False,
            nll_before=0.0,
            nll_after=0.0,
            ece_before=0.0,
            ece_after=0.0,
        ),
        n_maps=0,
        n_participants=0,
        seed=0,
        # compared with every map, as those of a trained decoder are
        origin=Origin(
            usual=tuple(Usual(statistic=each, median=0.0, spread=1.0) for each in FLOORS),
            fingerprints=Fingerprints(salt=salt_of("benchmark"), maps=("0" * (BITS // 4),)),
        ),
    )
