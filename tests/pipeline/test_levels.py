import hashlib
import json
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import nibabel as nib
import pytest
import torch

from fmridecode.bids.derivatives import read_table
from fmridecode.core.training import Trainer
from fmridecode.pipeline.training import train

MODELS = "models/linear-adversarial"


def contents(root: Path, *folders: str) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for folder in folders
        for path in sorted((root / folder).rglob("*"))
        if path.is_file()
    }


def own(root: Path, who: str) -> dict[str, bytes]:
    """What a participant leaves alone; who is typical is known once everyone is done."""
    return {name: each for name, each in contents(root, who).items() if "_panel." not in name}


def participants(out: Path) -> list[str]:
    return sorted(path.name for path in out.glob("sub-*") if path.is_dir())


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    """Return the output of the whole run, to be changed at will."""
    return Path(shutil.copytree(whole, tmp_path / "out"))


def test_two_commands_decode_explain_and_evaluate_everyone(whole: Path) -> None:
    assert len(participants(whole)) == 9
    for who in participants(whole):
        names = {path.name for path in (whole / who / "func").iterdir()}
        assert f"{who}_desc-decoding_predictions.tsv" in names
        assert f"{who}_desc-interpretability_scores.tsv" in names
        assert sum(name.endswith("_saliency.nii.gz") for name in names) == 3 * 3
    assert (whole / "group_desc-decoding_metrics.tsv").exists()
    assert (whole / "group_desc-summary.json").exists()
    assert (whole / "logs" / "CITATION.md").exists()
    assert (whole / "logs" / "CITATION.bib").exists()


def test_every_map_comes_from_a_decoder_that_has_not_seen_its_participant(whole: Path) -> None:
    roles = read_table(whole / MODELS / "folds.tsv").set_index(["fold", "participant_id"])["role"]
    for who in participants(whole):
        predictions = read_table(whole / who / "func" / f"{who}_desc-decoding_predictions.tsv")
        (fold,) = set(predictions["fold"])
        assert roles[fold, who.removeprefix("sub-")] == "test"
        assert not predictions["seen_in_training"].any()
        config = whole / MODELS / f"fold-{fold}" / "config.json"
        for sidecar in (whole / who).rglob("*_saliency.json"):
            said = json.loads(sidecar.read_text())
            assert said["DecoderHash"] == hashlib.sha256(config.read_bytes()).hexdigest()
            assert said["TrainedOnParticipant"] is False
            assert said["Fold"] == fold


def test_families_stay_together(whole: Path, study: Path) -> None:
    families = read_table(study / "participants.tsv").set_index("participant_id")["family"]
    assert families.duplicated().any()
    folds = read_table(whole / MODELS / "folds.tsv")
    family = ("sub-" + folds["participant_id"]).map(families)
    assert folds.groupby([folds["fold"], family])["role"].nunique().eq(1).all()
    tested = folds[folds["role"] == "test"]["participant_id"]
    assert sorted(tested) == [who.removeprefix("sub-") for who in participants(whole)]


def test_the_resolved_config_repeats_the_run_bit_by_bit(
    whole: Path, study: Path, job: Callable[..., int], tmp_path: Path
) -> None:
    (log,) = (whole / "logs").glob("*_participant_*.toml")
    run = tomllib.loads(log.read_text())["run"]
    assert run["level"] == "participant"
    assert run["bids_dir"] == str(study)
    assert job.plain(study, tmp_path, "participant", "--config-file", str(log)) == 0
    everyone = participants(whole)
    assert contents(tmp_path, "models", *everyone) == contents(whole, "models", *everyone)


def test_another_seed_gives_another_decoder(
    whole: Path, study: Path, job: Callable[..., int], tmp_path: Path
) -> None:
    options = ["--group-column", "family", "--random-seed", "1"]
    assert job(study, tmp_path, "train", *options) == 0
    weights = f"{MODELS}/fold-1/model.safetensors"
    assert (tmp_path / weights).read_bytes() != (whole / weights).read_bytes()


def test_an_array_job_leaves_the_bytes_of_the_whole_run(
    whole: Path, study: Path, job: Callable[..., int], tmp_path: Path
) -> None:
    family = ("--group-column", "family")
    assert job(study, tmp_path, "train", *family) == 0
    assert participants(tmp_path) == []
    who = participants(whole)[4]
    assert job(study, tmp_path, "participant", *family, "--participant_label", who) == 0
    assert participants(tmp_path) == [who]
    assert contents(tmp_path, "models") == contents(whole, "models")
    assert own(tmp_path, who) == own(whole, who)


