import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from fmridecode.bids.derivatives import read_table
from fmridecode.core.settings import EvaluationConfig
from fmridecode.errors import UsageError
from fmridecode.pipeline.training import train
from fmridecode.pipeline.training.baseline import has_baseline

MEASURES = ("faithfulness", "sanity", "reliability", "robustness")
CNN = ("--architecture", "cnn", "--filters", "2", "--epochs", "2", "--saliency", "gradient")
OFF = [each for name in MEASURES for each in (f"--{name}", "off")]
FAST = (*CNN, *OFF)
MODELS = "models/cnn-adversarial"
TABLE = "group_desc-decoding_comparison.tsv"


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def compared(
    study: Path, job: Callable[..., int], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Return a run of a network with its baseline; not to be changed."""
    out = tmp_path_factory.mktemp("compared") / "out"
    assert job(study, out, "participant", *FAST) == 0
    assert job(study, out, "group", *FAST) == 0
    return out


def test_the_baseline_is_bit_for_bit_a_linear_decoder_of_standard_training(
    compared: Path, study: Path, job: Callable[..., int], tmp_path: Path
) -> None:
    linear = (*FAST, "--architecture", "linear", "--training", "standard")
    assert job(study, tmp_path, "participant", *linear) == 0
    alone = tmp_path / "models" / "linear-standard"
    for fold in ("fold-1", "fold-2", "fold-3"):
        assert contents(compared / MODELS / "baseline" / fold) == contents(alone / fold)
    for who in ("sub-001", "sub-005"):
        name = f"func/{who}_desc-{{}}_predictions.tsv"
        ours = (compared / who / name.format("baseline")).read_bytes()
        assert ours == (tmp_path / who / name.format("decoding")).read_bytes()
    assert not (alone / "baseline").exists()
    assert not list(tmp_path.rglob("*desc-baseline*"))


def test_the_comparison_is_of_the_two_sets_of_predictions(compared: Path) -> None:
    table = read_table(compared / TABLE).set_index("metric")
    for column, kind in (("decoder", "decoding"), ("baseline", "baseline")):
        tables = [
            read_table(p) for p in compared.glob(f"sub-*/func/*_desc-{kind}_predictions.tsv")
        ]
        assert len(tables) == 9
        correct = sum(each["correct"].sum() for each in tables)
        assert table.loc["accuracy", column] == pytest.approx(correct / 27, abs=1e-5)
        assert not any(each["seen_in_training"].any() for each in tables)
    metrics = read_table(compared / "group_desc-decoding_metrics.tsv").set_index("metric")
    for metric in table.index:
        assert table.loc[metric, "decoder"] == metrics.loc[metric, "estimate"]


def test_a_baseline_is_added_later_without_training_the_decoder_again(
    compared: Path,
    study: Path,
    job: Callable[..., int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = Path(shutil.copytree(compared, tmp_path / "out"))
    shutil.rmtree(out / MODELS / "baseline")
    assert job(study, out, "participant", *FAST, "--baseline", "off") == 0
    assert not list(out.rglob("*desc-baseline*"))
    assert not (out / MODELS / "baseline").exists()
    assert job(study, out, "group", *FAST) == 0
    assert not (out / TABLE).exists()
    trained = []
    real = train.fit_decoder

    def spy(config: object, *args: object, **kwargs: object) -> object:
        trained.append(config.model.architecture)
        return real(config, *args, **kwargs)

    monkeypatch.setattr(train, "fit_decoder", spy)
    assert job(study, out, "participant", *FAST, "--participant-label", "001") == 0
    assert trained == ["linear"] * 3
    assert contents(out / MODELS) == contents(compared / MODELS)
    name = "sub-001/func/sub-001_desc-baseline_predictions.tsv"
    assert (out / name).read_bytes() == (compared / name).read_bytes()


def test_a_baseline_of_fewer_participants_than_the_decoder_is_refused(
    compared: Path,
    study: Path,
    job: Callable[..., int],
    tmp_path: Path,
    capsys: pytest.CaptureFixture,
) -> None:
    out = Path(shutil.copytree(compared, tmp_path / "out"))
    shutil.rmtree(out / MODELS / "baseline")
    some = ["--participant-label", *(f"00{each}" for each in range(1, 9))]
    assert job(study, out, "train", *FAST, *some) == 65
    assert "there are no usable maps of 009" in capsys.readouterr().err.splitlines()[-1]


def test_a_linear_decoder_needs_no_baseline(quick: Callable) -> None:
    assert has_baseline(quick())
    assert not has_baseline(quick({"model": {"architecture": "linear"}}))
    assert not has_baseline(quick({"evaluation": {"baseline": "off"}}))
    with pytest.raises(UsageError, match="--baseline is 'svm'; expected linear or off"):
        EvaluationConfig(baseline="svm")
