"""Interactive slices, as files that stand alone."""

import re
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from numpy.typing import NDArray

from fmridecode.report.derivatives import Derivatives
from fmridecode.report.saliency import SaliencyMap
from fmridecode.report.viewer import find_background, write_viewer

Store = Callable[[NDArray[np.float32]], Path]


def saliency_at(path: Path) -> SaliencyMap:
    return SaliencyMap(
        path=path, method="gradient", target="heat", true_label="heat", n_participants=8,
        sidecar={},
    )  # fmt: skip


@pytest.fixture
def underlay(tmp_path: Path) -> Path:
    """An anatomical image at 1 mm, of the size of a template's."""
    values = np.zeros((193, 229, 193), dtype=np.float32)
    values[30:160, 30:200, 20:170] = np.random.default_rng(0).random((130, 170, 150))
    affine = np.array([[1.0, 0, 0, -96], [0, 1, 0, -132], [0, 0, 1, -78], [0, 0, 0, 1]])
    path = tmp_path / "tpl-S_res-01_T1w.nii.gz"
    nib.Nifti1Image(values, affine).to_filename(path)
    return path


def test_a_viewer_stands_alone_and_asks_for_nothing(
    derivatives: Derivatives, smooth_map: NDArray[np.float32], store: Store, hostile: str
) -> None:
    path = store(smooth_map)
    found = write_viewer(
        derivatives, find_background(derivatives, path), saliency_at(path), title=f"A {hostile}"
    )
    html = (derivatives.root / found.href).read_text(encoding="utf-8")
    assert not re.search(r"https?://(?!www\.w3\.org)", re.sub(r"/\*.*?\*/", "", html))
    assert html.index("default-src 'none'") < html.index("</head>")
    assert hostile not in html
    assert "A &lt;script&gt;" in html
    assert html.count("<html") == html.count("<head>") == html.count("<body>") == 1
    assert "the mask of the map" in html


def test_a_fine_background_is_thinned_so_that_the_file_stays_small(
    derivatives: Derivatives, smooth_map: NDArray[np.float32], store: Store, underlay: Path
) -> None:
    path = store(smooth_map)
    with_anatomy = Derivatives(root=derivatives.root, underlay=underlay)
    background = find_background(with_anatomy, path)
    assert background.image.header.get_zooms()[:3] == (2.0, 2.0, 2.0)
    assert background.words == "TemplateFlow’s tpl-S_res-01_T1w.nii.gz"
    found = write_viewer(with_anatomy, background, saliency_at(path), title="A map")
    assert (derivatives.root / found.href).stat().st_size < 2_000_000


def test_the_same_map_gives_the_same_viewer(
    derivatives: Derivatives, smooth_map: NDArray[np.float32], store: Store
) -> None:
    path = store(smooth_map)
    background = find_background(derivatives, path)
    first, second = (
        (derivatives.root / write_viewer(derivatives, background, saliency_at(path), title="A")
         .href).read_bytes()
        for _ in range(2)
    )  # fmt: skip
    assert first == second


def test_nilearns_image_stands_in_for_the_mni152_family_only(
    derivatives: Derivatives, smooth_map: NDArray[np.float32], store: Store
) -> None:
    path = store(smooth_map)
    assert find_background(derivatives, path).words == "the mask of the map"
    named = path.rename(path.with_name("group_space-MNI152NLin6Asym_res-02_saliency.nii.gz"))
    assert "MNI152NLin2009aSym" in find_background(derivatives, named).words


def test_a_map_of_zeros_can_be_viewed(
    derivatives: Derivatives, smooth_map: NDArray[np.float32], store: Store
) -> None:
    path = store(0 * smooth_map)
    found = write_viewer(
        derivatives, find_background(derivatives, path), saliency_at(path), title="Nothing"
    )
    assert (derivatives.root / found.href).is_file()