def test_a_participant_without_all_classes_keeps_their_meaning_when_run_alone(
    write_maps: Callable[..., Path], job: Callable[..., int], tmp_path: Path
) -> None:
    bids = write_maps(tmp_path / "bids", ["01", "02", "03", "04", "05"], ["a", "b", "c"])
    next((bids / "sub-02" / "func").glob("*task-b*")).unlink()
    together, alone = tmp_path / "together", tmp_path / "alone"
    assert job(bids, together, "participant", "--saliency", "gradient") == 0
    assert job(bids, alone, "train") == 0
    options = ["--saliency", "gradient", "--participant-label", "02"]
    assert job(bids, alone, "participant", *options) == 0
    assert own(alone, "sub-02") == own(together, "sub-02")
    table = read_table(alone / "sub-02" / "func" / "sub-02_desc-decoding_predictions.tsv")
    assert [c for c in table.columns if c.startswith("prob_")] == ["prob_a", "prob_b", "prob_c"]
    assert list(table["true_label"]) == ["a", "c"]


def test_a_run_that_was_killed_trains_only_the_missing_folds(
    copy: Path, whole: Path, study: Path, job: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(copy / MODELS / "fold-3")
    trained = []
    real = train.fit_decoder

    def spy(*args: object, fold: int, **kwargs: object) -> object:
        trained.append(fold)
        return real(*args, fold=fold, **kwargs)

    monkeypatch.setattr(train, "fit_decoder", spy)
    assert job(study, copy, "train", "--group-column", "family") == 0
    assert trained == [3]
    assert contents(copy, "models") == contents(whole, "models")


@pytest.mark.parametrize(
    ("options", "named"),
    [(["--epochs", "4"], "training"), (["--random-seed", "5"], "random_seed")],
)
def test_decoders_of_other_settings_are_refused_by_name(
    options: list[str],
    named: str,
    whole: Path,
    study: Path,
    job: Callable[..., int],
    capsys: pytest.CaptureFixture,
) -> None:
    assert job(study, whole, "participant", "--group-column", "family", *options) == 64
    message = capsys.readouterr().err
    assert f"other settings ({named})" in message
    assert MODELS in message


def test_another_kind_of_decoder_is_refused_where_there_are_results(
    whole: Path, study: Path, job: Callable[..., int], capsys: pytest.CaptureFixture
) -> None:
    assert job(study, whole, "participant", "--training", "standard") == 64
    assert "one OUTPUT_DIR is for one kind of decoder" in capsys.readouterr().err


def test_maps_of_a_class_that_the_decoders_do_not_know_are_refused(
    study: Path, job: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert job(study, tmp_path, "train", "--task-id", "emotion", "language") == 0
    assert job(study, tmp_path, "participant") == 64
    assert "There are maps of gambling" in capsys.readouterr().err


def test_maps_of_other_voxels_than_the_decoders_are_refused(
    copy: Path,
    study: Path,
    job: Callable[..., int],
    capsys: pytest.CaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from dataclasses import replace

    mask = job.template.mask.copy()
    mask[tuple(axis[0] for axis in mask.nonzero())] = False
    other = replace(job, template=replace(job.template, mask=mask))
    family = ("--group-column", "family")
    assert other(study, copy, "participant", *family, "--participant-label", "001") == 65
    assert "was trained on other voxels" in capsys.readouterr().err


@pytest.fixture
def opened() -> Iterator[list[str]]:
    """Return the names of the images that this process opens, as it opens them."""
    HEARD.append([])
    yield HEARD[-1]
    HEARD.clear()


HEARD: list[list[str]] = []


def hear(event: str, arguments: tuple[object, ...]) -> None:
    """Note what is opened while a test listens."""
    if HEARD and event == "open" and str(arguments[0]).endswith((".nii", ".nii.gz")):
        HEARD[-1].append(str(arguments[0]))


sys.addaudithook(hear)  # for ever; nothing that opens a file escapes it


def test_a_second_run_opens_no_image_of_the_data_set(
    copy: Path, study: Path, job: Callable[..., int], tmp_path: Path, opened: list[str]
) -> None:
    options = ["--group-column", "family", "--saliency", "gradient"]
    runs = {
        "first": [],
        "again": ["--work-dir", str(copy / "work")],
        "otherwise": ["--work-dir", str(copy / "work"), "--epochs", "3", "--epsilon", "0.2"],
        "one": ["--work-dir", str(copy / "work"), "--participant-label", "003"],
    }
    n_read = {}
    for name, more in runs.items():
        opened.clear()
        assert job(study, tmp_path / name, "participant", *options, *more) == 0
        n_read[name] = len([path for path in opened if path.startswith(str(study))])
    n_maps = len(list(study.rglob("*_statmap.nii.gz")))
    assert n_read == {"first": n_maps, "again": 0, "otherwise": 0, "one": 0}


def test_holdout_decodes_only_the_test_participants_and_says_so(
    study: Path, job: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    options = ["--holdout", "--saliency", "gradient"]
    assert job(study, tmp_path, "participant", *options) == 0
    folds = read_table(tmp_path / MODELS / "folds.tsv")
    tested = sorted("sub-" + folds.loc[folds["role"] == "test", "participant_id"])
    assert 0 < len(tested) < 9
    assert participants(tmp_path) == tested
    said = capsys.readouterr().err
    assert f"{9 - len(tested)} participants are not decoded" in said
    assert job(study, tmp_path, "group", *options) == 0
    excluded = read_table(tmp_path / "group_desc-excluded_participants.tsv")
    assert len(excluded) == 9 - len(tested)
    assert excluded["reason"].str.contains("--holdout").all()


def test_the_same_participants_in_another_order_or_with_prefix_are_asked_for(
    copy: Path, study: Path, job: Callable[..., int]
) -> None:
    for folder in copy.glob("sub-*"):
        shutil.rmtree(folder)
    options = ["--group-column", "family", "--saliency", "gradient", "--participant-label"]
    assert job(study, copy, "participant", *options, "sub-003", "001") == 0
    assert participants(copy) == ["sub-001", "sub-003"]


def test_an_absent_participant_is_named_with_those_who_are_there(
    study: Path, job: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert job(study, tmp_path, "participant", "--participant-label", "001", "xx") == 18
    message = capsys.readouterr().err.splitlines()[-1]
    assert "xx" in message
    assert "009" in message


def test_a_gpu_where_there_is_none_is_one_line(
    study: Path, job: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert job(study, tmp_path / "out", "participant", "--device", "cuda:99") == 64
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert "--device cuda:99" in message
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--architecture", "cnn", "--saliency", "weights"], "needs a linear decoder"),
        (["--target", "emotion>motor"], "--target is 'emotion>motor'"),
        (["--folds", "20"], "--folds 20"),
        (["--group-column", "kin"], "no column 'kin'"),
    ],
)
def test_a_request_that_cannot_be_met_stops_before_the_training(
    options: list[str],
    words: str,
    study: Path,
    job: Callable[..., int],
    tmp_path: Path,
    capsys: pytest.CaptureFixture,
) -> None:
    assert job(study, tmp_path, "participant", *options) == 64
    assert words in capsys.readouterr().err.splitlines()[-1]
    assert not list(tmp_path.rglob("model.safetensors"))


def test_one_class_is_not_enough(
    study: Path, job: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert job(study, tmp_path, "participant", "--task-id", "emotion") == 65
    assert "one class, 'emotion'" in capsys.readouterr().err.splitlines()[-1]


def test_a_class_that_a_fold_cannot_learn_is_named(
    write_maps: Callable[..., Path],
    job: Callable[..., int],
    tmp_path: Path,
    capsys: pytest.CaptureFixture,
) -> None:
    bids = write_maps(tmp_path / "bids", ["01", "02", "03", "04"], ["a", "b"])
    write_maps(bids, ["01"], ["rare"])
    assert job(bids, tmp_path / "out", "train") == 65
    assert "no map of rare to train on" in capsys.readouterr().err.splitlines()[-1]
    assert not list((tmp_path / "out" / "models").glob("*"))


@pytest.mark.parametrize("level", ["train", "participant"])
def test_an_output_that_cannot_be_made_is_one_line(
    level: str, study: Path, job: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    (tmp_path / "file").touch()
    assert job(study, tmp_path / "file" / "out", level) == 73
    assert "cannot be created" in capsys.readouterr().err.splitlines()[-1]


def test_the_input_is_never_written_to(
    study: Path, job: Callable[..., int], capsys: pytest.CaptureFixture
) -> None:
    before = sorted(study.rglob("*"))
    assert job(study, study, "participant") == 64
    assert "is the input data set" in capsys.readouterr().err.splitlines()[-1]
    assert sorted(study.rglob("*")) == before


@pytest.mark.parametrize(("made", "code"), [(False, 66), (True, 18)])
@pytest.mark.parametrize("options", [[], ["--reports-only"]])
def test_group_before_participant_says_what_to_run(
    made: bool,
    code: int,
    options: list[str],
    study: Path,
    job: Callable[..., int],
    tmp_path: Path,
    capsys: pytest.CaptureFixture,
) -> None:
    out = tmp_path if made else tmp_path / "none"
    level = "participant" if options else "group"
    assert job(study, out, level, *options) == code
    assert made or not out.exists()
    last = capsys.readouterr().err.splitlines()[-1]
    assert "run the participant level first" in last or "nothing to report on" in last


def test_someone_who_comes_after_the_training_is_decoded_by_strangers_to_the_family(
    write_maps: Callable[..., Path], job: Callable[..., int], tmp_path: Path
) -> None:
    bids, out = tmp_path / "bids", tmp_path / "out"
    known = ["01", "02", "03", "04", "05", "06"]
    write_maps(bids, known, ["a", "b"])
    rows = [f"sub-{who}\tF{who}" for who in known]
    (bids / "participants.tsv").write_text("\n".join(["participant_id\tfamily", *rows]) + "\n")
    options = ["--group-column", "family", "--saliency", "gradient"]
    assert job(bids, out, "participant", *options) == 0
    folds = read_table(out / MODELS / "folds.tsv")
    last = folds[(folds["fold"] == 3) & (folds["role"] == "test")]["participant_id"].iloc[0]
    write_maps(bids, ["99"], ["a", "b"])
    rows.append(f"sub-99\tF{last}")
    (bids / "participants.tsv").write_text("\n".join(["participant_id\tfamily", *rows]) + "\n")
    assert job(bids, out, "participant", *options, "--participant-label", "99") == 0
    table = read_table(out / "sub-99" / "func" / "sub-99_desc-decoding_predictions.tsv")
    assert set(table["fold"]) == {3}


def test_sessions_are_kept_apart_and_runs_averaged(
    write_maps: Callable[..., Path], job: Callable[..., int], tmp_path: Path
) -> None:
    bids, out = tmp_path / "bids", tmp_path / "out"
    write_maps(bids, ["1", "2", "3"], ["a", "b"], sessions=["x", "y"], runs=["1", "2"])
    assert job(bids, out, "participant", "--saliency", "gradient") == 0
    assert job(bids, out, "group") == 0
    table = read_table(out / "sub-1" / "func" / "sub-1_desc-decoding_predictions.tsv")
    assert list(table["session_id"]) == ["ses-x", "ses-x", "ses-y", "ses-y"]
    assert table["source"].str.split(" ").str.len().eq(2).all()
    for session in ("x", "y"):
        maps = list((out / "sub-1" / f"ses-{session}" / "func").glob("*_saliency.nii.gz"))
        assert len(maps) == 2
        assert all(f"ses-{session}" in path.name for path in maps)
        said = json.loads(maps[0].with_name(maps[0].name[:-7] + ".json").read_text())
        assert len(said["Sources"]) == 2


@pytest.fixture
def damaged(write_maps: Callable[..., Path], tmp_path: Path) -> Path:
    """Return a data set in which the maps of 02, 03 and 04 cannot be used."""
    people = ["01", "02", "03", "04", "05", "06", "07"]
    bids = write_maps(tmp_path / "bids", people, ["a", "b"])

    def one(who: str) -> Path:
        return next((bids / f"sub-{who}" / "func").glob("*task-b*"))

    one("02").write_bytes(one("02").read_bytes()[:2000])
    for who, value in (("03", 1.0), ("04", float("nan"))):
        image = nib.load(one(who))
        nib.save(nib.Nifti1Image(image.get_fdata() * 0 + value, image.affine), one(who))
    return bids


def test_a_bad_map_stops_its_participant_and_not_the_run(
    damaged: Path, job: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    out = tmp_path / "out"
    assert job(damaged, out, "participant", "--saliency", "gradient") == 65
    message = capsys.readouterr().err.splitlines()[-1]
    assert message.startswith("fmridecode: error: 3 of 7 participants failed")
    assert participants(out) == ["sub-01", "sub-05", "sub-06", "sub-07"]
    assert job(damaged, out, "group") == 0
    excluded = read_table(out / "group_desc-excluded_participants.tsv")
    assert list(excluded["participant_id"]) == ["sub-02", "sub-03", "sub-04"]
    for who, reason in zip(("02", "03", "04"), excluded["reason"], strict=True):
        assert f"sub-{who}: {damaged}/sub-{who}/func/sub-{who}_task-b_" in message
        assert f"sub-{who}_task-b_" in reason
    options = ["--saliency", "gradient", "--participant-label", "05"]
    assert job(damaged, out, "participant", *options) == 0


def test_the_first_bad_map_can_stop_the_run(
    damaged: Path, job: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert job(damaged, tmp_path / "out", "participant", "--stop-on-first-crash") == 65
    assert "sub-02_task-b_" in capsys.readouterr().err.splitlines()[-1]
    assert participants(tmp_path / "out") == []


def test_the_output_is_a_valid_bids_derivative(whole: Path) -> None:
    pytest.importorskip("bids_validator_deno", reason="bids-validator-deno is not installed")
    validator = Path(sys.executable).with_name("bids-validator-deno")
    done = subprocess.run(
        [validator, "--json", "--ignoreNiftiHeaders", str(whole)], capture_output=True, text=True
    )
    issues = json.loads(done.stdout)["issues"]["issues"]
    assert [each for each in issues if each["severity"] == "error"] == []
    description = json.loads((whole / "dataset_description.json").read_text())
    assert description["DatasetType"] == "derivative"


def test_folds_are_for_the_level_that_trains(study, job, tmp_path, capsys):
    assert job(study, tmp_path / "out", "participant", "--fold", "1") == 64
    assert "--fold is for the level train" in capsys.readouterr().err
    assert job(study, tmp_path / "out", "train", "--fold", "0") == 64
    assert "counted from 1" in capsys.readouterr().err


def test_folds_one_by_one_are_those_of_one_run(study, job, whole, tmp_path, capsys):
    options = ("--group-column", "family")
    assert job(study, tmp_path / "out", "train", "--fold", "7", *options) == 64
    assert "--fold is 7; there are 3 folds" in capsys.readouterr().err
    (folder,) = (each for each in (tmp_path / "out" / "models").iterdir() if each.is_dir())
    for folds in (("2",), ("1", "3")):
        assert not (folder / "training.tsv").exists()
        assert job(study, tmp_path / "out", "train", "--fold", *folds, *options) == 0
    for path in (whole / "models").rglob("*"):
        if path.is_file() and not path.name.startswith("."):
            ours = tmp_path / "out" / path.relative_to(whole)
            assert ours.read_bytes() == path.read_bytes(), path


def test_histories_that_no_job_put_together_are_put_together(study, job, whole, tmp_path):
    shutil.copytree(whole, tmp_path / "out")
    (path,) = (tmp_path / "out" / "models").glob("*/training.tsv")
    before = path.read_bytes()
    path.unlink()
    line = ("participant", "--group-column", "family", "--participant-label", "001")
    assert job(study, tmp_path / "out", *line) == 0
    assert path.read_bytes() == before


def test_torchrun_is_for_the_level_that_trains(study, job, tmp_path, monkeypatch, capsys):
    said = {"RANK": "0", "WORLD_SIZE": "2", "LOCAL_RANK": "0", "MASTER_ADDR": "::1"}
    for name, value in {**said, "MASTER_PORT": "1"}.items():
        monkeypatch.setenv(name, value)
    assert job(study, tmp_path / "out", "participant") == 64
    assert "run it without torchrun" in capsys.readouterr().err


def test_a_run_takes_as_many_threads_as_it_may(study, job, tmp_path, monkeypatch):
    before, seen = torch.get_num_threads(), set()
    update = Trainer.update

    def noted(self, *arguments, **more):
        seen.add(torch.get_num_threads())
        return update(self, *arguments, **more)

    monkeypatch.setattr(Trainer, "update", noted)
    options = ("--omp-nthreads", "2", "--epochs", "1", "--fold", "1")
    try:
        assert job(study, tmp_path / "out", "train", *options) == 0
    finally:
        torch.set_num_threads(before)
    assert seen == {2}
