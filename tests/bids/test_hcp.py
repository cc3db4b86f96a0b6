import os
import stat
from pathlib import Path

import numpy as np
import pytest

from fmridecode.bids.class_file import read_classes
from fmridecode.bids.classes import plan_examples
from fmridecode.bids.images import read_image
from fmridecode.bids.participants import read_column
from fmridecode.bids.query import find_maps
from fmridecode.bids.settings import InputConfig
from fmridecode.bids.templateflow import TemplateFlow
from fmridecode.bids.templates import target_grid
from fmridecode.cli.tools import app
from fmridecode.config import compose, preset_values
from fmridecode.core.splits import make_splits
from fmridecode.errors import (
    BadDataError,
    CannotCreateError,
    FmridecodeError,
    NoInputError,
    UsageError,
)
from fmridecode.pipeline.hcp import HcpConfig, import_hcp

from .hcp_download import AFFINE, SHAPE, write_participant

CLASSES = [
    "emotion", "gambling", "language", "motor", "relational", "social", "working-memory",
]  # fmt: skip


@pytest.fixture
def hcp_dir(tmp_path: Path) -> Path:
    """Write a bucket's participant, one of the newer layout, and one from two archives."""
    root = tmp_path / "HCP"
    write_participant(root / "100307")
    write_participant(root / "100408", newer=True)
    archives = root / "111111_3T_tfMRI_WM_analysis_s4", root / "111111_3T_tfMRI_MOTOR_analysis_s4"
    for archive, task in zip(archives, ("WM", "MOTOR"), strict=True):
        write_participant(archive / "111111", tasks=(task,))
    return root


def value_of(path: Path) -> float:
    data, affine = read_image(path)
    assert data.shape == SHAPE
    np.testing.assert_array_equal(affine, AFFINE)
    return float(data[30, 30, 60])


def a_map(out: Path, task: str, who: str = "100307") -> Path:
    (found,) = (out / f"sub-{who}" / "func").glob(f"*_task-{task}_*_statmap.nii.gz")
    return found


def test_both_layouts_become_the_seven_classes_of_table_1(hcp_dir: Path, tmp_path: Path) -> None:
    out = tmp_path / "bids"
    assert import_hcp(hcp_dir, out, HcpConfig()) == 7 + 7 + 2
    for who in ("100307", "100408"):
        values = {task: value_of(a_map(out, task, who)) for task in ("WM", "GAMBLING", "MOTOR")}
        assert values == {"WM": 11, "GAMBLING": 1.5, "MOTOR": 7}
    assert a_map(out, "WM").is_symlink()
    assert not a_map(out, "GAMBLING").is_symlink()
    for config in (InputConfig(classes="hcp7"), InputConfig(label_by="task")):
        plan = plan_examples(find_maps(out, config), config)
        assert len(plan.examples) == 16
        assert len(plan.classes) == 7
    named = plan_examples(find_maps(out, InputConfig()), InputConfig(classes="hcp7")).classes
    assert [each.name for each in named] == CLASSES


def test_the_mean_of_z_maps_is_made_of_the_five_movements(hcp_dir: Path, tmp_path: Path) -> None:
    import_hcp(hcp_dir, tmp_path / "bids", HcpConfig(stat="zstat"))
    assert value_of(a_map(tmp_path / "bids", "MOTOR")) == 104
    assert "_stat-z_" in a_map(tmp_path / "bids", "MOTOR").name


def test_contrasts_txt_names_the_copes_where_it_is_there(tmp_path: Path) -> None:
    write_participant(tmp_path / "HCP" / "1", tasks=("SOCIAL", "WM"), shift=1)
    for feat in (tmp_path / "HCP").rglob("*.feat"):
        if "level2" in feat.name:
            names = ["x", *(f"neg{i}" for i in range(20))]
            names[6 if "SOCIAL" in feat.name else 11] = (
                "TOM-RANDOM" if "SOCIAL" in feat.name else "2BK-0BK"
            )
            (feat / "Contrasts.txt").write_text("\n".join(names) + "\n")
    import_hcp(tmp_path / "HCP", tmp_path / "bids", HcpConfig())
    assert value_of(a_map(tmp_path / "bids", "SOCIAL", "1")) == 6
    assert value_of(a_map(tmp_path / "bids", "WM", "1")) == 11


@pytest.mark.parametrize("link", ["symlink", "hardlink", "copy"])
def test_a_second_run_changes_nothing(hcp_dir: Path, tmp_path: Path, link: str) -> None:
    def state() -> dict[str, bytes]:
        return {str(p): p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()}

    out = tmp_path / "bids"
    import_hcp(hcp_dir, out, HcpConfig(link=link))
    before = state()
    path = a_map(out, "WM")
    assert path.is_symlink() == (link == "symlink")
    assert (path.stat().st_nlink > 1) == (link == "hardlink")
    import_hcp(hcp_dir, out, HcpConfig(link=link))
    assert state() == before


def test_the_download_is_only_read(hcp_dir: Path, tmp_path: Path) -> None:
    def state() -> list[tuple[str, int]]:
        return sorted((str(p), p.stat().st_mtime_ns) for p in hcp_dir.rglob("*"))

    before = state()
    import_hcp(hcp_dir, tmp_path / "bids", HcpConfig())
    assert state() == before


