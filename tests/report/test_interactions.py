"""What the pages say of how parcels interact."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from fmridecode.errors import BadDataError
from fmridecode.report.blocks import Grid, Heading, Missing, Picture, Prose
from fmridecode.report.charts.interactions import colour_limit, coloured
from fmridecode.report.derivatives import Derivatives, Participant
from fmridecode.report.group import interactions as of_group
from fmridecode.report.interactions import find_matrices, networks
from fmridecode.report.palette import NEGATIVE, POSITIVE
from fmridecode.report.participant import interactions as of_participant


def first(root: Path) -> Participant:
    return Participant(derivatives=Derivatives(root=root), label="01")


def prose(blocks: tuple[object, ...]) -> str:
    return " ".join(str(block.text) for block in blocks if isinstance(block, Prose))


@pytest.fixture
def own(finished: Path, tmp_path: Path) -> Path:
    """Return a folder with the matrices of one participant, to be changed."""
    shutil.copytree(finished / "sub-01", tmp_path / "sub-01")
    return tmp_path


def test_every_map_has_its_matrix_and_names_its_strongest_pairs(finished: Path) -> None:
    blocks = of_participant.build(first(finished))
    titles = [block.text for block in blocks if isinstance(block, Heading)]
    assert [title.split()[0] for title in titles] == ["friend", "heat", "rejection"]
    pictures = [block for block in blocks if isinstance(block, Picture)]
    assert len(pictures) == 3
    assert "interactions of 7 parcels. LH_Vis_2 and RH_Vis_2: −0.8." in pictures[0].markup
    assert "Colours end at ±" in pictures[0].caption
    grid = next(block for block in blocks if isinstance(block, Grid))
    assert grid.rows[0] == ("LH_Vis_2", "RH_Vis_2", "−0.8", "−0.67", "0.33")
    text = prose(blocks)
    assert "softplus (β = 32)" in text
    assert "differ by at most 3.1 % of their range, with the same most probable class" in text


def test_of_a_decoder_without_kinks_no_softplus_is_told(own: Path) -> None:
    for path in own.glob("**/*_interactions.json"):
        said = {k: v for k, v in json.loads(path.read_text()).items() if "Softplus" not in k}
        path.write_text(json.dumps(said))
    assert "softplus" not in prose(of_participant.build(first(own)))


def test_a_map_of_a_class_that_the_decoder_does_not_know_is_called_what_it_is(own: Path) -> None:
    for path in own.glob("**/*_interactions.json"):
        said = json.loads(path.read_text())
        del said["TrueClass"]
        path.write_text(json.dumps({**said, "DataClass": "vision"}))
    blocks = of_participant.build(first(own))
    assert "vision, decoded as heat" in [b.text for b in blocks if isinstance(b, Heading)]


def test_classes_that_nobody_asked_for_are_not_shown(own: Path) -> None:
    for path in own.glob("**/*contrast-heat_interactions.json"):
        path.write_text(json.dumps({**json.loads(path.read_text()), "TargetClass": "warmth"}))
    assert len(find_matrices(own / "sub-01")) == 2


def test_a_damaged_matrix_is_one_line(own: Path) -> None:
    path = next(own.glob("**/*_interactions.tsv"))
    path.write_text("parcel\ta\na\t1\nb\t2\n")
    with pytest.raises(BadDataError, match=r"_interactions\.tsv has"):
        find_matrices(own / "sub-01")


def test_the_group_says_in_words_what_its_strongest_pair_is(finished: Path) -> None:
    blocks = of_group.build(Derivatives(root=finished))
    text = prose(blocks)
    assert (
        "strongest interaction is between LH_Vis_2 and RH_Vis_2: more activation in one makes "
        "more activation in the other speak less for heat (mean −0.8, corrected p = 0.012)"
    ) in text
    assert "1 of 21 pairs of different parcels have" in text
    assert "0 positive, 1 negative" in text
    assert "the largest |t| over 500 random changes" in text
    assert len([block for block in blocks if isinstance(block, Picture)]) == 3
    grid = next(block for block in blocks if isinstance(block, Grid))
    assert grid.rows[0][:3] == ("LH_Vis_2", "RH_Vis_2", "−0.8")
    assert len(grid.rows) == 20
    assert not grid.opened


def test_interactions_that_are_the_decoders_are_not_sold_as_findings(finished: Path) -> None:
    text = prose(of_group.build(Derivatives(root=finished)))
    assert "have similar interactions (r = 0.80)" in text
    assert "that 4 decoders, trained on overlapping participants, agree" in text


def test_a_folder_without_interactions_says_what_makes_them(derivatives: Derivatives) -> None:
    (block,) = of_group.build(derivatives)
    assert isinstance(block, Missing)
    (block,) = of_participant.build(Participant(derivatives=derivatives, label="01"))
    assert isinstance(block, Missing)
    assert "hessian and --atlas NAME" in block.remedy


def test_networks_are_told_by_names_with_hemispheres() -> None:
    names = tuple(f"17Networks_{s}_{n}_{k}" for s in ("LH", "RH") for n in "AB" for k in (1, 2))
    assert networks(names) == [("LH A", 0, 2), ("LH B", 2, 4), ("RH A", 4, 6), ("RH B", 6, 8)]
    assert networks((*names, "brainstem")) == []
    assert networks(("LH_A", "LH_B")) == []


def test_colours_go_from_one_to_the_other_through_the_paper() -> None:
    image = coloured(np.array([-2.0, -1.0, 0.0, 0.5]))
    assert image[:, 3].tolist() == [1, 1, 0, 0.5]
    assert tuple(image[1, :3]) == NEGATIVE
    assert tuple(image[3, :3]) == POSITIVE


def test_colours_end_where_different_parcels_do() -> None:
    values = np.diag([9.0, 9.0, 9.0])
    values[0, 1] = values[1, 0] = -0.5
    assert 0.4 < colour_limit(values) <= 0.5
    assert colour_limit(np.diag([3.0, 0.0])) == 3
    assert colour_limit(np.zeros((2, 2))) == 0
