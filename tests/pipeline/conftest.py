"""Small studies: one in memory, and one on disk that is decoded once for most tests to look at."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from fmridecode.bids import templateflow
from fmridecode.bids.settings import SpaceConfig
from fmridecode.bids.templates import Template, target_grid
from fmridecode.cli.main import main
from fmridecode.config import RunConfig, compose
from fmridecode.core.maps import MapSet
from fmridecode.errors import TryAgainError
from fmridecode.experiments.study import SimulationConfig
from fmridecode.pipeline import reports, simulate
from fmridecode.pipeline.preparing import prepare

from .training.small_maps import make_small_maps

collect_ignore = [
    "training/killing.py",
    "training/together.py",
]  # scripts, run by tests

CLASSES = ("emotion", "gambling", "language")
SMALL = {
    "--resolution": 8,
    "--architecture": "linear",
    "--training": "adversarial",
    "--epsilon": 0.1,
    "--epochs": 8,
    "--ensemble": 1,
    "--folds": 3,
    "--smoothgrad-samples": 2,
    "--smoothgrad-sigma": 1,
    "--nprocs": 1,
    "--omp-nthreads": 1,
}
OPTIONS = [str(each) for pair in SMALL.items() for each in pair]
MAP_ENTITIES = "space-MNI152NLin2009cAsym_stat-z_statmap.nii.gz"

QUICK = {
    "model": {"filters": (4,), "halvings": 1, "gain": 1.0, "linear_path": True},
    "training": {"epochs": 8, "batch_size": 16, "learning_rate": 0.01},
    "split": {"folds": 3, "validation_share": 0.4},
    "saliency": {"smoothgrad_samples": 2},
    "execution": {"device": "cpu"},
}


@pytest.fixture(scope="session")
def quick() -> Callable[..., RunConfig]:
    """Return a maker of settings for tiny decoders; more values may be given."""
    return lambda *more: compose(QUICK, *more)


@pytest.fixture(scope="session")
def small_maps() -> Callable[..., MapSet]:
    """Return a maker of map sets of three classes in two tasks, each with its own corner."""

    return make_small_maps


@dataclass(frozen=True, slots=True)
class Job:
    """Runs the command line in this process: no network, one stand-in mask, no pages drawn."""

    template: Template
    home: Path

    def __call__(self, bids_dir: Path, output_dir: Path, level: str, *options: str) -> int:
        return self.plain(bids_dir, output_dir, level, *OPTIONS, *options)

    def plain(self, bids_dir: Path, output_dir: Path, level: str, *options: str) -> int:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TEMPLATEFLOW_HOME", str(self.home))
            patch.setattr(templateflow, "fetch", _refuse)
            patch.setattr(prepare, "target_grid", lambda _: self.template)
            patch.setattr(reports, "build_participant", lambda *_: None)
            patch.setattr(reports, "build_group", lambda *_: None)
            return main([str(bids_dir), str(output_dir), level, *options])


def _refuse(url: str) -> tuple[bytes, str]:
    raise TryAgainError(f"{url} cannot be reached")


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """Return the 8 mm grid with the stand-in mask, as on a machine without a network."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEMPLATEFLOW_HOME", str(tmp_path_factory.mktemp("templateflow")))
        patch.setattr(templateflow, "fetch", _refuse)
        return target_grid(SpaceConfig(resolution=8))


@pytest.fixture(scope="session")
def job(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Job:
    return Job(template, tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="session")
def study(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a simulated data set: nine participants, some of them related, three tasks."""
    config = SimulationConfig(participants=9, classes=CLASSES, largest_family=2, seed=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simulate, "target_grid", lambda _: template)
        root = tmp_path_factory.mktemp("study") / "bids"
        return simulate.write_simulation(root, config, SpaceConfig(resolution=8))


@pytest.fixture(scope="session")
def whole(study: Path, job: Job, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the output of one whole run; not to be changed."""
    out = tmp_path_factory.mktemp("whole") / "out"
    assert job(study, out, "participant", "--group-column", "family") == 0
    assert job(study, out, "group", "--group-column", "family") == 0
    return out


@pytest.fixture
def write_maps(template: Template) -> Callable[..., Path]:
    """Write a data set of noise with a little of each class's own pattern."""

    def write(
        root: Path,
        participants: Sequence[str],
        tasks: Sequence[str],
        *,
        sessions: Sequence[str] = ("",),
        runs: Sequence[str] = ("",),
    ) -> Path:
        root.mkdir(parents=True, exist_ok=True)
        (root / "dataset_description.json").write_text(
            '{"Name": "maps", "BIDSVersion": "1.9.0", "DatasetType": "derivative"}'
        )
        random = np.random.default_rng(3)
        patterns = {task: random.normal(size=template.grid.shape) for task in tasks}
        for who in participants:
            for when in sessions:
                for task in tasks:
                    for run in runs:
                        labels = [f"sub-{who}", f"ses-{when}" if when else "", f"task-{task}"]
                        labels += [f"run-{run}" if run else "", MAP_ENTITIES]
                        folder = root / f"sub-{who}" / (f"ses-{when}" if when else "") / "func"
                        folder.mkdir(parents=True, exist_ok=True)
                        data = patterns[task] + random.normal(size=template.grid.shape)
                        image = nib.Nifti1Image(data.astype(np.float32), template.grid.matrix)
                        nib.save(image, folder / "_".join(filter(None, labels)))
        return root

    return write