def test_families_come_from_the_users_own_table_and_nothing_else_does(
    hcp_dir: Path, tmp_path: Path
) -> None:
    table = tmp_path / "restricted.csv"
    table.write_text("Subject,Age,Family_ID,HIV\n100307,29,51_12,secret\n100408,30,51_12,secret\n")
    out = tmp_path / "bids"
    import_hcp(hcp_dir, out, HcpConfig(restricted=table))
    families = read_column([out], "family", option="--group-column")
    assert families == {"100307": "51_12", "100408": "51_12"}
    assert not [p for p in out.rglob("*") if p.is_file() and b"secret" in p.read_bytes()]


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        ("Subject,Family\n1,2\n", UsageError, "did you mean Family?"),
        ("Id,Family_ID\n1,2\n", UsageError, "no column 'Subject'"),
        ("", BadDataError, "not a readable CSV"),
        ("Subject,Family_ID\n1,2\n1,3\n", BadDataError, "two families"),
        ("Subject,Family_ID\n\0\xff", BadDataError, "not a readable CSV"),
        (None, NoInputError, "cannot be read"),
    ],
)
def test_a_bad_restricted_table_is_one_line(
    hcp_dir: Path, tmp_path: Path, content: str | None, error: type, words: str
) -> None:
    table = tmp_path / "restricted.csv"
    if content is not None:
        table.write_bytes(content.encode("latin-1"))
    with pytest.raises(error, match=words) as raised:
        import_hcp(hcp_dir, tmp_path / "bids", HcpConfig(restricted=table))
    assert "\n" not in str(raised.value)


def test_missing_tasks_are_named_and_damaged_maps_listed(
    hcp_dir: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    next((hcp_dir / "100307").rglob("tfMRI_WM*/cope11.feat/stats/cope1.nii.gz")).write_bytes(b"x")
    next((hcp_dir / "100408").rglob("tfMRI_MOTOR*/**/cope7.feat/cope1.nii.gz")).unlink()
    with pytest.raises(
        BadDataError, match="2 maps could not be taken over, 14 are done"
    ) as raised:
        import_hcp(hcp_dir, tmp_path / "bids", HcpConfig())
    assert "cannot be read as NIfTI" in str(raised.value)
    assert "has no cope1.nii.gz of cope7" in str(raised.value)
    assert "Task SOCIAL is missing for sub-111111" in caplog.text


def test_what_is_no_download_is_one_line(hcp_dir: Path, tmp_path: Path) -> None:
    def refused(error: type[FmridecodeError], words: str, *args: Path, **more: str) -> None:
        with pytest.raises(error, match=words):
            import_hcp(*args, HcpConfig(**more))  # type: ignore[arg-type]

    out = tmp_path / "bids"
    refused(NoInputError, "cannot be read", tmp_path / "nowhere", out)
    refused(NoInputError, r"No cope map at level 2, s2.*see --level2", hcp_dir, out, level2="s2")
    refused(UsageError, "never written to", hcp_dir, hcp_dir)
    refused(UsageError, "--link is 'move'", hcp_dir, out, link="move")
    (tmp_path / "other").mkdir()
    refused(NoInputError, "No folder MNINonLinear", tmp_path / "other", out)
    (tmp_path / "other" / "x").touch()
    refused(CannotCreateError, "not empty", hcp_dir, tmp_path / "other")
    write_participant(tmp_path / "strange" / "a_b", tasks=("WM",))
    refused(BadDataError, "no participant label", tmp_path / "strange", out)


def test_the_paper_preset_runs_on_hcps_own_grid_by_family(
    hcp_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = compose(preset_values("paper"))
    flow = TemplateFlow(home=tmp_path, online=False)
    grid = target_grid(config.space, templateflow=flow).grid
    assert grid.shape == SHAPE
    assert grid.space == "MNI152NLin6Asym"
    corner = AFFINE @ [90, 0, 0, 1]
    np.testing.assert_allclose(grid.matrix @ [0, 0, 0, 1], corner)  # the same voxels, mirrored
    assert round(0.1 * np.prod(grid.shape) ** 0.5) == 95
    assert config.space.zscore == "volume"
    families = {f"{f}{i}": str(f) for f in range(12) for i in range(1 + f % 4)}
    (split,) = make_splits(
        list(families), config.split, families=families, generator=np.random.default_rng(0)
    )
    sides = [
        {families[who] for who in side} for side in (split.train, split.validation, split.test)
    ]
    assert sum(map(len, sides)) == len(set.union(*sides))
    sizes = {f: list(families.values()).count(f) for f in families.values()}
    assert min(sizes[f] for f in sides[0]) >= max(sizes[f] for f in sides[1] | sides[2])


def test_hcp7_averages_the_contrasts_where_they_are_not_ready() -> None:
    defined = {each.name: each for each in read_classes("hcp7")}
    assert sorted(defined) == CLASSES
    assert [str(part) for part in defined["gambling"].parts] == [
        "GAMBLING PUNISH", "GAMBLING REWARD",
    ]  # fmt: skip
    assert len(defined["motor"].parts) == 5


def test_the_tool_says_what_to_do_next(
    hcp_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    app(["hcp", str(hcp_dir), str(tmp_path / "bids"), "--stat", "zstat"], standalone_mode=False)
    said = capsys.readouterr().out
    assert said.startswith("16 maps: ")
    assert "--preset paper" in said


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_download_is_enough(hcp_dir: Path, tmp_path: Path) -> None:
    for folder in [hcp_dir, *(p for p in hcp_dir.rglob("*") if p.is_dir())]:
        folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    assert import_hcp(hcp_dir, tmp_path / "bids", HcpConfig()) == 16
