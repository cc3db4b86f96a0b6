"""Broken and hostile input: always one line, never a traceback, bounded memory, no silent skip."""

import json
import logging
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fmridecode.bids.class_file import read_classes
from fmridecode.bids.classes import plan_examples
from fmridecode.bids.datasets import map_datasets
from fmridecode.bids.derivatives import read_table, write_table
from fmridecode.bids.filters import read_filters
from fmridecode.bids.maps import prepare
from fmridecode.bids.names import bids_name, map_path, table_path
from fmridecode.bids.participants import read_column
from fmridecode.bids.query import find_maps, look_for_maps
from fmridecode.bids.restricted import read_families
from fmridecode.bids.settings import InputConfig, SpaceConfig
from fmridecode.bids.standardise import Source, standardise
from fmridecode.bids.templates import Template
from fmridecode.config import compose, read_toml
from fmridecode.errors import BadDataError, FmridecodeError, NoInputError, UsageError

from .conftest import AFFINE, SPACE
from .hostile import KINDS, Bad, bad_files, whole

N = 608
MEMORY = 2**30
"""Address space, in bytes beside that of the libraries, in which every bad file is read."""
ALWAYS_READ = {"infinite scale", "wrong header size"}
SURVIVE = {"flipped bit", "scrambled header", "truncated gzip"} | ALWAYS_READ
"""Kinds of which some files can still be read, or whose data count as missing."""

BOUNDED = """
import json, resource, sys
from pathlib import Path
import numpy as np
from fmridecode.bids.standardise import Source, standardise
from fmridecode.core.grid import Grid, as_rows
from fmridecode.errors import BadDataError, NoInputError
import nibabel, scipy.ndimage, nilearn.image
folder, memory = Path(sys.argv[1]), int(sys.argv[2])
affine = np.array(json.loads(sys.argv[3]))
grid = Grid(shape=(8, 9, 10), affine=as_rows(affine), space="x", resolution="08")
brain = np.ones(grid.shape, dtype=bool)
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + memory, used + memory))
answers = {}
for path in sorted(folder.iterdir()):
    try:
        made = standardise([Source(path=path, weight=1)], grid=grid, brain=brain, zscore="brain")
    except (BadDataError, NoInputError) as error:
        answers[path.name] = str(error)
    else:
        answers[path.name] = "" if np.isfinite(made.values).all() else "NOT FINITE"
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps([answers, peak]))
"""


@pytest.fixture(scope="module")
def files() -> list[Bad]:
    return bad_files(N)


