import logging
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fmridecode.bids import standardise, worklist
from fmridecode.bids.classes import Plan, plan_examples
from fmridecode.bids.maps import Failure
from fmridecode.bids.maps import prepare as prepare_maps
from fmridecode.bids.query import find_maps
from fmridecode.bids.settings import InputConfig, SpaceConfig
from fmridecode.bids.templates import Template
from fmridecode.core.maps import MapSet
from fmridecode.errors import BadDataError, CannotCreateError, UsageError

from .conftest import SPACE

Dataset = Callable[..., Path]
INPUTS = InputConfig()
SPACES = SpaceConfig(resolution=8)
NAMES = [
    f"sub-{s}/sub-{s}_task-{t}_space-{SPACE}_statmap.nii.gz" for s in ("02", "01") for t in "ba"
]


@pytest.fixture
def root(dataset: Dataset) -> Path:
    return dataset(*NAMES)


def planned(root: Path) -> Plan:
    return plan_examples(find_maps(root, INPUTS), INPUTS)


def prepare(plan: Plan, template: Template, **more: Any) -> tuple[MapSet, tuple[Failure, ...]]:
    made = prepare_maps(plan, template, **more)
    return made.maps, made.failures


def prepared(
    root: Path, template: Template, *, space: SpaceConfig = SPACES, **more: Any
) -> tuple[MapSet, tuple[Failure, ...]]:
    settings = {"inputs": INPUTS, "work_dir": root.parent / "work", **more}
    return prepare(planned(root), template, space=space, **settings)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of the images that are opened, as they are."""
    names: list[str] = []
    read = standardise.load_image

    def spy(path: Path) -> Any:
        names.append(path.name)
        return read(path)

    monkeypatch.setattr(standardise, "load_image", spy)
    return names


def test_examples_are_sorted_and_say_where_they_come_from(root: Path, template: Template) -> None:
    maps, failures = prepared(root, template)
    assert failures == ()
    assert [(e.participant, e.label) for e in maps.examples] == [
        ("01", 0), ("01", 1), ("02", 0), ("02", 1),
    ]  # fmt: skip
    assert maps.examples[0].sources == (f"bids:input:{NAMES[3]}",)
    assert maps.class_names == ("a", "b")
    assert maps.values.shape == (4, *template.grid.shape)
    assert isinstance(maps.values, np.memmap)
    np.testing.assert_allclose(maps.values[:, template.mask].std(axis=1), 1, atol=1e-6)
    assert (maps.mask == template.mask).all()
    assert maps.mask_source == "a box"


def test_a_second_run_opens_no_image(root: Path, template: Template, opened: list[str]) -> None:
    first, _ = prepared(root, template)
    assert len(opened) == 4
    second, _ = prepared(root, template)
    assert len(opened) == 4
    np.testing.assert_array_equal(first.values, second.values)
    assert first.examples == second.examples


def test_a_changed_source_or_rule_is_prepared_again(
    root: Path, template: Template, opened: list[str], write_image: Callable[..., Path]
) -> None:
    before, _ = prepared(root, template)
    write_image(root / NAMES[0], seed=99)
    after, _ = prepared(root, template)
    assert opened[4:] == [Path(NAMES[0]).name]
    assert not np.array_equal(before.values, after.values)
    prepared(root, replace(template, mask=np.ones_like(template.mask)))
    prepared(root, template, space=replace(SPACES, zscore="volume"))
    assert len(opened) == 4 + 1 + 4 + 4


@pytest.mark.parametrize("which", ["stack-*.npy", "stack-*.json"])
@pytest.mark.parametrize("damage", [lambda b: b[:-7], lambda b: b"", lambda b: b[:-9] + b"x" * 9])
@pytest.mark.parametrize("only", [slice(None), slice(2, 4)])
def test_a_damaged_cache_is_made_again(
    root: Path, template: Template, which: str, damage: Callable[[bytes], bytes], only: slice
) -> None:
    before = np.array(prepared(root, template)[0].values)
    for path in (root.parent / "work" / "maps").glob(which):
        path.write_bytes(damage(path.read_bytes()))
    plan = planned(root)
    subset = replace(plan, examples=plan.examples[only])
    after, _ = prepare(
        subset, template, inputs=INPUTS, space=SPACES, work_dir=root.parent / "work"
    )
    np.testing.assert_array_equal(before[only], after.values)


def test_a_killed_run_goes_on_where_it_was(
    root: Path, template: Template, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, _ = prepared(root, template, work_dir=root.parent / "other")
    opened.clear()
    monkeypatch.setattr(worklist, "_AT_ONCE", 1)
    read = standardise.load_image

    def killed(path: Path) -> Any:
        if len(opened) == 3:
            raise KeyboardInterrupt
        return read(path)

    with monkeypatch.context() as patch:
        patch.setattr(standardise, "load_image", killed)
        with pytest.raises(KeyboardInterrupt):
            prepared(root, template)
    assert len(opened) == 3
    maps, _ = prepared(root, template)
    assert len(opened) == 4
    np.testing.assert_array_equal(maps.values, whole.values)
    assert maps.examples == whole.examples


def test_a_finished_run_leaves_one_array_and_what_is_said_of_it(
    root: Path, template: Template
) -> None:
    prepared(root, template)
    left = sorted(path.suffix for path in (root.parent / "work" / "maps").iterdir())
    assert left == [".json", ".npy"]


def test_maps_beside_a_bad_one_are_read_once(
    root: Path, template: Template, opened: list[str]
) -> None:
    (root / NAMES[0]).write_bytes(b"")
    prepared(root, template)
    opened.clear()
    prepared(root, template)
    assert opened == [Path(name).name for name in NAMES[1::-1]]  # those of its participant


def test_a_subset_reads_only_what_is_cached(
    root: Path, template: Template, opened: list[str]
) -> None:
    prepared(root, template)
    plan = planned(root)
    subset = replace(plan, examples=plan.examples[:2])
    maps, _ = prepare(subset, template, inputs=INPUTS, space=SPACES, work_dir=root.parent / "work")
    assert maps.participants == ("01", "01")
    assert len(opened) == 4


def test_a_bad_map_fails_its_participant_not_the_run(root: Path, template: Template) -> None:
    (root / NAMES[0]).write_bytes(b"")
    for _ in range(2):  # with and without a cache
        maps, failures = prepared(root, template)
        assert set(maps.participants) == {"01"}
        assert [each.participant for each in failures] == ["02"]
        assert "is empty (0 bytes)" in failures[0].message


def test_the_first_failure_can_stop_the_run(root: Path, template: Template) -> None:
    (root / NAMES[0]).write_bytes(b"")
    with pytest.raises(BadDataError, match="empty"):
        prepared(root, template, stop_on_first_crash=True)


def test_nothing_left_is_an_error(root: Path, template: Template) -> None:
    for name in NAMES:
        (root / name).write_bytes(b"")
    with pytest.raises(BadDataError, match="None of the 2 participants can be used; the first"):
        prepared(root, template)


def test_a_vanished_map_fails_its_participant(root: Path, template: Template) -> None:
    plan = planned(root)
    (root / NAMES[2]).unlink()
    maps, failures = prepare(
        plan, template, inputs=INPUTS, space=SPACES, work_dir=root.parent / "work"
    )
    assert (set(maps.participants), failures[0].participant) == ({"02"}, "01")


def test_a_map_that_misses_too_much_is_refused(
    root: Path, template: Template, write_image: Callable[..., Path]
) -> None:
    data = np.random.default_rng(0).normal(size=template.grid.shape).astype(np.float32)
    data[:5] = 0
    write_image(root / NAMES[3], data)
    maps, failures = prepared(root, template)
    assert set(maps.participants) == {"02"}
    assert "has no data in 67% of the brain mask; at most 50%" in failures[0].message
    maps, failures = prepared(root, template, inputs=InputConfig(max_missing=0.7))
    assert failures == ()
    assert maps.examples[0].missing == pytest.approx(2 / 3)


def test_several_processes_make_the_same_maps(root: Path, template: Template) -> None:
    one, _ = prepared(root, template)
    two, _ = prepared(root, template, work_dir=root.parent / "other", nprocs=2)
    np.testing.assert_array_equal(one.values, two.values)


def test_volume_has_a_full_mask_and_says_so(root: Path, template: Template) -> None:
    maps, _ = prepared(root, template, space=replace(SPACES, zscore="volume"))
    assert maps.mask.all()
    assert maps.mask_source.startswith("the whole grid")


def test_the_space_must_be_the_one_asked_for(
    root: Path, template: Template, caplog: pytest.LogCaptureFixture
) -> None:
    other = replace(SPACES, space="MNI152NLin6Asym")
    with pytest.raises(
        UsageError,
        match=f"is in {SPACE}, not in MNI152NLin6Asym; use --space {SPACE}, or download http",
    ):
        prepared(root, template, space=other)
    caplog.set_level(logging.WARNING)
    prepared(root, template, space=replace(other, force_space=True))
    assert "--force-space" in caplog.text


def test_a_map_without_a_space_needs_input_space(dataset: Dataset, template: Template) -> None:
    root = dataset(*(name.replace(f"_space-{SPACE}", "") for name in NAMES))
    with pytest.raises(UsageError, match=f"--input-space {SPACE}"):
        prepared(root, template)
    maps, _ = prepared(root, template, space=replace(SPACES, input_space=SPACE))
    assert len(maps.examples) == 4


def test_input_is_never_written_to(root: Path, template: Template) -> None:
    def listing() -> list[tuple[str, int]]:
        return sorted((str(p), p.stat().st_mtime_ns) for p in root.rglob("*"))

    before = listing()
    prepared(root, template)
    assert listing() == before


def test_a_work_directory_that_cannot_be_made_is_one_line(root: Path, template: Template) -> None:
    blocked = root.parent / "file"
    blocked.touch()
    with pytest.raises(CannotCreateError, match="cannot be created"):
        prepared(root, template, work_dir=blocked / "work")
    shutil.rmtree(root)


@pytest.mark.realdata
def test_real_maps_are_prepared(realdata: Path, tmp_path: Path, template: Template) -> None:
    config = InputConfig(label_by="contrast", participant_label=("01", "05"))
    plan = plan_examples(find_maps(realdata / "woo2014", config), config)
    space = SpaceConfig(resolution=8, input_space=SPACE)
    maps, failures = prepare(plan, template, inputs=config, space=space, work_dir=tmp_path)
    assert failures == ()
    assert maps.class_names == ("friend", "heat", "rejection", "warmth")
    assert len(maps.examples) == 8
    assert np.isfinite(maps.values).all()
