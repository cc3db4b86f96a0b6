"""Small data sets of contrast maps, written where a test asks for them; never a network."""

import json
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from fmridecode.bids import templateflow
from fmridecode.bids.contrast_map import ContrastMap
from fmridecode.bids.templates import Template
from fmridecode.core.grid import Grid, as_rows
from fmridecode.errors import TryAgainError

SHAPE = (8, 9, 10)
AFFINE = np.array([[8.0, 0, 0, -28], [0, 8, 0, -32], [0, 0, 8, -36], [0, 0, 0, 1]])
SPACE = "MNI152NLin2009cAsym"


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(url: str) -> tuple[bytes, str]:
        raise TryAgainError(f"{url} cannot be reached")

    monkeypatch.setattr(templateflow, "fetch", refuse)


@pytest.fixture
def template() -> Template:
    mask = np.zeros(SHAPE, dtype=bool)
    mask[1:-1, 1:-1, 1:-1] = True
    grid = Grid(shape=SHAPE, affine=as_rows(AFFINE), space=SPACE, resolution="08")
    return Template(grid=grid, mask=mask, mask_source="a box", underlay=None, verified=False)


@pytest.fixture
def write_image() -> Callable[..., Path]:
    """Write an image of noise, or of given data."""

    def write(
        path: Path, data: np.ndarray | None = None, affine: np.ndarray = AFFINE, seed: int = 0
    ) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        if data is None:
            data = np.random.default_rng(seed).normal(size=SHAPE).astype(np.float32)
        nib.save(nib.Nifti1Image(data, affine), path)
        return path

    return write


@pytest.fixture
def dataset(tmp_path: Path, write_image: Callable[..., Path]) -> Callable[..., Path]:
    """Write a derivative data set from names such as ``sub-01/sub-01_task-a_statmap.nii.gz``."""

    def write(*names: str, root: str = "maps", empty: bool = False) -> Path:
        folder = tmp_path / root
        folder.mkdir(parents=True, exist_ok=True)
        said = {"Name": "maps", "BIDSVersion": "1.9.0", "DatasetType": "derivative"}
        (folder / "dataset_description.json").write_text(json.dumps(said), encoding="utf-8")
        for seed, name in enumerate(names):
            if empty:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).touch()
            else:
                write_image(folder / name, seed=seed)
        return folder

    return write


@pytest.fixture
def a_map() -> Callable[..., ContrastMap]:
    """Make a map that is on no disk, from entities in the order of its name."""

    def make(participant: str = "01", extension: str = ".nii.gz", **entities: str) -> ContrastMap:
        name = "_".join([f"sub-{participant}", *(f"{k}-{v}" for k, v in entities.items())])
        path = Path("/maps") / f"{name}_statmap{extension}"
        named = {"subject": participant, "extension": extension, **entities}
        return ContrastMap.from_entities(path, uri=f"bids:input:{path.name}", entities=named)

    return make