@pytest.fixture(scope="module")
def answers(files: list[Bad], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Read all files in a process whose memory is bounded; return its answers by file name."""
    folder = tmp_path_factory.mktemp("hostile")
    for i, bad in enumerate(files):
        (folder / f"{i:04d}{'.nii.gz' if i % 5 else '.nii'}").write_bytes(bad.content)
    (folder / "folder.nii.gz").mkdir()
    (folder / "link.nii.gz").symlink_to(folder / "gone")
    (folder / "loop.nii.gz").symlink_to(folder / "loop.nii.gz")
    line = [sys.executable, "-W", "error", "-c", BOUNDED, folder, str(MEMORY)]
    line.append(json.dumps(AFFINE.tolist()))
    done = subprocess.run(list(map(str, line)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, str]
    found, peak = json.loads(done.stdout)
    assert peak < 2 * MEMORY
    return found


def test_more_than_five_hundred_bad_files_are_one_line_each_in_bounded_memory(
    files: list[Bad], answers: dict[str, str]
) -> None:
    assert len(answers) == N + 3
    for name, answer in answers.items():
        assert "\n" not in answer
        assert answer == "" or name in answer
        assert answer == "" or answer.endswith(".")
        assert len(answer) < 600


def test_every_kind_of_bad_file_is_refused(files: list[Bad], answers: dict[str, str]) -> None:
    refused: Counter[str] = Counter()
    for i, (bad, answer) in enumerate(zip(files, map(answers.get, sorted(answers)), strict=False)):
        assert sorted(answers)[i].startswith(f"{i:04d}")
        refused[bad.kind] += bool(answer)
        assert answer or bad.kind in SURVIVE, bad.kind
    assert all(refused[kind] for kind in set(KINDS) - ALWAYS_READ)
    for name in ("folder.nii.gz", "link.nii.gz", "loop.nii.gz"):
        assert "cannot be opened" in answers[name]


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(content=st.binary(max_size=600), cut=st.integers(0, 352))
def test_any_bytes_are_read_or_refused(
    tmp_path: Path, template: Template, content: bytes, cut: int
) -> None:
    path = tmp_path / "a.nii"
    path.write_bytes(bytes(whole(np.random.default_rng(0)))[:cut] + content)
    try:
        made = standardise(
            [Source(path=path, weight=1)], grid=template.grid, brain=template.mask, zscore="brain"
        )
    except (BadDataError, NoInputError) as error:
        said = str(error)
    else:
        said = ""
        assert np.isfinite(made.values).all()
    assert "\n" not in said


def test_no_bad_file_is_skipped_silently(
    files: list[Bad], dataset: Callable[..., Path], template: Template, caplog: Any
) -> None:
    """One participant per kind: each has failed with a reason, and the good ones are used."""
    names = [
        f"sub-{who}/sub-{who}_task-{t}_space-{SPACE}_statmap.nii.gz"
        for who in ("good1", "good2", *(f"bad{i:02d}" for i in range(len(KINDS))))
        for t in "ab"
    ]
    root = dataset(*names)
    for i, bad in enumerate(files[: len(KINDS)]):
        (root / names[4 + 2 * i]).write_bytes(bad.content)
    caplog.set_level(logging.ERROR)
    config = InputConfig()
    plan = plan_examples(find_maps(root, config), config)
    made = prepare(
        plan, template, inputs=config, space=SpaceConfig(resolution=8), work_dir=root / "../work"
    )
    failed = {each.participant: each.message for each in made.failures}
    for i, bad in enumerate(files[: len(KINDS)]):
        who = f"bad{i:02d}"
        assert who in failed or (bad.kind in SURVIVE and who in made.maps.participants)
        assert who not in failed or f"sub-{who}: " in caplog.text
    assert {"good1", "good2"} <= set(made.maps.participants)
    assert not set(failed) & set(made.maps.participants)


JUNK = [
    b"", b"\xff\xfe\x00", b"\x00" * 50, b"[" * 3000, b"{}", b"[]", b"null", b"3", b'"x"',
    b"\xef\xbb\xbf{}", b'{"a": NaN}', b'{"a": 1e999}', b"\r\n\r\n", b"a\tb\r\n1", b"\t\t\t\n",
    b"participant_id\n", b"a=1", b"[a]\nb=2", b"[[a]]\n[a]", b"a = 2024-01-01", b"a\n" * 3,
    b"=cmd|' /C calc'!A0", b"x" * 5000,
]  # fmt: skip
text = st.text(max_size=40)
jsons = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=8,
)
contents = (
    st.sampled_from(JUNK)
    | st.binary(max_size=200)
    | jsons.map(lambda value: json.dumps(value).encode())
)


def read_description(path: Path) -> object:
    (path.parent / "dataset_description.json").write_bytes(path.read_bytes())
    return map_datasets(path.parent, InputConfig())


READERS: dict[str, Callable[[Path], object]] = {
    "filter file": lambda path: read_filters(str(path)),
    "dataset_description.json": read_description,
    "participants.tsv": lambda path: read_column([path.parent], "family", option="--group-column"),
    "table of an earlier run": read_table,
    "class file": lambda path: read_classes(str(path)),
    "config file": lambda path: compose(read_toml(path)),
    "restricted data": lambda path: read_families(path, "Family_ID"),
}


@pytest.mark.parametrize("kind", READERS)
@settings(max_examples=120, suppress_health_check=list(HealthCheck))
@given(content=contents)
def test_any_text_file_is_read_or_refused_in_one_line(
    tmp_path: Path, kind: str, content: bytes
) -> None:
    path = tmp_path / ("participants.tsv" if kind == "participants.tsv" else "file.toml")
    path.write_bytes(content)
    try:
        READERS[kind](path)
        said = ""
    except FmridecodeError as error:
        said = str(error)
    assert "\n" not in said
    assert len(said) < 1500


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("\ufeffparticipant_id\tfamily\r\nsub-01\tA\r\n", {"01": "A"}),
        ("participant_id\tfamily\nsub-01\tA\nsub-01\tA\n", {"01": "A"}),
        ("participant_id\tfamily\nsub-01\t=HYPERLINK(1)\n", {"01": "=HYPERLINK(1)"}),
        ("participant_id\tfamily\nsub-01\t007\nsub-02\t7\n", {"01": "007", "02": "7"}),
        ("participant_id\tfamily\nsub-01\tn/a\nsub-02\t\n", {}),
        ('participant_id\tfamily\nsub-01\t"A\n', {"01": '"A'}),
        ("participant_id\tfamily\nsub-01\tA\nsub-01\tB\n", BadDataError),
        ("participant_id\tfamiliy\nsub-01\tA\n", UsageError),
        ("participant_id\tfamily\nsub-01\tA\tB\tC\n", BadDataError),
    ],
)
def test_a_table_of_participants_means_what_it_says(
    tmp_path: Path, content: str, expected: Any
) -> None:
    (tmp_path / "participants.tsv").write_bytes(content.encode())
    if isinstance(expected, dict):
        assert read_column([tmp_path], "family", option="--group-column") == expected
    else:
        with pytest.raises(expected):
            read_column([tmp_path], "family", option="--group-column")


@settings(max_examples=200, suppress_health_check=list(HealthCheck))
@given(label=st.text(max_size=60), participant=st.text(max_size=30))
def test_no_label_leads_out_of_the_output(
    template: Template, label: str, participant: str
) -> None:
    out = Path("/out")
    for make in (
        lambda: map_path(
            out, participant=participant, session="", task=label, contrast=label,
            grid=template.grid, description=label,
        ),
        lambda: table_path(out, participant, f"desc-{label}_x"),
        lambda: out / bids_name("x", ".tsv", sub="01", desc=label),
    ):  # fmt: skip
        try:
            path = make()
        except UsageError:
            continue
        assert out in path.parents
        assert ".." not in path.parts
        assert path.name.isascii()
        assert path.name.isprintable()


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(cells=st.lists(st.text(max_size=30), min_size=1, max_size=4))
def test_no_cell_becomes_a_formula_or_another_cell(tmp_path: Path, cells: list[str]) -> None:
    import pandas as pd

    write_table(tmp_path / "t.tsv", pd.DataFrame({"x": cells}), {"x": "Anything."})
    lines = (tmp_path / "t.tsv").read_bytes().decode().split("\n")[1:-1]
    assert len(lines) == len(cells)
    assert not any(line.startswith(("=", "+", "-", "@")) or "\t" in line for line in lines)
    read_table(tmp_path / "t.tsv")


@pytest.mark.parametrize("name", ["sub-..", "sub-a b", "sub-é", "sub-a_b"])
def test_strange_names_of_folders_lead_nowhere(dataset: Callable[..., Path], name: str) -> None:
    good = [f"sub-01/sub-01_task-{t}_statmap.nii.gz" for t in "ab"]
    root = dataset(*good, *(f"{name}x/{name}x_task-{t}_statmap.nii.gz" for t in "ab"), empty=True)
    found = look_for_maps(root, InputConfig())
    assert len(found.maps) + len(found.left_out) == 4
    for each in found.maps:
        assert table_path(Path("/out"), each.participant, "desc-x_y").is_relative_to("/out")
