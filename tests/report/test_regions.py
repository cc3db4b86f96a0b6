"""What the page says of the tests of the group maps."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from fmridecode.report.blocks import Gallery, Grid, Missing, Prose
from fmridecode.report.derivatives import Derivatives
from fmridecode.report.group import regions

Write = Callable[[str, str], Path]


@pytest.fixture(scope="module")
def blocks(finished: Path) -> tuple[object, ...]:
    return regions.build(Derivatives(root=finished))


def prose(blocks: tuple[object, ...]) -> str:
    return " ".join(str(block.text) for block in blocks if isinstance(block, Prose))


def test_maps_that_are_the_decoders_are_not_sold_as_findings(blocks: tuple[object, ...]) -> None:
    text = prose(blocks)
    assert "n = 8" in text
    assert "2\N{NARROW NO-BREAK SPACE}000 random changes" in text
    assert "almost the same map by Gradient (r = 0.93), SmoothGrad (r = 0.93)" in text
    assert "that 4 decoders, trained on overlapping participants, agree" in text
    assert "maps by Gradient × input differ between participants" in text


def test_the_outcome_of_every_map_is_listed_by_class(blocks: tuple[object, ...]) -> None:
    grid = next(b for b in blocks if isinstance(b, Grid))
    classes = [row[0].split()[0] for row in grid.rows]
    assert classes == ["heat"] * 3 + ["rejection"] * 3 + ["friend"] * 3
    found = [row for row in grid.rows if row[1] == "SmoothGrad"]
    assert {row[2:4] for row in found} == {("31", "12")}
    assert {row[6] for row in grid.rows if row[1] == "Gradient"} == {"–"}


def test_surviving_voxels_are_drawn_of_the_main_method_only(
    blocks: tuple[object, ...], finished: Path
) -> None:
    gallery = next(b for b in blocks if isinstance(b, Gallery))
    assert len(gallery.pictures) == 3
    assert gallery.pictures[0].caption.startswith("heat: t, |t| ≥ 2.50")
    assert "smoothgrad t of the saliency for heat" in gallery.pictures[0].markup
    assert len(list((finished / "figures").glob("*_fwe.png"))) == 3


def test_clusters_are_folded_and_uncorrected_peaks_are_called_no_finding(
    blocks: tuple[object, ...],
) -> None:
    grids = [b for b in blocks if isinstance(b, Grid)][1:10]
    assert not any(grid.opened for grid in grids)
    corrected, uncorrected = grids[2], grids[0]
    assert corrected.caption.startswith("heat, SmoothGrad: 13 clusters of voxels with a corrected")
    assert len(corrected.rows) == 10
    assert corrected.rows[0][0].startswith("insula")
    assert corrected.rows[1][0] == "–"
    assert "uncorrected: no finding" in uncorrected.caption


def test_parcels_show_every_participant(blocks: tuple[object, ...]) -> None:
    gallery = [block for block in blocks if isinstance(block, Gallery)][-1]
    assert "the 3 parcels with the strongest mean, n = 8" in gallery.pictures[0].caption
    grid = [block for block in blocks if isinstance(block, Grid)][-1]
    assert "2 of 3 parcels with q < 0.05" in grid.caption


def test_why_nothing_was_tested_comes_from_the_sidecar(finished: Path, tmp_path: Path) -> None:
    for path in finished.glob("group_task-*_contrast-heat_desc-*_saliency.*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    for path in tmp_path.glob("*.json"):
        said = {**json.loads(path.read_text()), "Statistics": "None: 4 participants are too few."}
        path.write_text(json.dumps(said))
    blocks = regions.build(Derivatives(root=tmp_path))
    assert prose(blocks) == "The maps of the group are not tested: 4 participants are too few."


def test_a_folder_without_tests_says_what_makes_them(derivatives: Derivatives) -> None:
    (block,) = regions.build(derivatives)
    assert isinstance(block, Missing)
