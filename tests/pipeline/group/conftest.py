"""Saliency maps of made-up participants, on disk and in memory."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fmridecode.bids.saliency_files import write_map
from fmridecode.core.grid import Grid, as_rows
from fmridecode.pipeline.group.stack import Stack

Values = Mapping[str, NDArray[np.float64]]
AFFINE = np.array([[8.0, 0, 0, -40], [0, 8, 0, -48], [0, 0, 8, -32], [0, 0, 0, 1]])


def grid_of(shape: tuple[int, ...]) -> Grid:
    return Grid(shape=shape, affine=as_rows(AFFINE), space="MNI152NLin2009cAsym", resolution="08")


@pytest.fixture
def stack_of() -> Callable[..., Stack]:
    """Return a maker of stacks of the maps of one class by one method."""

    def make(
        values: NDArray[np.float64], *, label: str = "heat", decoders: tuple[str, ...] = ()
    ) -> Stack:
        return Stack(
            name="group_space-MNI152NLin2009cAsym_res-08_desc-gradientToHeat_saliency.nii.gz",
            values=values.astype(np.float32),
            participants=tuple(f"sub-{number:02d}" for number in range(len(values))),
            decoders=decoders or ("a",) * len(values),
            sources=(),
            grid=grid_of(values.shape[1:]),
            said={"TrueClass": label, "TargetClass": label, "SaliencyMethod": "gradient"},
        )

    return make


@pytest.fixture
def store_maps(tmp_path: Path) -> Callable[..., Path]:
    """Write the maps of participants, and of their sessions, of one class by one method."""

    def write(
        values: Values, *, label: str = "heat", target: str = "heat", method: str = "gradient"
    ) -> Path:
        for who, one in values.items():
            folder = tmp_path.joinpath(*who.split("_"), "func")
            name = f"{who}_space-MNI152NLin2009cAsym_res-08_contrast-x_desc-{method}To"
            write_map(
                folder / f"{name}{target.title()}_saliency.nii.gz",
                one,
                grid=grid_of(one.shape),
                mask=np.ones(one.shape, dtype=bool),
                sidecar={
                    "Description": "A map.",
                    "TrueClass": label,
                    "TargetClass": target,
                    "SaliencyMethod": method,
                    "TrainedOnParticipant": False,
                },
            )
        return tmp_path

    return write
