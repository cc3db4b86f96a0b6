from pathlib import Path

import pytest

from fmridecode.config import compose_run
from fmridecode.errors import UsageError
from fmridecode.pipeline.regression.applicable import settled_for_number

from .conftest import AGE, Job

NUMBER = {"input": {"target_column": "age"}}


@pytest.mark.parametrize(
    ("component", "field", "value", "words"),
    [
        ("model", "architecture", "correlation", "--architecture correlation"),
        ("training", "attack", "targeted", "--attack targeted"),
        ("training", "epsilon", "auto", "--epsilon auto"),
        ("training", "init_from", "somewhere", "--init-from"),
        ("saliency", "smoothgrad_sigma", "auto", "--smoothgrad-sigma auto"),
        ("saliency", "target", "predicted", "--target predicted"),
        ("evaluation", "sanity", "full", "--sanity full"),
        ("evaluation", "faithfulness", "full", "--faithfulness full"),
        ("evaluation", "group_statistics", "full", "--group-statistics full"),
        ("evaluation", "panels", "all", "--panels all"),
        ("evaluation", "permutation_refits", 9, "--permutation-refits"),
        ("evaluation", "atlas", "Schaefer2018", "--atlas"),
        ("given", "labels", ("a=b",), "--model-labels"),
    ],
)
def test_what_needs_classes_is_refused_by_both_names(
    component: str, field: str, value: object, words: str
) -> None:
    config = compose_run("default", NUMBER, {component: {field: value}})
    with pytest.raises(UsageError, match=f"{words} needs classes, and --target-column age"):
        settled_for_number(config)


def test_how_parcels_interact_is_not_said_of_a_number() -> None:
    asked = {"saliency": {"methods": ("hessian",)}, "evaluation": {"atlas": "Schaefer2018"}}
    with pytest.raises(UsageError, match="--saliency hessian needs classes"):
        settled_for_number(compose_run("default", NUMBER, asked))


def test_what_nobody_asked_for_is_off() -> None:
    evaluation = settled_for_number(compose_run("default", NUMBER)).evaluation
    for name in ("faithfulness", "sanity", "reliability", "robustness", "panels"):
        assert getattr(evaluation, name) == "off"
    assert evaluation.baseline == "linear"


def test_a_number_is_learnt_longer_unless_the_user_or_the_paper_says_how_long() -> None:
    assert compose_run("default").training.epochs == 32
    assert compose_run("default", NUMBER).training.epochs == 128
    assert compose_run("paper", NUMBER).training.epochs == compose_run("paper").training.epochs
    asked = {"training": {"epochs": 7}}
    assert compose_run("quick", NUMBER, asked).training.epochs == 7


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--target-column", "agee"), 64, "no column 'agee'; did you mean age"),
        (("--target-column", "age<30"), 64, "has < or >; rename the column"),
        (("--target-column", "site"), 65, "has no number for any of the 24 participants"),
        (("--target-column", "same"), 65, "is 30 for all 24 participants"),
        ((*AGE, "--attack", "targeted"), 64, "--attack targeted needs classes"),
        ((*AGE, "--folds", "30"), 64, "23 independent participants (or families) for --folds 30"),
        ((*AGE, "--participant-label", "02"), 65, "its age is n/a"),
    ],
)
def test_what_cannot_be_decoded_is_one_line_and_a_documented_code(
    aged: Path,
    job: Job,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, ...],
    code: int,
    words: str,
) -> None:
    level = "train" if "--participant-label" in options else "participant"
    assert job(aged, tmp_path / "out", level, *options) == code
    said = capsys.readouterr().err.splitlines()
    assert words in said[-1]
    assert said[-1].startswith("fmridecode: error: ")


def test_classes_and_a_number_do_not_share_an_output(
    predicted: Path, aged: Path, job: Job, capsys: pytest.CaptureFixture[str]
) -> None:
    assert job(aged, predicted, "participant") == 64
    assert "linear-adversarial-age, and linear-adversarial is asked for" in capsys.readouterr().err


def test_a_decoder_of_classes_is_not_asked_for_a_number(
    study: Path, whole: Path, job: Job, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = ("--model", str(whole / "models/linear-adversarial/fold-1"))
    assert job.plain(study, tmp_path / "out", "participant", *model, *AGE) == 64
    assert "decodes classes, and --target-column age" in capsys.readouterr().err


def test_a_dry_run_names_who_has_no_number(
    aged: Path, job: Job, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert job.plain(aged, tmp_path / "out", "participant", *AGE[:2], "--dry-run") == 0
    said = capsys.readouterr().out
    assert "age is known of 23 participants." in said
    assert "sub-02 is left out: its age is n/a" in said
