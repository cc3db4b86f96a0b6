"""What all tests share: shapes checked at run time, one thread, real maps, a GPU or a reason."""

import os
from pathlib import Path

import pytest
from hypothesis import settings
from jaxtyping import install_import_hook

CORE = Path(__file__).parents[1] / "fmridecode" / "core"
install_import_hook(  # before fmridecode is first imported
    # not the settings: they look at their values themselves, also at those of a wrong type
    [f"fmridecode.core.{file.stem}" for file in CORE.glob("*.py")],
    "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))",  # an int is a float
)

import torch  # noqa: E402  # the hook comes first

torch.set_num_threads(1)  # the maps are small, and threads cost more than they bring

settings.register_profile("fmridecode", deadline=None, derandomize=True)
settings.load_profile("fmridecode")

REALDATA = Path(
    os.environ.get("FMRIDECODE_REALDATA", Path(__file__).parents[2] / "shared" / "data")
)


@pytest.fixture
def realdata() -> Path:
    """Return the folder of the real contrast maps, or skip the test."""
    if not (REALDATA / "woo2014").is_dir():
        pytest.skip(f"no real contrast maps in {REALDATA}; FMRIDECODE_REALDATA names their folder")
    return REALDATA


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs a GPU where there is none, and what takes long, and say so."""
    if not os.environ.get("FMRIDECODE_SLOW"):
        for item in items:
            if item.get_closest_marker("slow"):
                item.add_marker(pytest.mark.skip(reason="slow: FMRIDECODE_SLOW=1 runs it"))
    if not torch.cuda.is_available():
        for item in items:
            if item.get_closest_marker("gpu"):
                item.add_marker(pytest.mark.skip(reason="needs a CUDA device"))
