"""Whole runs and the scripts beside them: same output, and a profile that adds up."""

import ast
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

import fmridecode
from fmridecode.bids import templateflow
from fmridecode.errors import TryAgainError
from fmridecode.experiments.benchmarks.comparison import Comparison
from fmridecode.pipeline import reports
from fmridecode.pipeline.bench import participant as participants
from fmridecode.pipeline.bench.participant import measured_run, participant_run
from fmridecode.pipeline.bench.preparing import preparing
from fmridecode.pipeline.bench.profile import STEPS, profile
from fmridecode.pipeline.bench.study import MEASURES, Study, make_study


@pytest.fixture(scope="module", autouse=True)
def offline(tmp_path_factory: pytest.TempPathFactory) -> None:
    def refuse(url: str) -> tuple[bytes, str]:
        raise TryAgainError(f"{url} cannot be reached")

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEMPLATEFLOW_HOME", str(tmp_path_factory.mktemp("templateflow")))
        patch.setattr(templateflow, "fetch", refuse)
        yield


@pytest.fixture(scope="module")
def study(offline: None, tmp_path_factory: pytest.TempPathFactory) -> Study:
    return make_study(tmp_path_factory.mktemp("bench"), resolution=8, participants=2)


@pytest.mark.parametrize("compare", [participant_run, measured_run])
def test_the_run_and_the_script_write_the_same_maps_and_scores(
    study: Study, compare: Callable[[Study], Comparison]
) -> None:
    compared = compare(study)
    assert compared.error() < 1e-4 < compared.tolerance


def test_the_run_measures_what_its_name_says_and_no_more(study: Study) -> None:
    def tables(compare: Callable[[Study], Comparison]) -> set[str]:
        before = set(study.folder.iterdir())
        compare(study).ours()
        (out,) = set(study.folder.iterdir()) - before
        return {path.name.split("_")[1] for path in out.glob("sub-*/func/*_scores.tsv")}

    assert tables(participant_run) == {"desc-interpretability"}
    assert tables(measured_run) == {f"desc-{each}" for each in ("interpretability", *MEASURES)}


def test_every_function_that_the_profile_names_exists() -> None:
    package = Path(fmridecode.__file__).parent
    for file, name in (each for functions in STEPS.values() for each in functions):
        (path,) = (each for each in package.rglob("*.py") if str(each).endswith(f"/{file}"))
        defined = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        assert [
            each for each in defined if isinstance(each, ast.FunctionDef) and each.name == name
        ]


def test_a_script_with_another_temperature_would_be_noticed(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(participants, "TEMPERATURE", 3.0)
    compared = participant_run(study)
    assert compared.error() > compared.tolerance


def test_maps_of_the_study_have_to_be_resampled(study: Study) -> None:
    image = nib.load(study.files[0])
    assert not study.template.grid.equals(image.shape, image.affine)
    assert np.all(image.get_fdata() != 0)


def test_preparing_makes_all_maps_and_leaves_nothing(study: Study) -> None:
    before = set(study.folder.iterdir())
    compared = preparing(study, participants=2, nprocs=1)
    compared.ours()
    compared.tidy()
    compared.reference()
    assert set(study.folder.iterdir()) == before


def test_the_profile_accounts_for_the_whole_run(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "build_participant", lambda *_: None)
    rows = profile(study)
    assert sum(share for _, _, share in rows) == pytest.approx(1.0)
    found = {step: seconds for step, seconds, _ in rows}
    assert all(found[step] > 0 for step in found)
    assert rows[-1][0] == "all else"
